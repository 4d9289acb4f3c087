"""The words everyone shares: events, signals, causes, incidents, pages, outcomes and decisions."""
