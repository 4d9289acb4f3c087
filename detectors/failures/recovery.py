"""When a failure rate is back at what is allowed: an e-detector of the end, the mirror of `rate_alarm`.

R <- (R + seconds)·((1-r)/(1-p))^good·(r/p)^bad, where r is the allowed rate and p that of the incident. While
the true rate is at least p, R - t is a supermartingale, so believing the end when R reaches `STILL_S` makes
the mean time to a false end at least that, whatever the traffic. Where little comes it takes as many trials,
and so longer.
"""

from math import exp, log, sqrt

from msgspec import Struct

from detectors.failures.rate_alarm import CATASTROPHE, IDLE_CAP_S, STEEPEST, Cell

STILL_S = 7 * 86400.0
"""c: a fault that lasts is taken for over once in this span at most, in expectation."""
MOST_S = 1e4 * STILL_S
"""More evidence than this is not kept: a fault that comes back is not to be outweighed for long."""
LEAST_TIMES = 2.0
"""An incident's rate is taken to be at least so many times the allowed one: else it could never be told."""


class Recovery(Struct, array_like=True):
    """The state: when it was last reckoned, and R in seconds."""

    at: float = 0.0
    evidence_s: float = 0.0

    def step(self, cell: Cell, allowed: float, rate: float) -> None:
        """The next cell of an incident; `rate`: p, see `rate_of`."""
        seconds = min(cell.at - self.at, IDLE_CAP_S)
        self.at = cell.at
        good, bad = cell.total - cell.bad, cell.bad - cell.repeated
        step = good * log((1 - allowed) / (1 - rate)) - bad * log(rate / allowed)
        self.evidence_s = min(MOST_S, (self.evidence_s + seconds) * exp(min(STEEPEST, step)))

    @property
    def shown(self) -> bool:
        """Whether the rate is shown to be back."""
        return self.evidence_s >= STILL_S


def rate_of(bad: int, total: int, allowed: float) -> float:
    """What an incident's rate is at least, with room for chance: Wilson's lower bound at one sigma.

    Above `allowed` and at most what `rate_alarm` calls a catastrophe.

    >>> round(rate_of(5, 5, 0.01), 2), round(rate_of(4, 40, 0.01), 3), round(rate_of(400, 4000, 0.01), 3)
    (0.83, 0.062, 0.095)
    """
    middle = (1 + allowed) / 2
    share = bad / total
    spread = sqrt(share * (1 - share) / total + 0.25 / total**2)
    least = (share + 0.5 / total - spread) / (1 + 1 / total)
    return min(max(least, min(LEAST_TIMES * allowed, middle)), max(CATASTROPHE, middle))
