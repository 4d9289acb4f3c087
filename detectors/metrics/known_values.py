"""The values that a series has had: sorted, thinned, and bounded."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any, Self

from detectors.dense import Column

OUTER = 0.01
"""The range leaves out this share of the remembered values at each end."""


class KnownValues(Column):
    """Distinct values in order."""

    __slots__ = ()

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept a list within a list."""
        return super().unpacked(saved[0] if saved and isinstance(saved[0], list) else saved)

    def range(self) -> float:
        """Between the outermost values, without the outer one in a hundred."""
        values = self.values
        outer = int(len(values) * OUTER)
        return values[-1 - outer] - values[outer] if values else 0.0

    def distance(self, value: float) -> float:
        """To the nearest known value; 0 where none is known."""
        values = self.values
        if not values:
            return 0.0
        at = bisect_left(values, value)
        if at == len(values):
            return value - values[-1]
        return min(values[at] - value, value - values[at - 1]) if at else values[0] - value

    def add(self, value: float, apart: float, most: int) -> None:
        """Remembers a value further than `apart` from all others; of `most`, every second is forgotten."""
        if not self.values or self.distance(value) > apart:
            insort(self.values, value)
            if len(self.values) >= most:
                self.values = self.values[::2]
