"""How much comes: arrivals of sessions, what is usual at an hour of the week, and how far off it is."""
