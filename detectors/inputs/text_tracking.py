"""Tells when texts leave their reference, by their ranks in it, and when they are like it again."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from detectors.inputs.holding import Channel, Hold, opened
from detectors.inputs.quantities import Quantity
from detectors.inputs.rank_evidence import RankEvidence
from detectors.inputs.recent_inputs import RecentInputs

_WEIGHTS = (1.0, 1.0, 0.5, 0.5, 1.0, 1.0)
"""Of the evidence's channels: novelty, surprise, greater and smaller length, mix of words by half-life."""
_TOLD = (0, 1, 2, 2, 4, 5)
"""Which quantity tells of a channel."""
_STRUCTURE = 3

Ranks = Sequence[tuple[int, int]]


class Saved(Struct, array_like=True):
    """A tracker's state."""

    sums: list[float]
    armed: float
    hold: Hold | None


def above(table: Sequence[int], value: int) -> tuple[int, int]:
    """How many of a sorted table are above a value, and how many at or above it."""
    first, size = bisect_left(table, value), len(table)
    if first == size or table[first] != value:
        return size - first, size - first
    return size - bisect_right(table, value, first), size - first


class TextTracker:
    """Watches the quantities of a text: novelty, surprise, length, structure, then the mix of words twice.

    `enough`: texts like the reference that come between two false alarms, at least and on average.
    """

    __slots__ = ("_armed", "_enough", "_evidence", "_quantities", "hold")

    def __init__(
        self, quantities: Sequence[Quantity], sizes: Sequence[int], enough: float, saved: Saved | None = None
    ) -> None:
        """`sizes`: of the references of the evidence's channels."""
        self._quantities = quantities
        self._enough = enough
        self._evidence = RankEvidence(sizes, _WEIGHTS, saved.sums if saved else ())
        self._armed = saved.armed if saved else float("-inf")
        self.hold = saved.hold if saved else None

    def take(self, now: float, raws: Sequence[float], ranks: Ranks, recent: RecentInputs) -> None:
        """One text's raw values, which are also the last row of `recent`, and its ranks in each channel."""
        if self.hold is not None:
            if self.hold.weigh(self._quantities[self.hold.quantity], raws[self.hold.quantity]):
                self._armed = now
                self.hold = None
            return
        if self._evidence.take(ranks) >= self._enough:
            leading = self._evidence.leading()
            self._evidence.forget()
            first = recent.since(self._armed)
            self.hold = opened(self._quantities, self._telling(leading), first, now, recent)

    def _telling(self, leading: int) -> Iterator[Channel]:
        """The channels that may tell of what led; a change of structure is learnt with the mix of words."""
        told = _TOLD[leading]
        quantities = (_STRUCTURE, told) if told > _STRUCTURE else (told,)
        return ((at, each) for at in quantities for each in range(len(self._quantities[at].means)))

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._evidence.sums, self._armed, self.hold)
