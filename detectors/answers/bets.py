"""Bets that a mean rose above what is allowed: an e-detector with mass per second, for grades in [0, 1].

Shiryaev-Roberts mixture (Shin, Ramdas & Rinaldo, arXiv:2203.03532) of betting e-processes (Waudby-Smith &
Ramdas, arXiv:2010.09686). For an alternative mean q a grade x multiplies M by (q/r)^x ((1-q)/(1-r))^(1-x).
That is at most the bet x q/r + (1-x) (1-q)/(1-r), whose mean is at most 1 while the mean grade is at most r.
It takes grades for chances. Where they spread less, a bet 1 + s y with y = (x-r)/r gains more; that is at
least exp(s y + (log(1-s) + s) y^2) for s in [0, 1) and y >= -1, for which sums are enough (Fan, Grama & Liu,
doi:10.1214/EJP.v20-3496).
So M - t stays a supermartingale, and alarming when the mean of the M reaches c makes the mean time to a false
alarm at least c seconds, whatever the traffic.
"""

from functools import lru_cache
from math import exp, log
from typing import Self

from msgspec import Struct, field

from detectors.dense import Number

RISES = (0.03, 0.06, 0.12, 0.25, 0.5, 0.8)
"""Alternatives: so far from what is allowed towards 1."""
STAKES = (0.05, 0.12, 0.3, 0.6)
"""Stakes s of the further bets on grades that spread less than chances do."""
IDLE_CAP_S = 600.0
STEEPEST = 60.0

_SIZE = len(RISES)


class Cell(Struct, frozen=True):
    """Grades of a few seconds that ended at `at`: how many, their sum, and when the first bad one came.

    `squares`: the sum of their squares; the others bet without it.
    """

    at: float
    total: float
    bad: float
    first_bad: float
    squares: float = 0.0


class Bets(Struct, array_like=True):
    """The state: M and CUSUM by alternative, with `[since, grades, their sum]` where a CUSUM is above 0."""

    at: Number = 0
    mass: list[Number] = field(default_factory=lambda: [0] * _SIZE)
    evidence: list[Number] = field(default_factory=lambda: [0] * _SIZE)
    rises: list[list[float]] = field(default_factory=lambda: [[] for _ in RISES])

    @classmethod
    def of_scores(cls) -> Self:
        """With further bets, for grades that spread less than chances do."""
        size = _SIZE + len(STAKES)
        return cls(mass=[0] * size, evidence=[0] * size, rises=[[] for _ in range(size)])

    def step(self, cell: Cell, allowed: float) -> None:
        """The next cell; `allowed`: r, in (0, 1)."""
        seconds = min(cell.at - self.at, IDLE_CAP_S) if self.at else 0.0
        self.at = cell.at
        for each, (by_total, by_bad, by_squares) in enumerate(_steps(allowed)[: len(self.mass)]):
            gain = cell.total * by_total + cell.bad * by_bad + cell.squares * by_squares
            self.mass[each] = (self.mass[each] + seconds) * exp(min(STEEPEST, gain))
            after = self.evidence[each] + gain
            since, total, bad = self.rises[each] or (cell.first_bad, 0.0, 0.0)
            self.evidence[each] = max(0, after)
            self.rises[each] = [since, total + cell.total, bad + cell.bad] if after > 0 else []

    @property
    def level(self) -> float:
        """The mean of M, in seconds: alarm when it reaches c."""
        return sum(self.mass) / len(self.mass)

    @property
    def rise(self) -> list[float]:
        """Under the alternative that the grades favour most: since when, how many, their sum; or empty."""
        return self.rises[max(range(len(self.rises)), key=self.evidence.__getitem__)]


@lru_cache(maxsize=512)
def _steps(allowed: float) -> tuple[tuple[float, float, float], ...]:
    """What a grade adds to the logarithm of each bet: for itself, by its badness and by its square."""
    means = [allowed + share * (1 - allowed) for share in RISES]
    chances = [(log(mean / allowed), log((1 - mean) / (1 - allowed))) for mean in means]
    curves = [(stake, log(1 - stake) + stake) for stake in STAKES]
    return (
        *((down, up - down, 0.0) for up, down in chances),
        *((curve - stake, (stake - 2 * curve) / allowed, curve / allowed**2) for stake, curve in curves),
    )
