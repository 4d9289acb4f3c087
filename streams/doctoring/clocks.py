"""Whether our clock agrees with that of others: signatures, sessions and silences go by it."""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from streams.doctoring.finding import Finding, Level

WARNED_S = 30.0
FAILED_S = 300.0
"""Slack refuses signatures that are older; events further ahead are replaced."""
REMEDY = "let the machine follow a time server (chrony, systemd-timesyncd)"


def compared(heard: Sequence[tuple[str, str, float]]) -> Sequence[Finding]:
    """By what others said the time is: who, an HTTP Date, and our own time then."""
    found = []
    for whom, date, ours_s in heard:
        try:
            theirs = parsedate_to_datetime(date)
        except ValueError:
            continue
        theirs_s = (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)).timestamp() + 0.5
        found.append(_judged(whom, ours_s - theirs_s))
    if found:
        return found
    what = "nobody was asked who tells the time (Slack does, with a token)"
    return [Finding(part="clock", about="this machine", level="ok", what=what)]


def _judged(whom: str, ahead_s: float) -> Finding:
    if abs(ahead_s) < WARNED_S:
        return Finding(part="clock", about=whom, level="ok", what=f"agrees with ours within {WARNED_S:g} s")
    what = f"ours is {abs(ahead_s):,.0f} s {'ahead of' if ahead_s > 0 else 'behind'} it"
    level: Level = "fail" if abs(ahead_s) >= FAILED_S else "warn"
    return Finding(part="clock", about=whom, level=level, what=what, remedy=REMEDY)
