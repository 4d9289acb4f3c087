"""A shift that holds: where it began, and from then on whether it still does.

A likelihood ratio between the new level and the reference's: as it grows so does the confidence; when it has
fallen far enough from its peak, inputs look like the reference again (Page 1954, on the ratio turned round).
"""

from collections.abc import Iterable, Sequence
from math import copysign, exp, sqrt

from msgspec import Struct

from detectors.inputs.quantities import Quantity
from detectors.inputs.recent_inputs import RecentInputs

CALM = 7.0
"""Fall of the log likelihood ratio, about ln 1000, that ends a shift."""
STRETCH = 32
"""Inputs since the peak that must pass before a shift ends; inputs after the alarm that settle its level."""
GIVEN_UP_S = 86400.0
"""Without any input that could show it for so long, in seconds, a shift holds no longer."""
_STEP = 3.0
"""The most that one input may say."""
_LEAST_VARIANCE = 1e-3
_SHORTEST = 8
_CLEARLY = 1.3
"""How much more a later channel must say than an earlier one, which is easier to tell of."""
_LEAST_SHIFT = 0.25
"""Standard deviations: a smaller shift is weighed as this one, so that it ends some time."""

Channel = tuple[int, int]
"""A quantity's number, and of its channels one."""


class Hold(Struct, array_like=True):
    """A shift that holds. Times in POSIX seconds.

    `level`: the channel's mean over the first `seen` inputs since the onset. `inputs`: since the alarm,
    `calm`: since the peak of the evidence.
    """

    opened: float
    onset: float
    quantity: int
    channel: int
    level: float
    seen: int
    evidence: float = 0.0
    peak: float = 0.0
    inputs: int = 0
    calm: int = 0

    @property
    def confidence(self) -> float:
        """Chance that it is real, in [0.01, 0.99]: even at the alarm, then by what came after it alone."""
        return min(0.99, max(0.01, 1 / (1 + exp(-self.evidence))))

    def weigh(self, kind: Quantity, raw: float) -> bool:
        """One input's raw value of the quantity that moved; returns whether the shift is over."""
        usual, value = kind.means[self.channel], kind.values(raw)[self.channel]
        variance = max(kind.spread_at(self.channel, self.level), _LEAST_VARIANCE)
        least = _LEAST_SHIFT * sqrt(variance)
        shift = copysign(max(least, abs(self.level - usual)), self.level - usual)
        self._count(shift / variance * (value - usual - shift / 2), value)
        return self.calm >= STRETCH and self.peak - self.evidence >= CALM

    def _count(self, step: float, value: float) -> None:
        self.evidence += min(_STEP, max(-_STEP, step))
        self.calm += 1
        if self.evidence > self.peak:
            self.peak = self.evidence
            self.calm = 0
        self.inputs += 1
        if self.inputs <= STRETCH:
            self.seen += 1
            self.level += (value - self.level) / self.seen


def opened(
    quantities: Sequence[Quantity], channels: Iterable[Channel], first: int, now: float, recent: RecentInputs
) -> Hold | None:
    """The shift of the channel that moved most, if any moved in a way worth telling.

    `channels`: those that may have, the easier to tell of first. `first`: row of `recent` to look from.
    """
    best, telling = 0.0, None
    for quantity, channel in channels:
        kind = quantities[quantity]
        moved = [kind.values(raw)[channel] - kind.means[channel] for raw in recent.raws(quantity)[first:]]
        weight, length = _change(moved)
        level = kind.means[channel] + sum(moved[-length:]) / length
        weight /= max(kind.spread_at(channel, level), _LEAST_VARIANCE)
        if weight > _CLEARLY * best and kind.tells(channel, level):
            best = weight
            telling = Hold(now, recent.times[-length], quantity, channel, level, length)
    return telling


def _change(moved: Sequence[float]) -> tuple[float, int]:
    """The ending of the sequence whose mean lies farthest from 0, by likelihood: (sum² / length, length)."""
    best, length, total = -1.0, len(moved), 0.0
    for taken, value in enumerate(reversed(moved), start=1):
        total += value
        weight = total * total / taken
        if weight > best and taken >= min(_SHORTEST, len(moved)):
            best, length = weight, taken
    return best, length
