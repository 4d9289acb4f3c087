"""The calendar that budgets follow: hours, days, weeks from Monday on, and months, all in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor

HOUR_S, DAY_S = 3600.0, 86400.0
SPANS_S: Mapping[str, float] = {"hour": HOUR_S, "day": DAY_S, "week": 7 * DAY_S}
MONDAY_S = 4 * DAY_S
"""1970-01-05T00:00:00Z."""
MONTHS = 12


def start_of(period: str, at: float) -> float:
    """POSIX seconds at which the period that contains `at` began."""
    span = SPANS_S.get(period)
    if span is None:
        return _month(datetime.fromtimestamp(at, UTC))
    return MONDAY_S + floor((at - MONDAY_S) / span) * span


def end_of(period: str, at: float) -> float:
    """POSIX seconds at which the period that contains `at` ends: the next one's start."""
    span = SPANS_S.get(period)
    if span is not None:
        return start_of(period, at) + span
    now = datetime.fromtimestamp(at, UTC)
    later = now.replace(year=now.year + 1, month=1) if now.month == MONTHS else None
    return _month(later or now.replace(day=1, month=now.month + 1))


def hour_of_day(at: float) -> int:
    """0 to 23, in UTC."""
    return floor(at % DAY_S / HOUR_S)


def weekday(at: float) -> int:
    """0 is Monday."""
    return floor((at - MONDAY_S) / DAY_S) % 7


def _month(now: datetime) -> float:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
