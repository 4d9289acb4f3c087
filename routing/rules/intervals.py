"""Time intervals as in Alertmanager: the fields of a span all hold, one of the spans, one of the names."""

import re
from collections.abc import Callable

from msgspec import Struct

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""A week begins on Sunday: `sunday:monday` is a range, `saturday:sunday` is none."""
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))\Z")
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_DAY = re.compile(r"-?[0-9]{1,2}\Z")
LAST_DAY = 31


class Range(Struct, frozen=True):
    """From `begin` to `end`, both included. Days of the month may count from its end (-1 is the last)."""

    begin: int
    end: int


class MinuteRange(Struct, frozen=True):
    """[begin, end) in minutes since midnight."""

    begin: int
    end: int


class Span(Struct, frozen=True, kw_only=True):
    """One entry of `time_intervals`; a field left out always holds, an empty list never. 0 is Sunday."""

    times: tuple[MinuteRange, ...] | None = None
    weekdays: tuple[Range, ...] | None = None
    days_of_month: tuple[Range, ...] | None = None
    months: tuple[Range, ...] | None = None
    years: tuple[Range, ...] | None = None
    location: str = "UTC"


class TimeInterval(Struct, frozen=True):
    """A named time interval: it holds where one of its spans does."""

    name: str
    spans: tuple[Span, ...]


def parse_time(text: str) -> int:
    """`HH:MM` as minutes since midnight; `24:00` is the end of the day.

    Raises:
        ValueError: saying what is expected.
    """
    found = _TIME.match(text)
    if found is None:
        raise ValueError(f"expected a time such as 09:00 or 24:00, found {text!r}")
    hour, minute = (int(part) for part in found.groups() if part is not None)
    return 60 * hour + minute


def parse_times(begin: str, end: str) -> MinuteRange:
    """A range of times within one day.

    Raises:
        ValueError: a time is none, or the range is empty or wraps midnight.
    """
    first, last = parse_time(begin), parse_time(end)
    if first >= last:
        raise ValueError(f"{begin} is not before {end}: a range may not wrap midnight; write two")
    return MinuteRange(first, last)


def parse_weekdays(text: str) -> Range:
    """`monday` or `monday:friday`; names only, ascending.

    Raises:
        ValueError: saying what is expected.
    """
    return _ascending(_range(text, _weekday, "a weekday such as monday, or monday:friday"))


def parse_months(text: str) -> Range:
    """`march`, `3` or `january:march`. Numbers above 12 are taken, as Alertmanager does, and never hold.

    Raises:
        ValueError: saying what is expected.
    """
    return _ascending(_range(text, _month, "a month such as march or 3, or january:march"))


def parse_years(text: str) -> Range:
    """`2026` or `2026:2028`.

    Raises:
        ValueError: saying what is expected.
    """
    return _ascending(_range(text, _number, "a year such as 2026, or 2026:2028"))


def parse_days_of_month(text: str) -> Range:
    """`15`, `1:5` or `-3:-1`; a range that begins before the month's end may not end after its beginning.

    Raises:
        ValueError: saying what is expected.
    """
    found = _range(text, _day_of_month, "a day of the month from 1 to 31 or -31 to -1, or 1:5 or -3:-1")
    if found.begin < 0 < found.end:
        raise ValueError(f"{text!r}: a range that begins with a negative day ends with one")
    _ascending(Range(_from_start(found.begin), _from_start(found.end)))
    return found


def _range(text: str, read: Callable[[str], int | None], expected: str) -> Range:
    parts = text.lower().split(":")
    ends = [value for value in map(read, parts) if value is not None]
    if len(ends) != len(parts) or len(ends) > 2:  # noqa: PLR2004 - begin and end
        raise ValueError(f"expected {expected}, found {text!r}")
    return Range(ends[0], ends[-1])


def _ascending(found: Range) -> Range:
    if found.begin > found.end:
        raise ValueError("the range ends before it begins")
    return found


def _weekday(text: str) -> int | None:
    return WEEKDAYS.index(text) if text in WEEKDAYS else None


def _month(text: str) -> int | None:
    return MONTHS.index(text) + 1 if text in MONTHS else (_number(text) or None)


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.match(text) else None


def _day_of_month(text: str) -> int | None:
    day = int(text) if _DAY.match(text) else 0
    return day if 1 <= abs(day) <= LAST_DAY else None


def _from_start(day: int) -> int:
    """A day counted from the month's end as one of a month of 31 days."""
    return day if day > 0 else LAST_DAY + 1 + day
