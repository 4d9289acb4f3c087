"""Rotations: who has which turn, and when turns change hands. A turn ends where the next begins."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.oncall.holidays import is_holiday
from routing.oncall.walltime import instant, wall

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MONTHS_A_YEAR = 12
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


class Period(Struct, frozen=True):
    """`2 weeks`. Days, weeks and months are counted on the wall clock, hours in elapsed time."""

    count: int
    unit: Literal["hour", "day", "week", "month"]


class Window(Struct, frozen=True):
    """`only: {days: 'mon:fri', from: '22:00', to: '06:00'}`: hours of some weekdays (0 = Monday).

    `begin` and `end` since midnight, on the wall clock. An `end` not after `begin` is the next day's; the
    window still belongs to the day on which it begins. `skips`: where that day is no holiday, or empty.
    """

    days: tuple[int, ...] = EVERY_DAY
    begin: timedelta = timedelta(0)
    end: timedelta = DAY
    skips: str = ""

    def span(self, day: date, place: ZoneInfo) -> tuple[datetime, datetime] | None:
        """The instants between which it holds, if it begins on this day."""
        if day.weekday() not in self.days or (self.skips and is_holiday(self.skips, day)):
            return None
        midnight = datetime.combine(day, time())
        end = self.end if self.end > self.begin else self.end + DAY
        return instant(midnight + self.begin, place), instant(midnight + end, place)

    def spans(self, start: datetime, end: datetime, place: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """All spans that touch [start, end]."""
        day, last = wall(start, place).date() - 2 * DAY, wall(end, place).date() + DAY
        while day <= last:
            if found := self.span(day, place):
                yield found
            day += DAY

    def holds(self, at: datetime, place: ZoneInfo) -> bool:
        """Whether it holds at an instant."""
        return any(begin <= at < end for begin, end in self.spans(at, at, place))


class Layer(Struct, frozen=True):
    """One rotation of a schedule: from `start` (naive wall time) on, each of `users` in turn for `every`.

    `only`: the hours in which it is active, or always. Turns count calendar periods, active or not.
    """

    name: str
    place: ZoneInfo
    start: datetime
    every: Period
    users: tuple[str, ...]
    only: tuple[Window, ...] = ()

    def handoff(self, turn: int) -> datetime:
        """The instant at which a turn (0, 1, …) begins."""
        count = turn * self.every.count
        match self.every.unit:
            case "hour":
                return instant(self.start, self.place) + count * HOUR
            case "day":
                return instant(self.start + count * DAY, self.place)
            case "week":
                return instant(self.start + 7 * count * DAY, self.place)
            case _:
                return instant(_months_later(self.start, count), self.place)

    def turn(self, at: datetime) -> int | None:
        """The turn that an instant falls into, or None before the first."""
        if at < self.handoff(0):
            return None
        turn = max(0, self._estimate(at))
        while self.handoff(turn + 1) <= at:
            turn += 1
        while self.handoff(turn) > at:
            turn -= 1
        return turn

    def user(self, at: datetime) -> str | None:
        """Whose turn it is, or None where the layer is not active."""
        turn = self.turn(at)
        if turn is None or not self._active(at):
            return None
        return self.users[turn % len(self.users)]

    def boundaries(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in (start, end) at which its answer may change."""
        turn = self.turn(start)
        turn = 0 if turn is None else turn + 1
        while (at := self.handoff(turn)) < end:
            yield at
            turn += 1
        for window in self.only:
            for span in window.spans(start, end, self.place):
                yield from (edge for edge in span if start < edge < end)

    def _active(self, at: datetime) -> bool:
        if not self.only:
            return True
        return any(window.holds(at, self.place) for window in self.only)

    def _estimate(self, at: datetime) -> int:
        """A turn near the one at an instant: wrong by an hour's change or a month's length at most."""
        if self.every.unit == "hour":
            return (at - self.handoff(0)) // (self.every.count * HOUR)
        shown = wall(at, self.place)
        if self.every.unit == "month":
            months = (shown.year - self.start.year) * MONTHS_A_YEAR + shown.month - self.start.month
            return months // self.every.count
        days = self.every.count * (7 if self.every.unit == "week" else 1)
        return (shown - self.start) // (days * DAY)


def _months_later(start: datetime, months: int) -> datetime:
    """The same day and time some months later, or the month's last day where it is shorter."""
    index = start.year * MONTHS_A_YEAR + start.month - 1 + months
    year, month = index // MONTHS_A_YEAR, index % MONTHS_A_YEAR + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
