"""Evidence that values no longer rank among the reference's as the reference's own do.

A value's rank among n others like it is uniform, whatever their distribution (conformal p-value; Vovk,
Gammerman & Shafer 2005). A betting score whose mean over the ranks is 1 makes an e-value of it (Vovk & Wang
2021); the recursion of Shiryaev and Roberts sums up the evidence over all times at which the change may have
come: on texts like the reference it takes at least as many of them as its threshold says, on average, until
that is reached.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

SETTINGS = ((0.1, 0.25), (0.4, 0.4))
"""Share of the values that a change is taken to concern, and how far out they lie: the power of p."""
_CUT = 2
"""The ranks before count as this one: the farthest out are few."""

Gains = tuple["array[float]", "array[float]"]


@lru_cache(maxsize=16)
def gains(size: int) -> Gains:
    """E-values of both `SETTINGS` by rank among `size` others, 0 the farthest out.

    p is raised by its standard error: a reference may by chance lack values that are out there.
    """
    wide, narrow = (array("d", _gains(size, share, power)) for share, power in SETTINGS)
    return wide, narrow


def _gains(size: int, share: float, power: float) -> list[float]:
    ranks = [(max(rank, min(_CUT, size)) + 0.5) / (size + 1) for rank in range(size + 1)]
    mean = sum(power * p ** (power - 1) for p in ranks) / len(ranks)
    guarded = [min(1.0, p + sqrt(p * (1 - p) / max(1, size))) for p in ranks]
    return [1 - share + share * power * p ** (power - 1) / mean for p in guarded]


class RankEvidence:
    """Evidence over several channels; each has a reference of its own.

    `sizes`: of the channels' references, `weights` of the channels. `sums`: the recursion's, two a channel.
    """

    __slots__ = ("_gains", "_sizes", "_weights", "sums")

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], sums: Sequence[float] = ()) -> None:
        """`sums`: as they were saved."""
        self._sizes = tuple(sizes)
        self._gains = [gains(size) for size in sizes]
        total = sum(weights) * len(SETTINGS)
        self._weights = [weight / total for weight in weights]
        self.sums = list(sums) or [0.0] * (len(SETTINGS) * len(self._sizes))

    def forget(self) -> None:
        """Begins anew."""
        self.sums = [0.0] * len(self.sums)

    def take(self, ranks: Sequence[tuple[int, int]]) -> float:
        """One value for each channel; returns the evidence: the weighted mean of the sums.

        `ranks`: how many of the reference lie farther out, and how many as far out or farther. Among those as
        far out it takes the middle rank: of a convex score that is at most their mean.
        """
        whole, at, sums = 0.0, 0, self.sums
        for (first, last), (wide, narrow), weight in zip(ranks, self._gains, self._weights, strict=True):
            rank = (first + last + 1) >> 1
            sums[at] = one = (sums[at] + 1) * wide[rank]
            sums[at + 1] = two = (sums[at + 1] + 1) * narrow[rank]
            whole += weight * (one + two)
            at += 2
        return whole

    def leading(self) -> int:
        """The channel with the most evidence."""
        shares = [
            weight * (self.sums[2 * at] + self.sums[2 * at + 1]) for at, weight in enumerate(self._weights)
        ]
        return shares.index(max(shares))
