"""What grade is usual, and up to which mean it may be chance or the wobble that it has always shown."""

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct, field

from detectors.dense import Column, Number, Rows, single

BLOCK = 50
BLOCKS = 40
DAYS = 28
FEWEST_A_DAY = 30
DAY_S = 86400.0
REMEMBERED = 20_000
HIGHEST = 0.98
"""Where more is allowed, nothing is judged: it cannot get worse."""
SIGMAS = 3.0
PRIOR = 1.0
PRIOR_WOBBLE = 0.3
MOST_WOBBLE = 0.03
"""By so much of its mean, and no more than that, days are taken to differ until they are known."""


class Usual(Struct, array_like=True):
    """The state: badness in [0, 1] of the last 10,000 to 20,000 answers; the means of 50 each; days.

    `days`: the number of a day, its answers and their badness, for the last 28.
    """

    count: Number = 0
    total: Number = 0
    squares: Number = 0
    in_block: Number = 0
    of_block: Number = 0
    blocks: Column = field(default_factory=Column)
    days: Rows = field(default_factory=Rows)

    def learn(self, at: float, counts: Sequence[Number]) -> None:
        """Some answers: how many, the sums of their badness and of its squares."""
        count, total, squares = counts
        self.count += count
        self.total += total
        self.squares += squares
        if self.count > REMEMBERED:
            self.count, self.total, self.squares = self.count / 2, self.total / 2, self.squares / 2
        self.in_block += count
        self.of_block += total
        if self.in_block >= BLOCK:
            self.blocks.values[: 1 - BLOCKS] = []
            self.blocks.values.append(single(self.of_block / self.in_block))
            self.in_block, self.of_block = 0, 0
        day, days = float(at // DAY_S), self.days.rows
        if not days or days[-1][0] != day:
            days[: 1 - DAYS] = []
            days.append([day, 0.0, 0.0])
        days[-1][1] += count
        days[-1][2] += total

    @property
    def mean(self) -> float:
        """The usual badness; 0 before anything is known."""
        return self.total / self.count if self.count else 0.0

    def allowed(self, floor: float) -> float:
        """The mean that alarms nobody: the usual one, and three deviations of chance and of the wobble."""
        mean = (self.total + PRIOR) / (self.count + 2 * PRIOR)
        within = max(self.squares / max(1.0, self.count) - self.mean**2, mean * (1 - mean) / 10)
        unknown = min(PRIOR_WOBBLE * mean, MOST_WOBBLE)
        wobble = max(self._wobble(within), unknown**2 / max(1, len(self.days.rows) - 1))
        return max(floor, mean + SIGMAS * sqrt(within / max(1.0, self.count) + wobble))

    def _wobble(self, within: float) -> float:
        """The variance from 50 answers to the next 50, and from day to day, beyond that of chance."""
        days = [each for each in self.days.rows if each[1] >= FEWEST_A_DAY]
        chance = sum(within / count for _, count, _ in days) / len(days) if days else 0.0
        daily = _excess([total / count for _, count, total in days], chance)
        return max(_excess(self.blocks.values, within / BLOCK), daily)


def _excess(means: Sequence[float], chance: float) -> float:
    """The variance of means beyond that of chance, where it is itself more than chance (two deviations)."""
    if len(means) <= 1:
        return 0.0
    middle, freedom = sum(means) / len(means), len(means) - 1
    variance = sum((each - middle) ** 2 for each in means) / freedom
    return variance - chance if variance > chance * (1 + 2 * sqrt(2 / freedom)) else 0.0
