"""What to tell of a shift that holds: what moved from where to where, for whom, and which way it goes."""

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

from detectors.inputs.holding import Hold
from detectors.inputs.quantities import Quantity, Told
from detectors.inputs.recent_inputs import RecentInputs
from schemas.signal import Blast

_TURNS = 2.0
"""Standard errors by which the latter half since the onset must differ from the former to be a trend."""


class Story(Struct, frozen=True):
    """The told parts of a finding; `told` says what `observed`, its usual value and `history` are."""

    told: Told
    observed: float
    blast: Blast
    history: Sequence[float]
    trend: str

    @property
    def ratio(self) -> float | None:
        """Observed over usual, or None where it never occurred before."""
        return self.observed / self.told.usual if self.told.usual > 0 else None


def story(quantities: Sequence[Quantity], hold: Hold, recent: RecentInputs) -> Story:
    """The story of a shift by the inputs still in the table since its onset."""
    quantity, column = quantities[hold.quantity], recent.raws(hold.quantity)
    start = min(recent.since(hold.onset), len(column) - 1)
    raws = column[start:]
    unlike = [at for at, raw in enumerate(raws, start) if quantity.unlike(raw, hold.channel, hold.level)]
    shown = [quantity.shown(raw, hold.channel) for raw in column]
    since = shown[start:]
    share = quantity.affected(raws, hold.channel)
    return Story(
        quantity.told(hold.channel),
        sum(since) / len(since),
        recent.blast(unlike, share, hold.onset),
        recent.by_minute(shown),
        _trend(since),
    )


def _trend(values: Sequence[float]) -> str:
    half = len(values) // 2
    if half < 2:  # noqa: PLR2004 - a variance needs two values
        return ""
    former, latter = values[:half], values[half:]
    before, after = sum(former) / len(former), sum(latter) / len(latter)
    error = sqrt(_variance(former, before) / len(former) + _variance(latter, after) / len(latter))
    if abs(after - before) <= _TURNS * error:
        return "steady"
    return "rising" if after > before else "falling"


def _variance(values: Sequence[float], mean: float) -> float:
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)
