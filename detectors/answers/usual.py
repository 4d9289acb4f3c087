"""What grade is usual, and up to which mean it may be chance or the wobble that it has always shown."""

from collections.abc import Iterator, Sequence
from math import sqrt

from msgspec import Struct, field

from detectors.dense import Column, Number, Rows, single

BLOCK = 50
BLOCKS = 40
DAYS = 28
WEEK = 7
SEASONS = 2
"""So many of the last four of a weekday must have been as bad for it to be usual on that day."""
FEWEST_A_DAY = 30
DAY_S = 86400.0
REMEMBERED = 20_000
HIGHEST = 0.98
"""Where more is allowed, nothing is judged: it cannot get worse."""
SIGMAS = 3.0
CLEAR = 2.0
"""By so many deviations of chance a weekday must be worse than any other day may be, to be one of its own."""
PRIOR = 1.0
PRIOR_WOBBLE = 0.3
MOST_WOBBLE = 0.03
"""By so much of its mean, and no more than that, days are taken to differ until they are known."""


class Usual(Struct, array_like=True):
    """The state: badness in [0, 1] of the last 10,000 to 20,000 answers; the means of 50 each; days.

    `days`: the number of a day, its answers and their badness, for the last 28. `held`: the same of answers
    that are not learnt, and of days before what is usual was learnt anew. `season`: the mean that `day`'s
    weekday has had twice before, as far as chance goes.
    """

    count: Number = 0
    total: Number = 0
    squares: Number = 0
    in_block: Number = 0
    of_block: Number = 0
    blocks: Column = field(default_factory=Column)
    days: Rows = field(default_factory=Rows)
    held: Rows = field(default_factory=Rows)
    day: Number = 0
    season: Number = 0

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
        _note(self.days, at, count, total)

    def hears(self, at: float, count: Number, total: Number) -> None:
        """Some answers that are not learnt, but for what their weekday is like."""
        _note(self.held, at, count, total)

    def turn(self, at: float) -> None:
        """On another day another mean may be usual."""
        day = float(at // DAY_S)
        if day != self.day:
            self.day, self.season = day, self._season(day)

    def _season(self, day: float) -> float:
        before = sorted(self._weeks_before(day))
        if len(before) < SEASONS:
            return 0.0
        mean, count = before[-SEASONS]
        chance = sqrt(self._within / count)
        return single(mean + SIGMAS * chance) if mean - CLEAR * chance > self._on_any_day() else 0.0

    def _weeks_before(self, day: float) -> Iterator[tuple[float, float]]:
        """The mean of each of the same weekdays, and of how many answers."""
        rows = [*self.days.rows, *self.held.rows]
        for before in range(WEEK, DAYS + 1, WEEK):
            that = [each for each in rows if each[0] == day - before]
            count = sum(each[1] for each in that)
            if count >= FEWEST_A_DAY:
                yield sum(each[2] for each in that) / count, count

    def anew(self) -> "Usual":
        """Nothing but what weekdays are like."""
        fresh = Usual(day=self.day, season=self.season)
        for day, count, total in sorted([*self.days.rows, *self.held.rows]):
            _note(fresh.held, day * DAY_S, count, total)
        return fresh

    @property
    def mean(self) -> float:
        """The usual badness; 0 before anything is known."""
        return self.total / self.count if self.count else 0.0

    def allowed(self, floor: float) -> float:
        """The mean that alarms nobody: the usual one, and three deviations of chance and of the wobble."""
        return max(floor, self.season, self._on_any_day())

    def _on_any_day(self) -> float:
        mean, within = self._mean, self._within
        unknown = min(PRIOR_WOBBLE * mean, MOST_WOBBLE)
        wobble = max(self._wobble(within), unknown**2 / max(1, len(self.days.rows) - 1))
        return mean + SIGMAS * sqrt(within / max(1.0, self.count) + wobble)

    @property
    def _mean(self) -> float:
        return (self.total + PRIOR) / (self.count + 2 * PRIOR)

    @property
    def _within(self) -> float:
        """The variance of one answer."""
        return max(self.squares / max(1.0, self.count) - self.mean**2, self._mean * (1 - self._mean) / 10)

    def _wobble(self, within: float) -> float:
        """The variance from 50 answers to the next 50, and from day to day, beyond that of chance."""
        days = [each for each in self.days.rows if each[1] >= FEWEST_A_DAY]
        chance = sum(within / count for _, count, _ in days) / len(days) if days else 0.0
        daily = _excess([total / count for _, count, total in days], chance)
        return max(_excess(self.blocks.values, within / BLOCK), daily)


def _note(rows: Rows, at: float, count: Number, total: Number) -> None:
    day, days = float(at // DAY_S), rows.rows
    if not days or days[-1][0] != day:
        days[: 1 - DAYS] = []
        days.append([day, 0.0, 0.0])
    days[-1][1] += count
    days[-1][2] += total


def _excess(means: Sequence[float], chance: float) -> float:
    """The variance of means beyond that of chance, where it is itself more than chance (two deviations)."""
    if len(means) <= 1:
        return 0.0
    middle, freedom = sum(means) / len(means), len(means) - 1
    variance = sum((each - middle) ** 2 for each in means) / freedom
    return variance - chance if variance > chance * (1 + 2 * sqrt(2 / freedom)) else 0.0
