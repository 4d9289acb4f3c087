"""The range of an evaluation's scores, told from the scores themselves, and which end of it is bad."""

from math import ceil, log2

from msgspec import Struct

RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0))
"""Ranges in use, the narrowest first."""
LOWER_IS_BETTER = ("toxic", "hallucinat", "harm", "bias", "error", "risk", "violation", "pii", "jailbreak")
"""Pieces of names of evaluations that are bad when they are high."""


class Scale(Struct, array_like=True):
    """The narrowest range that has all the scores seen."""

    low: float = 0.0
    high: float = 1.0

    def holds(self, score: float) -> bool:
        """Whether a score lies in it; if not, it is widened, and what was learnt by it is void."""
        if self.low <= score <= self.high:
            return True
        both = min(self.low, score), max(self.high, score)
        fitting = [each for each in RANGES if each[0] <= both[0] and both[1] <= each[1]]
        if fitting:
            self.low, self.high = fitting[0]
        else:
            reach = 2.0 ** min(1000, ceil(log2(max(-both[0], both[1]))))
            self.low, self.high = (-reach if both[0] < 0 else 0.0), reach
        return False

    def place(self, score: float) -> float:
        """Of a score, from 0 at the low end to 1 at the high one."""
        return (score - self.low) / (self.high - self.low)

    def score(self, place: float) -> float:
        """The score at a place."""
        return self.low + place * (self.high - self.low)


def lower_is_better(name: str) -> bool:
    """By its name alone."""
    words = name.lower()
    return any(piece in words for piece in LOWER_IS_BETTER)
