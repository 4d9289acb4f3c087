"""How good answers are: what was scored, refused, cut short, left empty."""
