"""Counts and times as summaries say them, one way for all detectors: read at night, on a phone."""

from datetime import UTC, datetime

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
_UNITS = ((2 * DAY_S, DAY_S, "day"), (2 * HOUR_S, HOUR_S, "hour"), (2 * MINUTE_S, MINUTE_S, "minute"))
"""From how many seconds on a unit is said: never one of anything but a second."""


def counted(count: float, noun: str) -> str:
    """So many of something that is called in the plural by an s.

    >>> counted(1, "event"), counted(2, "event"), counted(0, "event"), counted(1234.4, "session")
    ('1 event', '2 events', 'no events', '1,234 sessions')
    """
    whole = round(count)
    return f"{whole:,} {noun if whole == 1 else noun + 's'}" if whole else f"no {noun}s"


def clock(at: float, now: float) -> str:
    """A time in POSIX seconds, with its date where that is another than now's.

    >>> clock(1767571200.0, 1767571200.0 + 3600), clock(1767571200.0, 1767571200.0 + 90000)
    ('00:00 UTC', '2026-01-05 00:00 UTC')
    """
    then = datetime.fromtimestamp(at, UTC)
    other = then.date() != datetime.fromtimestamp(now, UTC).date()
    return then.strftime("%Y-%m-%d %H:%M UTC" if other else "%H:%M UTC")


def span(seconds: float) -> str:
    """A length of time, a second at least, in the largest unit of which it has two or more.

    >>> span(1.0), span(90.0), span(5400.0), span(60000.0), span(200000.0)
    ('1 second', '90 seconds', '90 minutes', '17 hours', '2 days')
    """
    for least, unit, name in _UNITS:
        if seconds >= least:
            return counted(seconds / unit, name)
    return counted(max(1.0, seconds), "second")


def out_of(some: float, every: float, noun: str) -> str:
    """Some of so many.

    >>> out_of(1, 1, "call"), out_of(7, 1234, "call")
    ('1 of 1 call', '7 of 1,234 calls')
    """
    return f"{some:,.0f} of {counted(every, noun)}"
