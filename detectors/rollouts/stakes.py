"""A stake of 1 spread over strata, of which more may come."""

from math import log

from msgspec import Struct

from detectors.rollouts.scores import log_sum


class Stakes(Struct, array_like=True):
    """`shares`: ln of each one's part of the stake; `won`: ln of the factor by which it has grown.

    A stratum that is new takes an equal part of what there is by then, so that the total stays a martingale
    however many come, and is their mean where all come before anything is known.
    """

    shares: list[float] = []
    won: list[float] = []

    def enter(self) -> None:
        """A further stratum."""
        count = len(self.shares)
        total = self.total
        self.shares = [share + log(count / (count + 1)) for share in self.shares]
        self.shares.append(total - log(count + 1))
        self.won.append(0.0)

    @property
    def total(self) -> float:
        """Logarithm of what all have."""
        if not self.shares:
            return 0.0
        return log_sum([share + won for share, won in zip(self.shares, self.won, strict=True)])

    @property
    def best(self) -> int:
        """Which has grown most."""
        return max(range(len(self.won)), key=self.won.__getitem__)
