"""Tells when inputs leave their reference (ADWIN on every channel), and when they are like it again."""

from collections.abc import Sequence

from msgspec import Struct

from detectors.inputs.adaptive_window import AdaptiveWindows
from detectors.inputs.holding import Hold, opened
from detectors.inputs.quantities import Quantity
from detectors.inputs.recent_inputs import RecentInputs


class Saved(Struct, array_like=True):
    """A tracker's state."""

    windows: bytes
    armed: float
    hold: Hold | None


class ShiftTracker:
    """Watches quantities that are told as one: those of one field."""

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
            if self.hold.weigh(self._quantities[self.hold.quantity], raws[self.hold.quantity]):
                self._rearm(now)
            return
        values: list[float] = []
        for quantity, raw in zip(self._quantities, raws, strict=True):
            values += quantity.values(raw)
        changed = self._windows.update(values)
        if changed:
            for at in changed:
                self._refill(at)
            channels = [self._channels[at] for at in changed]
            self.hold = opened(self._quantities, channels, recent.since(self._armed), now, recent)

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._windows.save(), self._armed, self.hold)
