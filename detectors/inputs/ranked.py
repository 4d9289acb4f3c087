"""A number, seen by its rank in the reference: any distribution becomes the same one."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import Literal

from detectors.inputs.quantities import Told

Channel = Literal["rank", "spread", "top10", "top5", "top1"]
_CUTS: dict[str, float] = {"top10": 0.9, "top5": 0.95, "top1": 0.99}
_FAR = 0.9
"""How far out, of 1, an input counts as unlike the reference where both ends do: a tenth of it is."""
WHOLE = 65_535
"""Ranks are kept as whole numbers up to this one."""
GRID = array("H", (round((2 * at + 1) / 400 * WHOLE) for at in range(200)))
"""A reference of what is a rank already: uniform."""
UNLIKE = 0.95
"""The rank from which on it does where one end does."""
_SHARES = tuple(each / 20 for each in range(10, 20))
"""Ranks at which the share of affected inputs is estimated."""


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
        told = islice(seen, len(_SHARES) if self._news == "higher" else None)
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
