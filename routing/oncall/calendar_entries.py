"""Which entries of a calendar can be followed: others would never end, or fail when somebody is paged.

What reads rules goes through every occurrence since the first, and where a rule never holds through all years
to 9999. So only rules are followed of which it is known that they hold again, and only as many as are cheap.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

YEARS = range(1971, 2200)
LONGEST = timedelta(days=400)
MOST_A_DAY = 24
WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
MOST_ENTRIES = 5_000
MOST_OCCURRENCES = 100_000
"""Of all entries up to the year `HORIZON`; more take seconds to look through."""
HORIZON = 2036
A_YEAR: Mapping[str, int] = {"DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 1}
_DAYS = frozenset({"BYDAY"})
_WEEKS = (frozenset[str](), _DAYS)
_MONTHS = tuple(each | {"BYMONTH"} for each in _WEEKS)
_DATES = tuple(each | {"BYMONTHDAY"} for each in (*_WEEKS, *_MONTHS))
PARTS: Mapping[str, tuple[frozenset[str], ...]] = {
    "DAILY": _WEEKS,
    "WEEKLY": (*_WEEKS, *_MONTHS),
    "MONTHLY": (*_WEEKS, *_MONTHS, *_DATES),
    "YEARLY": (
        *_WEEKS,
        *_MONTHS,
        *_DATES,
        *(each | {"BYWEEKNO"} for each in _WEEKS),
        frozenset({"BYYEARDAY"}),
    ),
}
"""What may narrow a rule down, by how often it occurs."""
BY_DATE = ("MONTHLY", "YEARLY")
WEEKS = 52
DAYS = 365
LENGTHS = dict(enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1))
ALWAYS = 28
"""A day that every month has."""
A_WEEK = 7
SURE, RARE, RARE_IN_A_YEAR = 4, 5, 53
"""How often a month has a weekday always and at most, and a year at most."""


def followed(events: Iterable[Any]) -> list[Any]:
    """The entries (icalendar's `Event`) that can be followed, and all together within bounds."""
    found: list[Any] = []
    left = MOST_OCCURRENCES
    for event in events:
        times = _times(event) if is_sane(event) else None
        if times is not None and times <= left and len(found) < MOST_ENTRIES:
            found.append(event)
            left -= times
    return found


def is_sane(event: Any) -> bool:
    """Whether an entry (icalendar's `Event`) has one beginning, an end soon after, a rule that gets on."""
    try:
        return not event.errors and _spans(event) and _repeats(event) and _is_numbered(event)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError):
        return False


def _spans(event: Any) -> bool:
    begin, end = event["DTSTART"].dt, event.end
    in_years = begin.year in YEARS and end.year in YEARS
    return in_years and timedelta(0) <= end - begin <= LONGEST


def _repeats(event: Any) -> bool:
    rule = event.get("RRULE")
    if rule is None:
        return True
    (often,) = rule["FREQ"]
    narrowed = {part for part in rule if part.startswith("BY")}.difference(WITHIN_A_DAY, ("BYSETPOS",))
    return (
        narrowed in PARTS[str(often)]
        and _within_a_day(rule) <= MOST_A_DAY
        and min(rule.get("INTERVAL", [1])) > 0
        and min(rule.get("COUNT", [1])) > 0
        and _meets(rule)
        and _has_dates(rule, event["DTSTART"].dt.day)
        and _has_weekdays(rule)
        and _has_places(rule)
    )


def _meets(rule: Any) -> bool:
    """Whether its steps come upon what it is narrowed down to."""
    weeks, days = rule.get("BYWEEKNO", [1]), rule.get("BYYEARDAY", [1])
    passed_by = {"DAILY": "BYDAY", "MONTHLY": "BYMONTH"}.get(str(rule["FREQ"][0]), "")
    return (
        any(0 < abs(week) <= WEEKS for week in weeks)
        and any(0 < abs(day) <= DAYS for day in days)
        and (passed_by not in rule or rule.get("INTERVAL", [1]) == [1])
    )


def _has_dates(rule: Any, begun: int) -> bool:
    """Whether one of its days of the month is in one of its months."""
    implied = begun if str(rule["FREQ"][0]) in BY_DATE and "BYMONTH" in rule and "BYDAY" not in rule else 1
    first: int = min(abs(day) for day in rule.get("BYMONTHDAY", [implied]))
    longest = max(LENGTHS[int(month)] for month in rule.get("BYMONTH", LENGTHS))
    return 0 < first <= (longest if rule.get("INTERVAL", [1]) == [1] else ALWAYS)


def _has_weekdays(rule: Any) -> bool:
    """Whether its weekdays, where they are numbered, are that many."""
    numbers = [abs(int(day.relative)) for day in rule.get("BYDAY", ()) if day.relative]
    most = RARE_IN_A_YEAR if str(rule["FREQ"][0]) == "YEARLY" and "BYMONTH" not in rule else RARE
    return not numbers or (max(numbers) <= most and not {"BYMONTHDAY", "BYWEEKNO"} & rule.keys())


def _has_places(rule: Any) -> bool:
    """Whether the one of several that it takes is always there: a weekday of a month."""
    if "BYSETPOS" not in rule:
        return True
    days = [day for day in rule.get("BYDAY", ()) if not day.relative]
    by_date = str(rule["FREQ"][0]) in BY_DATE and not {"BYMONTHDAY", "BYWEEKNO"} & rule.keys()
    first: int = min(abs(place) for place in rule["BYSETPOS"])
    return by_date and 0 < first <= SURE * len(days)


def _within_a_day(rule: Any) -> int:
    times = 1
    for part in WITHIN_A_DAY:
        times *= len(rule.get(part, [0]))
    return times


def _times(event: Any) -> int:
    """How many occurrences are gone through, at most, up to the horizon."""
    rule = event.get("RRULE")
    if rule is None:
        return 1
    begin, often = event["DTSTART"].dt.year, str(rule["FREQ"][0])
    until = min(each.year for each in rule.get("UNTIL", [date(HORIZON, 1, 1)]))
    years = max(1, min(HORIZON, until) - begin + 1)
    periods = years * A_YEAR[often] // rule.get("INTERVAL", [1])[0] + 1
    found: int = min([periods * _days(rule, often) * _within_a_day(rule), *rule.get("COUNT", ())])
    return found


def _days(rule: Any, often: str) -> int:
    """Days of a period, at most."""
    weekdays = len(rule.get("BYDAY", ()))
    if often == "WEEKLY":
        return max(1, weekdays)
    of_month = max(1, RARE * weekdays + len(rule.get("BYMONTHDAY", ())))
    if often == "MONTHLY":
        return of_month
    of_weeks = A_WEEK * len(rule.get("BYWEEKNO", ())) + len(rule.get("BYYEARDAY", ()))
    return len(LENGTHS) * of_month + of_weeks if often == "YEARLY" else 1


def _is_numbered(event: Any) -> bool:
    """Whether which of a series it is, and in which version, can be told."""
    version, of = event.get("SEQUENCE", 0), event.get("RECURRENCE-ID")
    return int(version) >= 0 and (of is None or isinstance(of.dt, date))
