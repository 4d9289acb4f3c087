"""Spans of time as a configuration writes them: `30d`, `1h30m`."""

from datetime import timedelta
from functools import lru_cache

import re2

_WHOLE = re2.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")


def duration(text: object) -> timedelta:
    """A positive span.

    Raises:
        ValueError: it is none.

    >>> duration("1d12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    return _span(str(text))


@lru_cache(maxsize=256)
def _span(text: str) -> timedelta:
    found = _WHOLE.fullmatch(text)
    parts = found.groups() if found else ()
    span = timedelta(**{unit: int(part) for unit, part in zip(_UNITS, parts, strict=False) if part})
    if not span:
        raise ValueError(f"{text!r} is no span of time: expected one such as 30d or 1h30m")
    return span
