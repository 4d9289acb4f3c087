"""Who is told what, when and how: a pure fold over causes."""
