"""How often state is tried to be written while that is refused."""

from math import inf

RESTS = 5.0
"""Nobody tries to write for so many times as long as the last refusal took."""


class Pace:
    """How often partitions that share a topic of state try to write it, where it is refused only after long.

    Else all of them would wait for it one after the other, and hold up what they fold.
    """

    def __init__(self) -> None:
        self._until_s = -inf

    def allows(self, now_s: float) -> bool:
        """Whether anybody may try again."""
        return now_s >= self._until_s

    def refused(self, began_s: float, now_s: float) -> None:
        """A try that began then was refused now."""
        self._until_s = now_s + RESTS * (now_s - began_s)
