"""The clock of one series: never goes back, and knows the usual step between two values."""

from math import exp, log

from msgspec import Struct

REFERENCE_S = 300.0
"""The step at which evidence counts as it is; finer steps count less, coarser ones more."""
SLOWEST, FASTEST = 12.0, 1 / 30
LEAST_WEIGHT = 0.01
BACK_S = 3600.0
"""A time further back than this is a clock that was set, and goes on from there; less is a late value."""


class Pace(Struct, array_like=True):
    """`now`: seconds of the series' own time since its first value. `rows`: values before the present one."""

    now: float = 0.0
    gap: float = 0.0
    rows: int = 0
    last: float = 0.0
    gaps: int = 0
    log_step: float = 0.0

    def move(self, at: float) -> None:
        """To a value at POSIX seconds `at`: a jump of the clock back is one usual step forward."""
        gap = at - self.last if self.rows else 0.0
        if gap < -BACK_S:
            gap, self.last = self.step, at
        elif gap < 0:
            gap = 0.0
        else:
            self.last = at
        self.now += gap
        self.gap = gap
        if gap > 0:
            self.gaps += 1
            self.log_step += max(1 / self.gaps, LEAST_WEIGHT) * (log(gap) - self.log_step)

    @property
    def step(self) -> float:
        """Seconds between two values: a slowly moving geometric mean."""
        return exp(self.log_step) if self.gaps else REFERENCE_S

    @property
    def rate(self) -> float:
        """The step over five minutes, within bounds."""
        return min(SLOWEST, max(FASTEST, self.step / REFERENCE_S))
