"""Bets that a mean rose above what is allowed: an e-detector with mass per second, for grades in [0, 1].

Shiryaev-Roberts mixture (Shin, Ramdas & Rinaldo, arXiv:2203.03532) of betting e-processes (Waudby-Smith &
Ramdas, arXiv:2010.09686). For an alternative mean q a grade x multiplies M by (q/r)^x ((1-q)/(1-r))^(1-x).
That is at most the bet x q/r + (1-x) (1-q)/(1-r), whose mean is at most 1 while the mean grade is at most r.
So M - t stays a supermartingale, and alarming when the mean of the M reaches c makes the mean time to a false
alarm at least c seconds, whatever the traffic.
"""

from functools import lru_cache
from math import exp, log

from msgspec import Struct, field

RISES = (0.03, 0.06, 0.12, 0.25, 0.5, 0.8)
"""Alternatives: so far from what is allowed towards 1."""
IDLE_CAP_S = 600.0
STEEPEST = 60.0

_SIZE = len(RISES)


class Cell(Struct, frozen=True):
    """Grades of a few seconds that ended at `at`: how many, their sum, and when the first bad one came."""

    at: float
    total: float
    bad: float
    first_bad: float


class Bets(Struct, array_like=True):
    """The state: M and CUSUM by alternative, with `[since, grades, their sum]` where a CUSUM is above 0."""

    at: float = 0.0
    mass: list[float] = field(default_factory=lambda: [0.0] * _SIZE)
    evidence: list[float] = field(default_factory=lambda: [0.0] * _SIZE)
    rises: list[list[float]] = field(default_factory=lambda: [[] for _ in RISES])

    def step(self, cell: Cell, allowed: float) -> None:
        """The next cell; `allowed`: r, in (0, 1)."""
        seconds = min(cell.at - self.at, IDLE_CAP_S) if self.at else 0.0
        self.at = cell.at
        for each, (up, down) in enumerate(_steps(allowed)):
            gain = cell.bad * up + (cell.total - cell.bad) * down
            self.mass[each] = (self.mass[each] + seconds) * exp(min(STEEPEST, gain))
            after = self.evidence[each] + gain
            since, total, bad = self.rises[each] or (cell.first_bad, 0.0, 0.0)
            self.evidence[each] = max(0.0, after)
            self.rises[each] = [since, total + cell.total, bad + cell.bad] if after > 0 else []

    @property
    def level(self) -> float:
        """The mean of M, in seconds: alarm when it reaches c."""
        return sum(self.mass) / _SIZE

    @property
    def rise(self) -> list[float]:
        """Under the alternative that the grades favour most: since when, how many, their sum; or empty."""
        return self.rises[max(range(_SIZE), key=self.evidence.__getitem__)]


@lru_cache(maxsize=512)
def _steps(allowed: float) -> tuple[tuple[float, float], ...]:
    """Log factors of a bad and of a good grade, by alternative."""
    means = [allowed + share * (1 - allowed) for share in RISES]
    return tuple((log(mean / allowed), log((1 - mean) / (1 - allowed))) for mean in means)
