"""The life of incidents: what a cause changes, whom that pages, and the state of it all."""
