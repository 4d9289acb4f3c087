"""The YAML: read with its places, checked, merged and compiled into a policy."""
