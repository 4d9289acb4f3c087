"""What stands out in the affected events against the others: counts by dimension, and their lift."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from msgspec import Struct, field

from detectors.dense import Number
from schemas.event import Data
from schemas.signal import Contributor

DIMENSIONS = ("version", "model", "provider", "tool", "tenant", "cohort")
MOST_VALUES = 12
"""Values kept by dimension; what comes later counts as `OTHER`."""
LONGEST = 64
OTHER = "(other)"
GENERATION_S = 3600.0
FEWEST = 3.0
"""Affected weight below which nothing can stand out."""
SHARE = 0.2
LIFT = 1.5
HIGHEST_LIFT = 100.0
MOST_CONTRIBUTORS = 5
MOST_FRESH = 32

ERROR_TYPE, CLASS = "error type", "class"
"""Dimensions of failures alone."""
_CODES = {name: code for code, name in enumerate((*DIMENSIONS, ERROR_TYPE, CLASS))}
_NAMES = {code: name for name, code in _CODES.items()}
_NONE: Mapping[str, dict[str, Number]] = MappingProxyType({})

Values = tuple[str | None, ...]
_last: list[tuple[Data | None, Values]] = [(None, ())]


def values(data: Data) -> Values:
    """An event's value in each of `DIMENSIONS`, None where it has none.

    Several detectors ask it of one event after the other, so the last answer is kept.
    """
    asked, answer = _last[0]
    if asked is data:
        return answer
    response, request = data.response, data.request
    model = (response.model if response else None) or (request.model if request else None)
    answer = (
        data.agent.version,
        model,
        data.provider.name if data.provider else None,
        data.tool.name if data.tool else None,
        data.tenant.id if data.tenant else None,
        data.release.cohort if data.release else None,
    )
    _last[0] = data, answer
    return answer


class Tally:
    """Weights by dimension and value: a dozen values a dimension at most, the rest together."""

    __slots__ = ("by", "weight")

    def __init__(self, weight: Number = 0, by: Mapping[str, dict[str, Number]] = _NONE) -> None:
        self.weight = weight
        self.by = dict(by)

    def packed(self) -> list[Any]:
        """What `unpacked` takes: the dimensions there are have numbers."""
        return [self.weight, {_CODES.get(name, name): weights for name, weights in self.by.items()}]

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved; earlier versions kept names."""
        weight, by = saved
        return cls(weight, {_NAMES.get(code, code): weights for code, weights in by.items()})

    def add(self, dimension: str, value: str, weight: Number = 1) -> None:
        """Weight of one value."""
        weights = self.by.setdefault(dimension, {})
        name = value[:LONGEST]
        if name not in weights and len(weights) >= MOST_VALUES:
            name = OTHER
        weights[name] = weights.get(name, 0) + weight

    def take(self, each: Values, weight: Number = 1) -> None:
        """One event's values."""
        self.weight += weight
        by = self.by
        for dimension, value in zip(DIMENSIONS, each, strict=True):
            if value is not None:
                try:
                    by[dimension][value] += weight
                except KeyError:
                    self.add(dimension, value, weight)

    def join(self, other: "Tally") -> None:
        """Another tally's weights."""
        self.weight += other.weight
        for dimension, weights in other.by.items():
            for value, weight in weights.items():
                self.add(dimension, value, weight)


class Recent(Struct, array_like=True):
    """A tally of the last one to two hours: two generations, the older dropped when a third begins.

    `fresh`: how often what was seen of late has come, not yet in the tally: most events of an agent are
    alike.
    """

    began: float = 0.0
    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    fresh: dict[Values, int] = {}

    def see(self, data: Data) -> None:
        """One event."""
        each, fresh = values(data), self.fresh
        fresh[each] = fresh.get(each, 0) + 1
        if len(fresh) > MOST_FRESH:
            self.settle()

    def add(self, dimension: str, value: str, weight: Number = 1) -> None:
        """Weight of one value of an event that is not seen whole."""
        self.settle()
        self.now.add(dimension, value, weight)

    def settle(self) -> None:
        """Counts what is fresh; whether that is done sooner or later changes nothing, not even an order."""
        for each, count in self.fresh.items():
            self.now.take(each, count)
        self.fresh.clear()

    def turn(self, at: float) -> None:
        """Begins a new generation when the present one is an hour old."""
        self.settle()
        if at - self.began >= GENERATION_S:
            self.before = self.now if at - self.began < 2 * GENERATION_S else Tally()
            self.began, self.now = at, Tally()

    def joined(self) -> Tally:
        """Both generations together."""
        self.settle()
        both = Tally()
        both.join(self.before)
        both.join(self.now)
        return both


def contributors(affected: Tally, others: Tally) -> tuple[Contributor, ...]:
    """Values that a fifth of the affected have and that are 1.5 times as frequent among them, by lift.

    Half an event is added to each count, so that few events lift little.
    """
    if affected.weight < FEWEST:
        return ()
    found = [
        _contributor(dimension, value, weight, affected, others)
        for dimension, weights in affected.by.items()
        for value, weight in weights.items()
        if value != OTHER
    ]
    telling = [each for each in found if each.share >= SHARE and each.lift >= LIFT]
    return tuple(sorted(telling, key=_order))[:MOST_CONTRIBUTORS]


def lift(part: float, whole: float, other_part: float, other_whole: float) -> float:
    """Share over the share among the others, half an event added to each count; at most 100."""
    return round(min(HIGHEST_LIFT, (part + 0.5) / (whole + 1) / ((other_part + 0.5) / (other_whole + 1))), 2)


def top(weights: dict[str, float], most: int) -> Sequence[tuple[str, float]]:
    """The heaviest values, ties by name."""
    return sorted(weights.items(), key=lambda each: (-each[1], each[0]))[:most]


def _contributor(dimension: str, value: str, weight: float, affected: Tally, others: Tally) -> Contributor:
    other = others.by.get(dimension, {}).get(value, 0.0)
    return Contributor(
        dimension=dimension,
        value=value,
        share=round(min(1.0, weight / affected.weight), 4),
        lift=lift(weight, affected.weight, other, others.weight),
    )


def _order(each: Contributor) -> tuple[float, float, str, str]:
    return -each.lift, -each.share, each.dimension, each.value
