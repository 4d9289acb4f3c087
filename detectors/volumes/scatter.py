"""How much more arrivals scatter than chance alone would have it, and how far from chance a count is."""

from math import log

from msgspec import Struct

from detectors.dense import single

PRIOR = 20.0
A_FORTNIGHT = 1 / 1344
"""What a quarter of an hour weighs."""
CLIP = 9.0
"""Times the usual square, from which on a difference is a change and no scatter."""


class Scatter(Struct, array_like=True):
    """Half the squared differences between one quarter of an hour and the next, and what chance explains."""

    seen: float = PRIOR
    expected: float = PRIOR

    def factor(self, worth: int) -> float:
        """The variance over that of chance, at least 1, where each that is counted stands for so many."""
        return max(1.0, self.seen / self.expected) + worth - 1

    def learn(self, before: float, count: float, worth: int) -> None:
        """Two quarters of an hour that follow each other, but for what scatters as only a sample is counted.

        The coarser it is, the less it says; what is alike by chance is no debt.
        """
        mean = (before + count) / 2 / worth**2
        half = min(((count - before) / worth) ** 2 / 2, CLIP * self.factor(worth) * mean) - (worth - 1) * mean
        self.seen = single(max(0.0, self.seen + half - A_FORTNIGHT * (self.seen - PRIOR)))
        self.expected = single(self.expected + mean - A_FORTNIGHT * (self.expected - PRIOR))


def surprise(count: float, expected: float) -> float:
    """Nats by which a count is improbable: the exponent of Chernoff's bound on a Poisson tail."""
    if not count:
        return expected
    return expected - count + count * log(count / expected)
