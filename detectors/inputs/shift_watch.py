"""Quantities that are watched against their reference and told as one: a text's, or one field's."""

from collections.abc import Sequence

from msgspec import Struct

from detectors.inputs import recent_inputs, shift_tracking
from detectors.inputs.holding import Hold
from detectors.inputs.quantities import Quantity
from detectors.inputs.recent_inputs import RecentInputs, Who
from detectors.inputs.shift_story import Story, story
from detectors.inputs.shift_tracking import ShiftTracker

_MONTH_S = 30 * 86400.0
_MONTHLY = 10_000.0


def budgeted(delta: float, inputs: int, span_s: float) -> float:
    """ADWIN's `delta` for an agent with so many inputs in so many seconds.

    As given up to 10,000 inputs in 30 days, with more it falls in proportion: a false alarm costs a person
    the same at any traffic, so they are counted by time.
    """
    monthly = inputs / max(span_s, 1.0) * _MONTH_S
    return delta * min(1.0, _MONTHLY / monthly)


class Saved(Struct, array_like=True):
    """A watch's state."""

    delta: float
    tracker: shift_tracking.Saved
    recent: recent_inputs.Saved


class ShiftWatch:
    """Takes inputs one by one; `hold` is the shift that holds, if any."""

    __slots__ = ("_delta", "_quantities", "_recent", "_tracker")

    def __init__(
        self, quantities: Sequence[Quantity], delta: float, kept: int, saved: Saved | None = None
    ) -> None:
        """`delta`: of each ADWIN, in (0, 1). `kept`: inputs that onset and history can look back on."""
        self._quantities = quantities
        self._delta = saved.delta if saved else delta
        self._tracker = ShiftTracker(quantities, self._delta, saved.tracker if saved else None)
        self._recent = RecentInputs(len(quantities), kept, saved.recent if saved else None)

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._tracker.hold

    def take(self, now: float, who: Who, raws: Sequence[float]) -> None:
        """One input: a raw value for each quantity, at `now` (POSIX seconds, never decreasing)."""
        self._recent.append(now, who, raws)
        self._tracker.take(now, raws, self._recent)

    def story(self, hold: Hold) -> Story:
        """What to tell of the shift that holds."""
        return story(self._quantities, hold, self._recent)

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._delta, self._tracker.save(), self._recent.save())
