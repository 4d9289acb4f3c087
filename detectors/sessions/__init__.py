"""Open sessions: what each has spent so far, what is usual, and which go astray."""
