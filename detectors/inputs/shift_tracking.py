"""Tells when inputs move away from their reference, and when they look like it again.

ADWIN on every channel says that something moved; a likelihood ratio between the new level and the reference's
says from then on whether it still holds: as it grows so does the confidence, when it has fallen far enough
from its peak the inputs look like the reference again (Page 1954, on the ratio turned round).
"""

from collections.abc import Sequence
from math import copysign, exp, sqrt

from msgspec import Struct

from detectors.inputs.adaptive_window import AdaptiveWindows
from detectors.inputs.quantities import Quantity
from detectors.inputs.recent_inputs import RecentInputs

CALM = 7.0
"""Fall of the log likelihood ratio, about ln 1000, that ends a shift."""
STRETCH = 32
"""Inputs since the peak that must pass before a shift ends; inputs after the alarm that settle its level."""
_STEP = 3.0
"""The most that one input may say."""
_LEAST_VARIANCE = 1e-3
_SHORTEST = 8
_CLEARLY = 1.3
"""How much more a later channel must say than an earlier one, which is easier to tell of."""
_LEAST_SHIFT = 0.25
"""Standard deviations: a smaller shift is weighed as this one, so that it ends some time."""


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

    def weigh(self, step: float, value: float) -> None:
        """One input's channel value, which changes the log likelihood ratio by `step`."""
        self.evidence += min(_STEP, max(-_STEP, step))
        self.calm += 1
        if self.evidence > self.peak:
            self.peak = self.evidence
            self.calm = 0
        self.inputs += 1
        if self.inputs <= STRETCH:
            self.seen += 1
            self.level += (value - self.level) / self.seen


class Saved(Struct, array_like=True):
    """A tracker's state."""

    windows: bytes
    armed: float
    hold: Hold | None


class ShiftTracker:
    """Watches quantities that are told as one: a text's, or one field's."""

    __slots__ = ("_armed", "_channels", "_quantities", "_windows", "hold")

    def __init__(self, quantities: Sequence[Quantity], delta: float, saved: Saved | None = None) -> None:
        """`delta`: of each ADWIN, in (0, 1)."""
        self._quantities = quantities
        self._channels = [(at, each) for at, kind in enumerate(quantities) for each in range(len(kind.means))]
        self._windows = AdaptiveWindows(delta, len(self._channels), saved.windows if saved else b"")
        self._armed = saved.armed if saved else float("-inf")
        self.hold = saved.hold if saved else None
        if saved is None:
            self._rearm(self._armed)

    def _rearm(self, now: float) -> None:
        self._armed = now
        self.hold = None
        for at in range(len(self._channels)):
            self._refill(at)

    def _refill(self, at: int) -> None:
        quantity, channel = self._channels[at]
        self._windows.refill(at, self._quantities[quantity].baseline(channel))

    def take(self, now: float, raws: Sequence[float], recent: RecentInputs) -> None:
        """One input's raw values, one a quantity, which are also the last row of `recent`."""
        if self.hold is not None:
            self._weigh(self.hold, now, raws)
            return
        values: list[float] = []
        for quantity, raw in zip(self._quantities, raws, strict=True):
            values += quantity.values(raw)
        changed = self._windows.update(values)
        if changed:
            self._open(changed, now, recent)

    def _open(self, changed: Sequence[int], now: float, recent: RecentInputs) -> None:
        first = recent.since(self._armed)
        best, telling = 0.0, None
        for at in changed:
            self._refill(at)
            quantity, channel = self._channels[at]
            kind = self._quantities[quantity]
            moved = [kind.values(raw)[channel] - kind.means[channel] for raw in recent.raws[quantity][first:]]
            weight, length = _change(moved)
            level = kind.means[channel] + sum(moved[-length:]) / length
            weight /= max(kind.spread_at(channel, level), _LEAST_VARIANCE)
            if weight > _CLEARLY * best and kind.tells(channel, level):
                best = weight
                telling = Hold(now, recent.times[-length], quantity, channel, level, length)
        self.hold = telling

    def _weigh(self, hold: Hold, now: float, raws: Sequence[float]) -> None:
        kind = self._quantities[hold.quantity]
        usual = kind.means[hold.channel]
        value = kind.values(raws[hold.quantity])[hold.channel]
        variance = max(kind.spread_at(hold.channel, hold.level), _LEAST_VARIANCE)
        least = _LEAST_SHIFT * sqrt(variance)
        shift = copysign(max(least, abs(hold.level - usual)), hold.level - usual)
        hold.weigh(shift / variance * (value - usual - shift / 2), value)
        if hold.calm >= STRETCH and hold.peak - hold.evidence >= CALM:
            self._rearm(now)

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._windows.save(), self._armed, self.hold)


def _change(moved: Sequence[float]) -> tuple[float, int]:
    """The ending of the sequence whose mean lies farthest from 0, by likelihood: (sum² / length, length)."""
    best, length, total = -1.0, len(moved), 0.0
    for taken, value in enumerate(reversed(moved), start=1):
        total += value
        weight = total * total / taken
        if weight > best and taken >= min(_SHORTEST, len(moved)):
            best, length = weight, taken
    return best, length
