"""How much will have been spent at the end of a period: expected, and an interval around it.

What is left is the usual hours that are left times the present level. Its variance has three parts: of the
days to come, of the mean that was learnt from few days, and of the level. It is taken for log-normal.
"""

from math import erf, exp, log

from msgspec import Struct

from detectors.costs.hourly import Usual
from detectors.costs.periods import HOUR_S

WITHIN = 1.2816
"""Standard deviations either way that leave a tenth outside on each side."""


NOTHING = 1e-9
"""Share of a day's money below which none is left."""


class Forecast(Struct, frozen=True):
    """USD: `spent` so far, `left` expected until the end; `spread`: deviation of the logarithm of `left`."""

    spent: float
    left: float
    spread: float

    @property
    def total(self) -> float:
        """Expected at the end."""
        return self.spent + self.left

    @property
    def interval(self) -> tuple[float, float]:
        """The total that nine in ten exceed, and that one in ten exceeds."""
        middle = self.left * exp(-(self.spread**2) / 2)
        low, high = (exp(sign * WITHIN * self.spread) for sign in (-1, 1))
        return self.spent + middle * low, self.spent + middle * high

    def chance(self, total: float) -> float:
        """That so much will have been spent."""
        if self.spent >= total:
            return 1.0
        if self.left <= 0 or self.spread <= 0:
            return 0.0
        beyond = (log((total - self.spent) / self.left) + self.spread**2 / 2) / self.spread
        return 0.5 * (1 - erf(beyond / 2**0.5))


def hours_left(usual: Usual, hour_s: float, end_s: float) -> list[float]:
    """Usual USD in each whole hour after the one that began at `hour_s`, up to the end."""
    return [usual.of(hour_s + at * HOUR_S) for at in range(1, round((end_s - hour_s) / HOUR_S))]


def forecast(spent: float, left: float, usual: Usual, level: tuple[float, float]) -> Forecast:
    """`left`: usual USD until the end. `level`: its factor, and the spread of its logarithm."""
    factor, doubt = level
    if left <= NOTHING * usual.day:
        return Forecast(spent, 0.0, 0.0)
    days = left / usual.day
    relative = usual.variance / usual.day**2 * (1 / days + 1 / usual.days) + doubt**2
    return Forecast(spent, factor * left, log(1 + relative) ** 0.5)
