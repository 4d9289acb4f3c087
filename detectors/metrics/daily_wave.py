"""What a series does in the course of a day: a level at each full hour, straight lines between them."""

from msgspec import Struct, field

from detectors.dense import Column
from detectors.metrics.pace import Pace

HOURS = 24
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
A_DAY = 0.3
"""What a day's values weigh in the level of their hour."""
SPREAD_S = 14 * DAY_S
SPREAD = 1.48
"""Standard deviations of a normal distribution in its squared mean square root of absolute values."""


class DailyWave(Struct, array_like=True):
    """Levels by hour of day. `root`: mean square root of distances from the lines; outliers weigh little."""

    levels: Column = field(default_factory=lambda: Column([0.0] * HOURS))
    counts: list[int] = field(default_factory=lambda: [0] * HOURS)
    root: float = 0.0
    rows: int = 0

    def expected(self, hour: float) -> float | None:
        """The value at an hour of the day, in [0, 24); None while it is not known."""
        at = int(hour)
        share, then = hour - at, (at + 1) % HOURS
        if not self.counts[at] or (share and not self.counts[then]):
            return None
        levels = self.levels.values
        return (1 - share) * levels[at] + share * levels[then]

    @property
    def spread(self) -> float:
        """The standard deviation about the wave, of those values that are no outliers."""
        return SPREAD * self.root**2

    def learn(self, hour: float, value: float, error: float | None, pace: Pace) -> None:
        """One value. `error`: value less what was expected, clipped; None where nothing was."""
        self.rows += 1
        at = int(hour)
        share, then = hour - at, (at + 1) % HOURS
        least = 1 - (1 - A_DAY) ** min(1.0, pace.step / HOUR_S)
        if error is not None:
            weight = max(1 - 0.5 ** (pace.gap / SPREAD_S), 1 / self.rows)
            self.root += weight * (abs(error) ** 0.5 - self.root)
        self.counts[at] += 1
        levels = self.levels.values
        pull = value - levels[at] if error is None else error
        first = self.counts[at] == 1
        levels[at] += pull if first else max(least, 1 / self.counts[at]) * (1 - share) * pull
        if self.counts[then]:
            levels[then] += max(least, 1 / (self.counts[then] + 1)) * share * (error or 0.0)
        elif share > 0.5:  # noqa: PLR2004 - nearer to the next full hour
            levels[then], self.counts[then] = value, 1

    def move(self, by: float) -> None:
        """The whole wave lies elsewhere."""
        self.levels.values = [each + by for each in self.levels.values]
