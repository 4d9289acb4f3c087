"""In how many minutes of each hour of the week something is heard, for the last few weeks.

Minutes are counted, not events: a burst fills its minutes and no more, and an hour is worth 60 at most.
"""

from collections.abc import Iterator
from math import log

from msgspec import Struct

HOUR_S = 3600.0
HOURS = 168
DAY = 24
WEEKS = 4
"""Weeks kept, with the one that is under way."""
ALIKE = 3
"""So many of the last hours like this one (same hour, same weekday) say what is usual in it."""
UNSEEN = 255
SURE = 0.98
"""No hour is so busy that a silent minute in it is worth more than 3.9."""
FEWEST_HOURS = 24
OUTLIERS = 2
"""Hours of a week that may be quieter than all others without being the usual."""

_UNSEEN_WEEK = bytes([UNSEEN]) * HOURS


class Week(Struct, array_like=True):
    """The state. `hour`: the open one, counted since 1970; `minutes` heard in it; rows by week, oldest first.

    `whole`: whether the open hour was watched from its beginning.
    """

    hour: int = -1
    minutes: int = 0
    whole: bool = False
    indices: list[int] = []
    rows: list[bytearray] = []

    def turn(self, hour: int, silent: int) -> None:
        """Files the open hour and those in which nothing was heard; opens another.

        `silent`: what to write down for them, 0 or `UNSEEN`; then the hours at both ends are unseen as well.
        """
        if self.whole and silent != UNSEEN:
            self._file(self.hour, min(60, self.minutes))
        for passed in range(max(self.hour + 1, hour - WEEKS * HOURS), hour):
            self._file(passed, silent)
        self.hour, self.minutes, self.whole = hour, 0, silent != UNSEEN

    def _file(self, hour: int, minutes: int) -> None:
        week, cell = divmod(hour, HOURS)
        if not self.indices or self.indices[-1] != week:
            self.indices = [*self.indices[1 - WEEKS :], week]
            self.rows = [*self.rows[1 - WEEKS :], bytearray(_UNSEEN_WEEK)]
        self.rows[-1][cell] = minutes

    def at(self, hour: int) -> int:
        """Minutes heard in an hour counted since 1970, or `UNSEEN`."""
        week, cell = divmod(hour, HOURS)
        return self.rows[self.indices.index(week)][cell] if week in self.indices else UNSEEN

    def seen(self, cell: int) -> Iterator[int]:
        """What was heard in this hour of the week, the last one first."""
        return (row[cell] for row in reversed(self.rows) if row[cell] != UNSEEN)

    def usual(self) -> list[float]:
        """Minutes heard in each hour of the week: the least of three alike, smoothed over its neighbours.

        Before three weeks are known, the least of the same hour in seven days; before that, 0.
        """
        if not self.rows:
            return [0.0] * HOURS
        alike = [list(self.seen(cell))[:ALIKE] for cell in range(HOURS)]
        daily = [self._daily(alike, hour) for hour in range(DAY)]
        least = [min(each) if len(each) == ALIKE else daily[cell % DAY] for cell, each in enumerate(alike)]
        return [(least[cell - 1] + 4 * least[cell] + least[(cell + 1) % HOURS]) / 6 for cell in range(HOURS)]

    @property
    def is_settled(self) -> bool:
        """Whether most hours of the week have been seen three times."""
        return sum(len(list(self.seen(cell))) >= ALIKE for cell in range(HOURS)) > HOURS // 2

    @staticmethod
    def _daily(alike: list[list[int]], hour: int) -> int:
        lasts = [alike[cell][0] if alike[cell] else 0 for cell in range(hour, HOURS, DAY)]
        return min(lasts)

    def always(self) -> float | None:
        """Minutes heard in every hour of the last week, but for two; None before a day is known."""
        if not self.rows:
            return None
        lasts = sorted(value for cell in range(HOURS) for value in list(self.seen(cell))[:1])
        return float(lasts[OUTLIERS]) if len(lasts) >= FEWEST_HOURS else None


def surprise(minutes: float) -> float:
    """How surprising a silent minute is, in nats, in an hour in which so many are usually heard."""
    return -log(1 - min(SURE, minutes / 60))
