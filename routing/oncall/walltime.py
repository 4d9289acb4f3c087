"""Wall time to instants and back. A schedule says "Monday 09:00 in London"; only here does that become UTC.

Aware arithmetic within one zone is wall-clock arithmetic in Python and hides the hour of a change, so all
comparisons and differences are made in UTC.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """An IANA time zone.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"unknown time zone {name!r}: expected an IANA name such as Europe/London"
        ) from error


def wall(at: datetime, place: ZoneInfo) -> datetime:
    """What clocks show there at an instant: naive."""
    return at.astimezone(place).replace(tzinfo=None, fold=0)


def instant(shown: datetime, place: ZoneInfo) -> datetime:
    """The instant, in UTC, at which clocks there show a (naive) wall time.

    A time that is shown twice means the first; one that is skipped, the first instant after the gap.

    >>> instant(datetime(2026, 3, 8, 2, 30), ZoneInfo("America/New_York")).isoformat()
    '2026-03-08T07:00:00+00:00'
    """
    first = shown.replace(tzinfo=place, fold=0).astimezone(UTC)
    if wall(first, place) == shown:
        return first
    before = shown.replace(tzinfo=place, fold=1).astimezone(UTC)
    return _first_showing(shown, place, before, first)


def _first_showing(shown: datetime, place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first whole second in (before, after] at which clocks show `shown` or later."""
    while after - before > SECOND:
        middle = before + (after - before) // (2 * SECOND) * SECOND
        if wall(middle, place) >= shown:
            after = middle
        else:
            before = middle
    return after
