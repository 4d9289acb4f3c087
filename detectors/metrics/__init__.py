"""The parts of the metric-anomaly detector: what is known of a series, what is new, what departs for long."""
