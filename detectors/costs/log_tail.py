"""The upper tail of heavy-tailed amounts: a histogram of their logarithms, an exponential beyond its 90 %.

An exponential tail of the logarithm is a Pareto tail of the amount, with the mean excess as Hill's estimate
(Hill 1975); its standard error is added twice, so few amounts make it careful.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, repeat
from math import exp, floor, log
from types import MappingProxyType
from typing import Any, Self

from msgspec import Struct

from detectors.dense import rows_packed, rows_unpacked

WIDTH = 0.05
LOWEST, HIGHEST = -400, 400
TAIL = 0.1
THINNEST = 0.1
"""The least mean excess: even the steadiest amounts are believed to vary by a tenth."""


class LogTail:
    """Counts by bin of 5 %, 801 at most; halved when there are more than `most`: old amounts fade."""

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

    def add(self, amount: float, most: int) -> None:
        """One amount, above 0."""
        place = floor(log(amount) / WIDTH)
        if not LOWEST <= place <= HIGHEST:
            place = min(HIGHEST, max(LOWEST, place))
        bins = self.bins
        bins[place] = bins.get(place, 0) + 1
        self.count += 1
        if self.count > most:
            self.bins = {each: half for each, count in self.bins.items() if (half := count // 2)}
            self.count = sum(self.bins.values())

    def quantiles(self, *shares: float) -> list[float]:
        """The amounts that these shares of all do not exceed: upper edges of their bins."""
        places = sorted(self.bins) or [LOWEST]
        below = list(accumulate(map(self.bins.get, places, repeat(0))))
        last = len(places) - 1
        found = [min(last, bisect_left(below, share * self.count)) for share in shares]
        return [exp((places[at] + 1) * WIDTH) for at in found]

    def quantile(self, share: float) -> float:
        """One of them."""
        return self.quantiles(share)[0]

    def tail(self, start: float | None = None) -> "Tail":
        """The tail as it is now; `start`: the quantile at 1 - `TAIL`, where that is known already."""
        start = start or self.quantile(1 - TAIL)
        edge = round(log(start) / WIDTH)
        above = [(place, count) for place, count in sorted(self.bins.items()) if place >= edge]
        beyond = sum(count for _, count in above)
        excess = sum((place + 0.5 - edge) * WIDTH * count for place, count in above)
        mean = excess / beyond if beyond else THINNEST
        share = (beyond + 1) / (self.count + 1)
        return Tail(log(start), share, max(THINNEST, mean * (1 + 2 / max(1, beyond) ** 0.5)))


class Tail(Struct, array_like=True, frozen=True):
    """Beyond the logarithm `start` lies `share` of all, with this mean excess."""

    start: float
    share: float
    excess: float

    def chance(self, amount: float) -> float:
        """How often an amount is as large, at most 1; not told apart below where the tail starts."""
        beyond = log(amount) - self.start
        return self.share * exp(-beyond / self.excess) if beyond > 0 else 1.0

    def amount(self, chance: float) -> float:
        """The amount that is exceeded so rarely; `chance` at most `share`."""
        return exp(self.start + self.excess * log(self.share / chance))


def rare(amounts: LogTail, expected: float, ratio: float) -> tuple[float, float]:
    """The median, and the amount that less than one of `expected` further ones reaches, by the tail.

    That is no lower than `ratio` times the median, and no higher than `ratio` times what one in a thousand
    exceeds.
    """
    usual, start, dearest = amounts.quantiles(0.5, 1 - TAIL, 0.999)
    tail = amounts.tail(start)
    reached = min(tail.amount(min(tail.share, 1 / expected)), ratio * dearest)
    return usual, max(reached, ratio * usual)
