"""Tells when inputs leave their reference, by their ranks in it, and when they are like it again."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from detectors.inputs.holding import Hold, opened
from detectors.inputs.quantities import Quantity
from detectors.inputs.rank_evidence import RankEvidence
from detectors.inputs.recent_inputs import RecentInputs

Ranks = Sequence[tuple[int, int]]


class Telling(Struct, frozen=True):
    """A channel of the evidence: its weight, and the quantities that may tell of it, easiest first."""

    weight: float
    told: tuple[int, ...]


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


class RankTracker:
    """Watches quantities that are told as one, by the ranks of some of them.

    `enough`: inputs like the reference that come between two false alarms, at least and on average.
    """

    __slots__ = ("_armed", "_channels", "_evidence", "_quantities", "enough", "hold")

    def __init__(
        self,
        quantities: Sequence[Quantity],
        channels: Sequence[Telling],
        sizes: Sequence[int],
        enough: float,
        saved: Saved | None = None,
    ) -> None:
        """`sizes`: of the references of the evidence's channels."""
        self._quantities = quantities
        self._channels = channels
        self.enough = enough
        weights = [channel.weight for channel in channels]
        self._evidence = RankEvidence(sizes, weights, saved.sums if saved else ())
        self._armed = saved.armed if saved else float("-inf")
        self.hold = saved.hold if saved else None

    def take(self, now: float, raws: Sequence[float], ranks: Ranks, recent: RecentInputs) -> None:
        """One input's raw values, which are also the last row of `recent`, and its rank in each channel."""
        if self.hold is not None:
            if self.hold.weigh(self._quantities[self.hold.quantity], raws[self.hold.quantity]):
                self.end(now)
            return
        if self._evidence.take(ranks) >= self.enough:
            told = self._channels[self._evidence.leading()].told
            self._evidence.forget()
            channels = ((at, each) for at in told for each in range(len(self._quantities[at].means)))
            first = recent.since(self._armed)
            self.hold = opened(self._quantities, channels, first, now, recent)

    def end(self, now: float) -> None:
        """The shift that holds is over; the next one is looked for from here on."""
        self._armed = now
        self.hold = None

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._evidence.sums, self._armed, self.hold)
