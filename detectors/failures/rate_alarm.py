"""When a failure rate rises above what is allowed: an e-detector with mass per second.

Shiryaev-Roberts mixture (Shin, Ramdas & Rinaldo, "E-detectors", arXiv:2203.03532): for each alternative rate
p M <- (M + seconds)·(p/r)^bad·((1-p)/(1-r))^good. While the true rate is at most r, M - t is a
supermartingale, so alarming when the mean of the M reaches c makes the mean time to a false alarm at least c
seconds whatever the traffic. Beside each M runs its CUSUM, whose last departure from zero is the likeliest
onset.
"""

from functools import lru_cache
from math import exp, log

from msgspec import Struct

from detectors.dense import Number

MULTIPLES = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
CATASTROPHE = 0.9
IDLE_CAP_S = 600.0
STEEPEST = 60.0

_SIZE = len(MULTIPLES) + 1


class Cell(Struct, frozen=True):
    """Counts of a few seconds that ended at `at`; `first_bad`: its first failure, or `at`.

    `repeated`: failures that came with another one of the same session (calls in parallel are one decision);
    they are no evidence of their own, for or against.
    """

    at: float
    total: int
    bad: int
    first_bad: float
    repeated: int = 0


class Onset(Struct, array_like=True, frozen=True):
    """Where a rise began: POSIX seconds of its first failure, and what happened from there on."""

    at: float
    total: int
    bad: int


class RateAlarm(Struct, array_like=True):
    """The state: M and CUSUM by alternative, none while all are 0: most alarms have nothing to watch.

    Counts come in cells of a few seconds, in order of time. Silence earns at most ten minutes of mass: less
    mass only lengthens the time to a false alarm.
    """

    at: Number = 0
    mass: list[Number] = []
    evidence: list[Number] = []
    onsets: list[Onset | None] = []

    def step(self, cell: Cell, allowed: float) -> None:
        """The next cell; `allowed`: r, in (0, 1)."""
        seconds = min(cell.at - self.at, IDLE_CAP_S) if self.at else 0.0
        self.at = cell.at
        steps = _steps(allowed)
        good, bad = cell.total - cell.bad, cell.bad - cell.repeated
        self.mass = self.mass or [0] * _SIZE
        if bad:
            for each, (up, down) in enumerate(steps):
                step = exp(min(STEEPEST, bad * up + good * down))
                self.mass[each] = (self.mass[each] + seconds) * step
        else:
            self._fade(steps, good, seconds)
        if bad or any(self.evidence):
            self._follow(steps, good, bad, cell)

    def _fade(self, steps: tuple[tuple[float, float], ...], good: int, seconds: float) -> None:
        """A cell without failures: its seconds come evenly before its trials, as a geometric sum."""
        for each, (_, down) in enumerate(steps):
            one, all_ = exp(down), exp(good * down)
            self.mass[each] = self.mass[each] * all_ + seconds / good * one * (1 - all_) / (1 - one)

    def _follow(self, steps: tuple[tuple[float, float], ...], good: int, bad: int, cell: Cell) -> None:
        if not self.evidence:
            self.evidence, self.onsets = [0] * _SIZE, [None] * _SIZE
        for each, (up, down) in enumerate(steps):
            before = self.onsets[each] or Onset(cell.first_bad, 0, 0)
            after = self.evidence[each] + bad * up + good * down
            self.evidence[each] = max(0, after)
            self.onsets[each] = (
                Onset(before.at, before.total + cell.total, before.bad + cell.bad) if after > 0 else None
            )
        if not any(self.evidence):
            self.evidence, self.onsets = [], []

    @property
    def level(self) -> float:
        """The mean of M, in seconds: alarm when it reaches c."""
        return sum(self.mass) / _SIZE

    @property
    def onset(self) -> Onset | None:
        """The onset under the alternative that the data favour most, or None while nothing rises."""
        if not self.evidence:
            return None
        return self.onsets[max(range(_SIZE), key=self.evidence.__getitem__)]

    def reset(self) -> None:
        """Forgets all evidence; the next cell earns no mass for the time before it."""
        self.at = 0
        self.mass, self.evidence, self.onsets = [], [], []


@lru_cache(maxsize=512)
def _steps(allowed: float) -> tuple[tuple[float, float], ...]:
    """Log factors of a failure and of a success, by alternative; every alternative lies above `allowed`."""
    middle = (1 + allowed) / 2
    rates = [min(multiple * allowed, middle) for multiple in MULTIPLES] + [max(CATASTROPHE, middle)]
    return tuple((log(rate / allowed), log((1 - rate) / (1 - allowed))) for rate in rates)
