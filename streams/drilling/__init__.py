"""Fire drills: events of an incident that is none, and what becomes of them."""
