"""What people and other services send in: who it is from is proved, and what it says becomes a cause."""
