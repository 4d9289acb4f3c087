"""The failure rate that is normal for a stream: the 99.9 % quantile of its ten-minute rates over 14 days.

A day counts once it is over, and nothing that was alarmed on counts, so a rise does not hide itself. Only
the three highest rates of a day are kept: 14 days have 2,016 ten-minute cells, whose 99.9 % quantile is
among the highest three.
"""

from msgspec import Struct

from detectors.dense import Number

DAYS = 14
CELLS_A_DAY = 144
TELLING_FAILURES = 10
HIGHEST = 3


class Day(Struct, array_like=True):
    """One day: its number since 1970, how many cells had traffic, and its highest (rate, cell)."""

    number: int
    cells: int = 0
    highest: list[tuple[float, int]] = []


class UsualRate(Struct, array_like=True):
    """Rates by day. A cell with fewer than ten failures tells too little to raise what is normal."""

    days: list[Day] = []
    accepted: Number = 0
    """A rate that a person called the new normal, for 14 days from `accepted_on`."""
    accepted_on: int = 0

    def learn(self, cell: int, total: int, bad: int) -> None:
        """A ten-minute cell (its number since 1970) that ended without an alarm."""
        number = cell // CELLS_A_DAY
        if not self.days or self.days[-1].number != number:
            self.days = [day for day in self.days if day.number >= number - DAYS]
            self.days.append(Day(number))
        day = self.days[-1]
        day.cells += 1
        if bad >= TELLING_FAILURES:
            day.highest = sorted([*day.highest, (bad / total, cell)], reverse=True)[:HIGHEST]

    def unlearn(self, since: int) -> None:
        """Takes back the cells from `since` on: they turned out to belong to an incident."""
        for day in self.days:
            day.highest = [each for each in day.highest if each[1] < since]

    def accept(self, rate: float, now: float) -> None:
        """This rate is the new normal."""
        self.accepted, self.accepted_on = rate, _day(now)

    def rate(self, now: float) -> float:
        """The usual upper rate, of the 14 days before today; 0 where none is known."""
        today = _day(now)
        days = [day for day in self.days if today - DAYS <= day.number < today]
        skipped = sum(day.cells for day in days) // 1000
        highest = sorted((each[0] for day in days for each in day.highest), reverse=True)
        learnt = highest[skipped] if skipped < len(highest) else 0.0
        return max(learnt, self.accepted if today - self.accepted_on <= DAYS else 0.0)


def _day(now: float) -> int:
    return int(now // 86400)
