"""One percentile of a part's durations, over five minutes, against its own history: only up matters.

Whether it is worth a person's time says the history of five-minute values: half as much again as usual, and a
quarter above the highest in a thousand. It is told when it lasts, or at once where `MetricAnomaly` on the
logarithm finds what it never did; where that is not asked, from a third above the highest on, or more while
the history is short.
"""

from math import log

from msgspec import Struct, field

from detectors.dense import single, singles
from detectors.latencies.sketch import Sketch
from detectors.metric import Memory, MetricAnomaly
from schemas.wire import moment

REMEMBERED = 64
"""Distinct values that `MetricAnomaly` remembers: few, for the history guards against its false alarms."""
WARM_UP = 6
MOST_QUIET = 4032
"""Two weeks of values that lie five minutes apart."""
RATIO, ABOVE_HIGH, HIGH = 1.5, 1.25, 0.999
CAREFUL = 12.0
"""With as few values as this the ratio must be twice as large, with more the less so; …"""
CLEARLY = 24.0
"""… with as few as this `CLEAR` is twice as large."""
CLEAR = 1.34
"""Times the highest in a thousand from which on what is not remembered closely is told at once."""
LEAST_EXTRA_S = 0.1
RECOVERED = 0.5
"""Recovered below this share of the way from the usual value to one worth telling."""
SUSPECT_S, LONG_S = 900.0, 600.0
"""Told within the one of what it never did, or after the other: for a level that it had before."""


class Percentile(Struct, array_like=True):
    """`quiet`: values five minutes apart, slow times left out. POSIX seconds, 0 for not: `suspect`, `above`.

    It is suspect when it last did what it never did, as far as there is a `memory` of it; above since when it
    is worth telling. `clear`: from which level on it is told at once without a memory.
    """

    memory: Memory | None = None
    quiet: Sketch = field(default_factory=Sketch)
    suspect: float = 0.0
    above: float = 0.0
    usual: float = 0.0
    worth: float = 0.0
    clear: float = 0.0

    def judge(self, began: float, at: float, level: float) -> bool:
        """Whether a value in seconds, its last minute from `began` to `at`, is worth telling."""
        if self._is_odd(at, level):
            self.suspect = at
        if not self.worth or level < self.worth:
            self.above = 0.0
            return False
        self.above = self.above or began
        return at - self.suspect <= SUSPECT_S or at - self.above >= LONG_S

    def _is_odd(self, at: float, level: float) -> bool:
        """Whether it did what it never did, as far as is known."""
        if self.memory is None:
            return 0 < self.clear <= level
        anomaly = MetricAnomaly("up", REMEMBERED, self.memory)
        score = anomaly.score_one(moment(at), single(log(level)))
        _thin(self.memory)
        return score >= anomaly.threshold

    def learn(self, level: float) -> None:
        """A value of quiet times."""
        self.quiet.add((level,))
        self.quiet.fade(MOST_QUIET)
        self.settle()

    def settle(self) -> None:
        """Says anew what is usual, and what is worth telling."""
        count = self.quiet.count
        if count >= WARM_UP:
            usual = self.usual = self.quiet.quantile(0.5)
            high = self.quiet.quantile(HIGH)
            self.worth = max(RATIO * (1 + CAREFUL / count) * usual, ABOVE_HIGH * high, usual + LEAST_EXTRA_S)
            self.clear = max(self.worth, CLEAR * (1 + CLEARLY / count) * high)

    @property
    def recovered(self) -> float:
        """Seconds below which nothing is slow any more."""
        return self.usual + RECOVERED * (self.worth - self.usual)

    @property
    def confidence(self) -> float:
        """The chance that the next quiet value is no higher, had none of the quiet ones been (Laplace)."""
        return 1 - 1 / (self.quiet.count + 2)


def _thin(memory: Memory) -> None:
    """Levels to 32 bits: a hundred-thousandth of a bin of the logarithms that they are of."""
    level, season, departure = memory.level, memory.season, memory.departure
    for each in (level.known, season.known, memory.hours, departure.wave.levels, departure.recent):
        each.values = singles(each.values)
