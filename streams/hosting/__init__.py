"""The host of folds: partitions, snapshots, the log on Kafka, and what a worker runs."""
