"""The shape of a configuration as it is written: pydantic models, a file for each part."""
