"""Online detectors over agent events: pure, one detector a file."""
