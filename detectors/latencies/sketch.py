"""Durations counted by their logarithm: percentiles within 2.5 %, and two counts add up to one.

The mapping is that of DDSketch (Masson, Rim and Lee 2019), with bins of 5 % between a millisecond and a day.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp, floor, log
from types import MappingProxyType
from typing import Any, Self

from detectors.dense import rows_packed, rows_unpacked

WIDTH = 0.05
SHORTEST_S, LONGEST_S = 1e-3, 86400.0
NONE = 255
"""No bin: what `bin_of` says of no duration. Bins lie between -139 and 227."""


def bin_of(seconds: float) -> int:
    """The bin of a duration, `NONE` of 0."""
    return floor(log(min(LONGEST_S, max(SHORTEST_S, seconds))) / WIDTH) if seconds else NONE


def middle_of(place: int) -> float:
    """The duration in the middle of a bin, in seconds; 0 of `NONE`."""
    return 0.0 if place == NONE else exp((place + 0.5) * WIDTH)


class Sketch:
    """Counts by bin: 366 bins at most."""

    __slots__ = ("bins", "count")

    def __init__(self, bins: Mapping[int, int] = MappingProxyType({})) -> None:
        self.bins = dict(bins)
        self.count = sum(self.bins.values())

    def packed(self) -> list[Any]:
        """What `unpacked` takes: bins in order, and their counts."""
        return rows_packed(sorted(self.bins.items()))

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept counts by bin."""
        return cls(saved[0] if saved and isinstance(saved[0], Mapping) else dict(rows_unpacked(saved)))

    def add(self, durations: Sequence[float]) -> None:
        """In seconds; shorter and longer ones count as the shortest and the longest there are."""
        known = durations
        if durations and not SHORTEST_S <= min(durations) <= max(durations) <= LONGEST_S:
            known = [min(LONGEST_S, max(SHORTEST_S, seconds)) for seconds in durations]
        bins = self.bins
        for place, count in Counter([floor(log(seconds) / WIDTH) for seconds in known]).items():
            bins[place] = bins.get(place, 0) + count
        self.count += len(known)

    def above(self, seconds: float) -> int:
        """How many are longer, to the bin."""
        edge = log(min(LONGEST_S, max(SHORTEST_S, seconds))) / WIDTH
        return sum(count for place, count in self.bins.items() if place + 0.5 > edge)

    def join(self, other: "Sketch") -> None:
        """Another one's durations."""
        bins = self.bins
        for place, count in other.bins.items():
            bins[place] = bins.get(place, 0) + count
        self.count += other.count

    def fade(self, most: int) -> None:
        """Beyond `most`, each bin is halved: what is old weighs less."""
        if self.count > most:
            self.bins = {each: half for each, count in self.bins.items() if (half := count // 2)}
            self.count = sum(self.bins.values())

    def quantiles(self, *shares: float) -> list[float]:
        """The durations that these shares of all do not exceed, in seconds; 0 of none."""
        if not self.bins:
            return [0.0] * len(shares)
        places = sorted(self.bins)
        below = list(accumulate(map(self.bins.__getitem__, places)))
        last = len(places) - 1
        return [middle_of(places[min(last, bisect_left(below, share * self.count))]) for share in shares]

    def quantile(self, share: float) -> float:
        """One of them."""
        return self.quantiles(share)[0]
