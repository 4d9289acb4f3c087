"""Durations as Prometheus writes them: `1h30m`, `1d`, `250ms`; not `90`, not `1.5h`, not `30m1h`."""

import re
from datetime import timedelta

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_DURATION = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS_MS) + r"\Z")
_LONGEST = timedelta(microseconds=2**63 // 1000)


def parse_duration(text: str) -> timedelta:
    """A duration of whole milliseconds, at most 292 years (what Alertmanager can hold).

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)

    Raises:
        ValueError: saying how durations are written.
    """
    found = _DURATION.match(text)
    if text == "0":
        return timedelta(0)
    if not text or found is None:
        raise ValueError(f"expected a duration such as 30s, 1h30m or 1d, found {text!r}")
    counts = (int(count) if count else 0 for count in found.groups())
    milliseconds = sum(count * unit for count, unit in zip(counts, _UNITS_MS.values(), strict=True))
    if milliseconds > _LONGEST / timedelta(milliseconds=1):
        raise ValueError(f"{text!r} is longer than 292 years")
    return timedelta(milliseconds=milliseconds)
