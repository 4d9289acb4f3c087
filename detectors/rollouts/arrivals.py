"""Whether sessions arrive in the arms as the router draws them: a beta-binomial e-process.

Sessions of one arm that are lost before they are told of would make the comparison meaningless. The share
that is seen is tried against the router's by two beta priors around it, one tight and one broad.
"""

from math import exp, lgamma, log

from msgspec import Struct

from detectors.dense import Number

TIGHT, BROAD = 25.0, 1.0
"""Canaries' pseudo-counts of the priors: a share that is off by a fifth, and by any factor."""


ABSENT = log(1e-5)
"""An arm of which nothing comes for so long that chance would hardly do it does not take part: no data."""


class Arrivals(Struct, array_like=True):
    """One stratum. `settled`: logarithm of the evidence of earlier steps; the counts are of this step.

    `alone`: sessions of one arm since the other was last seen, canaries if `alone_canary`. They count when
    the other comes back soon enough.
    """

    settled: Number = 0
    canaries: int = 0
    all: int = 0
    alone: int = 0
    alone_canary: bool = False

    def count(self, canaries: int, sessions: int, share: float | None) -> None:
        """Sessions of a block."""
        if canaries in {0, sessions} and (not self.alone or self.alone_canary is (canaries > 0)):
            self.alone += sessions
            self.alone_canary = canaries > 0
            return
        if share is not None and 0 < share < 1:
            own = share if self.alone_canary else 1 - share
            if self.alone * log(own) >= ABSENT:
                self.canaries += self.alone * self.alone_canary
                self.all += self.alone
        self.alone = 0
        self.canaries += canaries
        self.all += sessions

    def evidence(self, share: float | None) -> float:
        """Logarithm of the evidence that the share is another one; without a share there is none."""
        if share is None or not 0 < share < 1 or not self.all:
            return self.settled
        tight, broad = (self._against(share, weight) for weight in (TIGHT, BROAD))
        top = max(tight, broad)
        return self.settled + top + log((exp(tight - top) + exp(broad - top)) / 2)

    def _against(self, share: float, weight: float) -> float:
        rarer = min(share, 1 - share)
        ours, theirs = weight * share / rarer, weight * (1 - share) / rarer
        others = self.all - self.canaries
        seen = _log_beta(ours + self.canaries, theirs + others) - _log_beta(ours, theirs)
        return seen - self.canaries * log(share) - others * log(1 - share)

    def step(self, share: float | None) -> None:
        """Another share holds from here on; `share` is the one that held."""
        self.settled = self.evidence(share)
        self.canaries = self.all = self.alone = 0


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)
