"""What an agent spends by the hour: four weeks of it, and what is usual by hour of the day and by weekday."""

from itertools import pairwise

from msgspec import Struct

from detectors.costs.periods import DAY_S, HOUR_S, hour_of_day, weekday

KEPT = 672
"""Hours: four weeks."""
DAY = 24
WEEKLY_FROM = 14 * DAY
"""Hours known before weekdays are told apart."""
FADES = 0.5 ** (1 / 7)
"""Weight of a day's hours against those of the day after it."""
BELIEVED_DAYS, BELIEVED_SPREAD = 3, 0.3
"""Before days are known they are believed to vary by 30 %, with the weight of three days."""


class Usual(Struct, frozen=True):
    """In USD: `hours` by hour of the day, `weekdays` as factors on them from Monday on.

    `day`: the mean of a day; `variance` of one, around what was usual for it; `days` that it was learnt from.
    """

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    day: float
    variance: float
    days: float

    def of(self, hour_s: float) -> float:
        """USD in the hour that begins then."""
        return self.hours[hour_of_day(hour_s)] * self.weekdays[weekday(hour_s)]


def usual(spent: list[float], ended: float) -> Usual | None:
    """What is usual after these hours, up to POSIX seconds `ended`; None before a day is known."""
    if len(spent) < DAY:
        return None
    began = ended - len(spent) * HOUR_S
    known = [(began + at * HOUR_S, usd) for at, usd in enumerate(spent)]
    hours = _by_hour(known, ended)
    weekdays = _by_weekday(known, hours) if len(spent) >= WEEKLY_FROM else (1.0,) * 7
    day = sum(hours)
    days = len(spent) // DAY
    made = Usual(hours, weekdays, day, 0.0, days)
    return Usual(hours, weekdays, day, _variance(known[-days * DAY :], made), days)


def _by_hour(known: list[tuple[float, float]], ended: float) -> tuple[float, ...]:
    sums, weights = [0.0] * DAY, [0.0] * DAY
    for at, usd in known:
        weight = FADES ** ((ended - at) // DAY_S)
        sums[hour_of_day(at)] += weight * usd
        weights[hour_of_day(at)] += weight
    return tuple(total / weight for total, weight in zip(sums, weights, strict=True))


def _by_weekday(known: list[tuple[float, float]], hours: tuple[float, ...]) -> tuple[float, ...]:
    """Spent over expected by weekday; a day like any other is added to each."""
    more = sum(hours) or 1.0
    sums, expected = [more] * 7, [more] * 7
    for at, usd in known:
        sums[weekday(at)] += usd
        expected[weekday(at)] += hours[hour_of_day(at)]
    return tuple(total / of for total, of in zip(sums, expected, strict=True))


def _variance(known: list[tuple[float, float]], made: Usual) -> float:
    """Of a day's spend, by whole days back from the last hour on."""
    ends = range(0, len(known) + 1, DAY)
    misses = [sum(usd - made.of(at) for at, usd in known[start:end]) for start, end in pairwise(ends)]
    believed = BELIEVED_DAYS * (BELIEVED_SPREAD * made.day) ** 2
    return (believed + sum(miss * miss for miss in misses)) / (BELIEVED_DAYS + len(misses))
