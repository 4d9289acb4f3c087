"""How something went in the last half hour, minute by minute: a page's sparkline, and the trend in it."""

from collections.abc import Sequence
from math import floor

from msgspec import Struct

MINUTE_S = 60.0
MINUTES = 30
TURN = 1.25
"""The later half differs from the earlier one when it is so many times as much."""


class Course(Struct, array_like=True):
    """The state: `[minute since 1970, amount]` of those of the last 30 minutes that have any."""

    minutes: list[list[float]] = []

    def add(self, now: float, amount: float = 1.0) -> None:
        """So much more in the present minute."""
        self._at(now)[1] += amount

    def reach(self, now: float, amount: float) -> None:
        """At least so much in the present minute."""
        minute = self._at(now)
        minute[1] = max(minute[1], amount)

    def _at(self, now: float) -> list[float]:
        at = float(now // MINUTE_S)
        if not self.minutes or self.minutes[-1][0] != at:
            self.minutes = [*self.minutes[1 - MINUTES :], [at, 0.0]]
        return self.minutes[-1]

    def history(self, now: float) -> tuple[float, ...]:
        """By minute, the present one last; 0 where there was nothing."""
        return course(now, self.minutes)


def course(now: float, minutes: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """What `[minute, amount]` add up to in each of the last 30 minutes, the present one last."""
    found, last = [0.0] * MINUTES, floor(now / MINUTE_S)
    for minute, amount in minutes:
        back = last - int(minute)
        if 0 <= back < MINUTES:
            found[MINUTES - 1 - back] += amount
    return tuple(round(each, 4) for each in found)


def trend(history: Sequence[float]) -> str:
    """Of a course, the oldest first: its later half against the earlier one, from where there was any.

    >>> trend([0.0, 1.0, 1.0, 5.0, 6.0]), trend([3.0, 1.0, 1.0, 0.5]), trend([0.0, 0.0, 7.0])
    ('rising', 'falling', 'steady')
    """
    history = history[next((at for at, amount in enumerate(history) if amount), 0) :]
    middle = len(history) // 2
    if not middle:
        return "steady"
    early, late = sum(history[:middle]) / middle, sum(history[middle:]) / (len(history) - middle)
    if late > TURN * early:
        return "rising"
    return "falling" if early > TURN * late else "steady"
