"""Whole days without a sign of somebody who is heard a few times on some days of the week only.

No single hour of such an agent is sure, but a day is. From the last event on, each stretch of 24 hours is
worth the surprise of its silence, by in how many of the last three weeks anything was heard in it. That
surprise falls upon those of its hours in which something was heard then: nothing is missed at night.
"""

from math import log

from detectors.rhythms.week import DAY, HOUR_S, HOURS, UNSEEN, Week
from detectors.rhythms.worth import Hours

LOOKED_BACK = 3
"""Weeks."""


def absence(week: Week, last: float, days: int) -> Hours:
    """What silence is worth from the time of the last event on, for so many days."""
    first = int(last // HOUR_S)
    spent = last - first * HOUR_S
    for begins in range(first, first + days * DAY, DAY):
        for nats in _day(week, begins):
            yield HOUR_S - spent, nats / HOUR_S
            spent = 0.0


def _day(week: Week, begins: int) -> list[float]:
    """What silence is worth in each of these 24 hours: nothing where nothing was ever heard."""
    seen, heard, hours = 0, 0, [0] * DAY
    newest = begins - HOURS * (1 + max(0, begins - week.hour) // HOURS)
    for before in range(newest, newest - LOOKED_BACK * HOURS, -HOURS):
        minutes = [week.at(hour) for hour in range(before, before + DAY)]
        lively = [0 < each < UNSEEN for each in minutes]
        heard += any(lively)
        seen += any(lively) or UNSEEN not in minutes
        hours = [count + each for count, each in zip(hours, lively, strict=True)]
    total = sum(hours)
    return [surprise_of(heard, seen) * each / max(1, total) for each in hours]


def surprise_of(heard: int, seen: int) -> float:
    """Nats of a silent day when `heard` of `seen` were lively, as Krichevsky and Trofimov (1981) estimate.

    >>> round(surprise_of(3, 3), 2), round(surprise_of(1, 3), 2), surprise_of(0, 3)
    (2.08, 0.47, 0.0)
    """
    return log((seen + 1) / (seen - heard + 0.5)) if heard else 0.0
