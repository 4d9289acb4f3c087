"""Which entries of a calendar can be followed: others would never end, or fail when somebody is paged."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

YEARS = range(1971, 2200)
LONGEST = timedelta(days=400)
OFTEN: Mapping[str, int] = {"HOURLY": 24, "DAILY": 1, "WEEKLY": 1, "MONTHLY": 1, "YEARLY": 1}
"""How often a rule occurs on a day, at most."""
MOST_A_DAY = 24
WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")


def is_sane(event: Any) -> bool:
    """Whether an entry (icalendar's `Event`) has one beginning, an end soon after, a rule that gets on."""
    try:
        return not event.errors and _spans(event) and _repeats(event.get("RRULE")) and _is_numbered(event)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError):
        return False


def _spans(event: Any) -> bool:
    begin, end = event["DTSTART"].dt, event.end
    in_years = begin.year in YEARS and end.year in YEARS
    return in_years and timedelta(0) <= end - begin <= LONGEST


def _repeats(rule: Any) -> bool:
    if rule is None:
        return True
    (often,) = rule["FREQ"]
    times = OFTEN[str(often)]
    for part in WITHIN_A_DAY:
        times *= len(rule.get(part, [0]))
    return times <= MOST_A_DAY and min(rule.get("INTERVAL", [1])) > 0 and min(rule.get("COUNT", [1])) > 0


def _is_numbered(event: Any) -> bool:
    """Whether which of a series it is, and in which version, can be told."""
    version, of = event.get("SEQUENCE", 0), event.get("RECURRENCE-ID")
    return int(version) >= 0 and (of is None or isinstance(of.dt, date))
