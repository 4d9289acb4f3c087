"""The clock of a log: the newest time of its records, as far as that can be believed."""

LATEST_S = 253_402_300_000.0
"""The end of the year 9999: no time beyond can be told."""
BACK_S = 900.0
"""Who finds the clock so far ahead of a record takes it that an earlier one was wrong."""


def advanced(now: float, at: float | None) -> float:
    """The clock after a record of this time, both in POSIX seconds.

    It stands still for records that were overtaken, and comes back from a time that nobody else agrees with.

    >>> advanced(100.0, 130.0), advanced(100.0, 99.0), advanced(1e15, 100.0), advanced(100.0, 1e15)
    (130.0, 100.0, 100.0, 253402300000.0)
    """
    at = min(at or 0.0, LATEST_S)
    return at if 0.0 < at < now - BACK_S else max(now, at)
