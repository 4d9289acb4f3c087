"""How many arrivals each hour of the last four weeks had, and what is the least and the most for an hour."""

from collections.abc import Iterator
from math import exp2, log2

from msgspec import Struct

HOURS, DAY, WEEKS = 168, 24, 4
UNSEEN = 255
STEPS = 12
"""Of a byte a doubling: counts are kept within 3 %."""
ALIKE = 3
"""So many of the last hours like one (same hour, same weekday) say what is usual in it."""
FEWEST_HOURS = 72
"""Before so many hours are known, nobody can tell what is usual."""
OUTLIERS = 2
QUIET_SHARE = 0.25
"""However little an hour has, a fourth of the busiest hour is not much."""

_UNSEEN_WEEK = bytes([UNSEEN]) * HOURS


class Seasons(Struct, array_like=True):
    """The state. Rows by week, oldest first, a byte an hour; `known`: hours that were seen since it began."""

    indices: list[int] = []
    rows: list[bytearray] = []
    known: int = 0

    def file(self, hour: int, count: float) -> None:
        """An hour that is over, counted since 1970."""
        week, cell = divmod(hour, HOURS)
        if not self.indices or self.indices[-1] != week:
            self.indices = [*self.indices[1 - WEEKS :], week]
            self.rows = [*self.rows[1 - WEEKS :], bytearray(_UNSEEN_WEEK)]
        self.rows[-1][cell] = min(UNSEEN - 1, round(STEPS * log2(1 + count)))
        self.known += 1

    def least(self, hour: int) -> float:
        """The fewest arrivals that an hour may have; to be asked when `FEWEST_HOURS` are known.

        What came an hour late or early is not missing, nor is what was missing on one of the days alike.
        """
        if self.known < HOURS:
            return _count(sorted(self._all())[OUTLIERS])
        return _count(min(self._least(each % HOURS) for each in (hour - 1, hour, hour + 1)))

    def _least(self, cell: int) -> int:
        alike = list(self._seen(cell))
        if len(alike) >= ALIKE:
            return sorted(alike)[len(alike) - ALIKE]
        days = sorted(value for each in range(cell % DAY, HOURS, DAY) for value in list(self._seen(each))[:1])
        return days[min(1, len(days) - 1)]

    def most(self, hour: int) -> float:
        """The most arrivals that an hour may have; to be asked when `FEWEST_HOURS` are known.

        Of the days known, all but one: so a surge is told again when it comes again.
        """
        every = sorted(self._all())
        if self.known < HOURS:
            return _count(every[-1])
        days = sorted(self._days(hour % DAY))
        return max(_count(days[-2]), QUIET_SHARE * _count(every[-1 - OUTLIERS]))

    def _days(self, hour: int) -> Iterator[int]:
        """The most that each day had at about an hour of the day."""
        for row in self.rows:
            for day in range(0, HOURS, DAY):
                about = (row[(day + each) % HOURS] for each in (hour - 1, hour, hour + 1))
                seen = [value for value in about if value != UNSEEN]
                if seen:
                    yield max(seen)

    def _seen(self, cell: int) -> Iterator[int]:
        """What was counted in this hour of the week, the last one first."""
        return (row[cell] for row in reversed(self.rows) if row[cell] != UNSEEN)

    def _all(self) -> Iterator[int]:
        return (value for row in self.rows for value in row if value != UNSEEN)


def _count(code: int) -> float:
    return exp2(code / STEPS) - 1.0
