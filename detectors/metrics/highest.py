"""The highest of the last hours: a monotone queue."""

from collections.abc import Sequence
from typing import Any, Self

from detectors.dense import Pairs

MOST = 100


class Highest(Pairs):
    """(seconds, value), ever later and lower; the first is the highest."""

    __slots__ = ()

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept a list within a list."""
        return super().unpacked(saved[0] if saved and isinstance(saved[0], list) else saved)

    def since(self, began: float) -> float:
        """The highest since then, -1 if there is none."""
        queue = self.pairs
        while queue and queue[0][0] < began:
            queue.pop(0)
        return queue[0][1] if queue else -1.0

    def push(self, at: float, value: float) -> None:
        """One more; beyond a hundred that fall steadily, lower ones are left out."""
        queue = self.pairs
        while queue and queue[-1][1] <= value:
            queue.pop()
        if len(queue) < MOST:
            queue.append((at, value))
