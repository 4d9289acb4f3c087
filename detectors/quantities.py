"""What is watched of an input: a quantity's distribution in the reference, and how far a value lies from it.

A quantity turns a raw value into *channels*: numbers in [0, 1] whose mean moves when the distribution does.
"""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import gcd
from typing import Literal, Protocol

from msgspec import Struct

Channel = Literal["rank", "spread", "top10", "top5", "top1"]
_CUTS: dict[str, float] = {"top10": 0.9, "top5": 0.95, "top1": 0.99}
_FAR = 0.9
"""How far out, of 1, an input counts as unlike the reference where both ends do: a tenth of it is."""
UNLIKE = 0.95
"""The rank from which on it does where one end does."""
_SHARES = tuple(each / 20 for each in range(10, 20))
"""Ranks at which the share of affected inputs is estimated."""


class Told(Struct, frozen=True):
    """How to tell of a channel: what moved, the unit of what is shown of it, its mean in the reference."""

    what: str
    unit: str
    usual: float


class Quantity(Protocol):
    """A quantity's reference."""

    name: str
    means: tuple[float, ...]
    """Mean of each channel in the reference."""
    variances: tuple[float, ...]
    """Variance of each channel in the reference."""

    def values(self, raw: float) -> Sequence[float]:
        """The channels of a value."""
        ...

    def baseline(self, channel: int) -> Iterator[float]:
        """A channel's values in the reference, in an order without a trend."""
        ...

    def spread_at(self, channel: int, level: float) -> float:
        """Variance to expect of a channel whose mean has become `level`."""
        ...

    def tells(self, channel: int, level: float) -> bool:
        """Whether a channel's mean that has become `level` is worth telling."""
        ...

    def unlike(self, raw: float, channel: int, level: float) -> bool:
        """Whether a value is one of those that moved the channel to `level`."""
        ...

    def told(self, channel: int) -> Told:
        """How to tell of a channel."""
        ...

    def shown(self, raw: float, channel: int) -> float:
        """What is told of a value."""
        ...

    def affected(self, raws: Sequence[float], channel: int) -> float:
        """The share of inputs, in [0, 1], that must be of another kind to explain the values."""
        ...


def strided(size: int) -> Iterator[int]:
    """0 to size - 1, each once, far from sorted: steps of about 0.618 of the size."""
    step = next(each for each in range(max(1, round(size * 0.618)), 2 * size + 2) if gcd(each, size) == 1)
    return (each * step % size for each in range(size))


class Ranked:
    """A number, seen by its rank in the reference.

    `scale`: raw values per unit told. `unit`: what one tells, as in "characters per input". `news`: whether
    lower values are told too, or only higher ones.
    """

    __slots__ = (
        "_channels",
        "_news",
        "_scale",
        "_table",
        "_tails",
        "_unit",
        "_usual",
        "means",
        "name",
        "variances",
    )

    def __init__(
        self,
        name: str,
        table: Sequence[float],
        channels: Sequence[Channel],
        *,
        unit: str,
        scale: float = 1,
        news: Literal["higher", "both"] = "both",
    ) -> None:
        """`table`: the reference's raw values, sorted, at least one."""
        self.name = name
        self._unit = unit
        self._scale = scale
        self._news = news
        self._channels = tuple(channels)
        self._table = table
        columns = list(zip(*(self.values(raw) for raw in table), strict=True))
        self.means: tuple[float, ...] = tuple(sum(column) / len(table) for column in columns)
        self.variances: tuple[float, ...] = tuple(
            sum((value - mean) ** 2 for value in column) / len(table)
            for column, mean in zip(columns, self.means, strict=True)
        )
        self._tails = _tails(sorted(self.rank(raw) for raw in table))
        self._usual = tuple(
            sum(self.shown(raw, channel) for raw in table) / len(table)
            for channel in range(len(self._channels))
        )

    def rank(self, raw: float) -> float:
        """Share of the reference below the value, ties by half, in [0, 1]."""
        table = self._table
        return (bisect_left(table, raw) + bisect_right(table, raw)) / (2 * len(table))

    def values(self, raw: float) -> Sequence[float]:
        """The channels of a value."""
        rank = self.rank(raw)
        return [_channel(channel, rank) for channel in self._channels]

    def baseline(self, channel: int) -> Iterator[float]:
        """A channel's values in the reference."""
        kind, table = self._channels[channel], self._table
        return (_channel(kind, self.rank(table[at])) for at in strided(len(table)))

    def spread_at(self, channel: int, level: float) -> float:
        """Ranks keep their variance; a share has that of a coin."""
        known = self.variances[channel]
        return max(known, level * (1 - level)) if self._channels[channel] in _CUTS else known

    def tells(self, channel: int, level: float) -> bool:
        """Fewer values at the far end than in the reference are never news."""
        either = self._news == "both" and self._channels[channel] not in _CUTS
        return either or level > self.means[channel]

    def unlike(self, raw: float, channel: int, level: float) -> bool:
        """Far out on the side to which the ranks moved, or on either where they spread."""
        rank = self.rank(raw)
        if self._channels[channel] == "spread":
            return abs(2 * rank - 1) >= _FAR
        return rank >= UNLIKE if level >= self.means[channel] else rank <= 1 - UNLIKE

    def told(self, channel: int) -> Told:
        """The values' mean; where the ends moved, the share of inputs out there."""
        if self._channels[channel] == "rank":
            return Told(self.name, self._unit, self._usual[channel])
        return Told(f"unusual {self.name}", "share of inputs", self._usual[channel])

    def shown(self, raw: float, channel: int) -> float:
        """The value in its unit, or 1 for one that is far out."""
        kind = self._channels[channel]
        if kind == "rank":
            return raw / self._scale
        rank = self.rank(raw)
        return float(abs(2 * rank - 1) >= _FAR if kind == "spread" else rank >= _CUTS[kind])

    def affected(self, raws: Sequence[float], channel: int) -> float:  # noqa: ARG002 - the ranks tell by themselves
        """The least share of others that explains the ranks: sup over t of (P(t) - Q(t)) / (1 - Q(t))."""
        seen = zip(_tails(sorted(self.rank(raw) for raw in raws)), self._tails, strict=True)
        told = itertools.islice(seen, len(_SHARES) if self._news == "higher" else None)
        return max(0.0, *((share - usual) / (1 - usual) for share, usual in told if usual < 1))


def _tails(ranks: Sequence[float]) -> list[float]:
    """Shares of sorted ranks at or above each of `_SHARES`, then at or below what mirrors them."""
    size = len(ranks)
    above = [1 - bisect_left(ranks, cut) / size for cut in _SHARES]
    return above + [bisect_right(ranks, 1 - cut) / size for cut in _SHARES]


def _channel(kind: Channel, rank: float) -> float:
    if kind == "rank":
        return rank
    if kind == "spread":
        return abs(2 * rank - 1)
    return 1.0 if rank >= _CUTS[kind] else 0.0


class Indicators:
    """Properties that an input has or has not; the raw value holds one bit for each."""

    __slots__ = ("labels", "means", "name", "size", "variances")

    def __init__(self, name: str, labels: Sequence[str], shares: Sequence[float], size: int) -> None:
        """`shares`: of the reference's `size` inputs that have each property, in [0, 1]."""
        self.name = name
        self.labels = tuple(labels)
        self.means = tuple(shares)
        self.variances: tuple[float, ...] = tuple(share * (1 - share) for share in shares)
        self.size = size

    def values(self, raw: float) -> Sequence[float]:
        """The channels: 0 or 1 each."""
        bits = int(raw)
        return [float(bits >> at & 1) for at in range(len(self.labels))]

    def baseline(self, channel: int) -> Iterator[float]:
        """Ones and zeros in the reference's proportion."""
        ones = round(self.means[channel] * self.size)
        return (1.0 if at < ones else 0.0 for at in strided(self.size))

    def spread_at(self, channel: int, level: float) -> float:
        """A coin's."""
        return max(self.variances[channel], level * (1 - level))

    def tells(self, channel: int, level: float) -> bool:
        """Either way."""
        return level != self.means[channel]

    def unlike(self, raw: float, channel: int, level: float) -> bool:
        """Those that have what became more frequent, or lack what became rarer."""
        has = int(raw) >> channel & 1
        return has == 1 if level > self.means[channel] else has == 0

    def told(self, channel: int) -> Told:
        """The share of inputs that have the property."""
        return Told(self.labels[channel], "share of inputs", self.means[channel])

    def shown(self, raw: float, channel: int) -> float:
        """1 where it has the property."""
        return float(int(raw) >> channel & 1)

    def affected(self, raws: Sequence[float], channel: int) -> float:
        """What came or went, of what could."""
        usual = self.means[channel]
        observed = sum(self.shown(raw, channel) for raw in raws) / len(raws)
        return (observed - usual) / (1 - usual) if observed > usual else (usual - observed) / max(usual, 1e-9)
