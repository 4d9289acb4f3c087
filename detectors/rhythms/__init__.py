"""When an agent is usually heard, and how long it is usually silent."""
