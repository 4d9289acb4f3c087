"""Everything that touches the world: Kafka, clock, HTTP, files, processes, command line."""
