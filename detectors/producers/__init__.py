"""How well producers tell: what their events lack, how late they come."""
