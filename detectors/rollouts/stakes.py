"""A stake of 1 spread over strata, of which more may come."""

from math import log

from msgspec import Struct

from detectors.dense import Number
from detectors.rollouts.scores import log_sum


class Stakes(Struct, array_like=True):
    """`entered`: ln of what all had when each one entered; `won`: ln of the factor by which it has grown.

    A stratum that is new takes an equal part of what there is by then, so that the total stays a martingale
    however many come, and is their mean where all come before anything is known. So each one's part of the
    stake is what all had when it entered over how many there are. `shares`: these, as they were kept once.
    """

    shares: list[float] = []
    won: list[Number] = []
    entered: list[Number] = []

    def __post_init__(self) -> None:
        """What was kept once is read."""
        if self.shares:
            self.entered = [share + log(len(self.shares)) for share in self.shares]
            self.shares = []

    def enter(self) -> None:
        """A further stratum."""
        self.entered.append(self.total)
        self.won.append(0)

    @property
    def total(self) -> Number:
        """Logarithm of what all have."""
        if not any(self.won) and not any(self.entered):
            return 0
        has = [entered + won for entered, won in zip(self.entered, self.won, strict=True)]
        return log_sum(has) - log(len(has))

    @property
    def best(self) -> int:
        """Which has grown most."""
        return max(range(len(self.won)), key=self.won.__getitem__)
