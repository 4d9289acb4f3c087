"""What is told of the worker to whoever watches it: metrics, health, and a beat for a dead-man's switch."""
