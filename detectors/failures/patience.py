"""How long a stream may be silent before it is unknown what it is like: some of its own usual gaps."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log

from detectors.dense import Row
from detectors.failures.windows import HOUR_S, MINUTE_S, Windows

Waits = Callable[[Windows], float]
"""Seconds for which an incident goes on without a trial."""

LEAST_S = 900.0
"""However much usually comes, a quarter of an hour is waited, …"""
MOST_S = 86_400.0
"""… and however little, no more than a day."""
USUAL_GAPS = 8
"""At random times eight mean gaps go by without a trial once in 3,000 times."""
GAPS_OF_CALLS = 12
"""Once in 160,000 times: a fault of days under 30 calls an hour is as many gaps as that in months."""
SPANS_S = (3600.0, 6 * 3600.0, 72 * 3600.0)
SIZES_S = (MINUTE_S, 600.0, 3600.0)
FEWEST_PAUSES, PAUSES = 4, 2
"""So many pauses between visits tell how long one may be; so often the longest is waited for the next."""


def heard(windows: Windows) -> float:
    """When the minute of the last closed cell with trials began; POSIX seconds, 0 without any."""
    return windows.minutes[-1][0] * MINUTE_S if windows.minutes else 0.0


def lapsed(windows: Windows, since: float, at: float) -> bool:
    """Whether the silence from `since` until `at` is longer than the stream's own gaps explain."""
    silent_s = at - since
    return silent_s >= LEAST_S and silent_s >= patience(windows)


def patience(windows: Windows) -> float:
    """Seconds: eight mean gaps of the last hour, six hours, three days, or of their slow hours: the longest.

    A fifth of the hours in which anything came were slower. So what comes rarely by night is waited for by
    night, and what comes by day only is not waited for until morning.
    """
    return min(MOST_S, max(LEAST_S, USUAL_GAPS * _gap_s(windows)))


def endurance(windows: Windows) -> float:
    """The same of calls, which come together as those of a session do: twelve gaps, or so many of visits."""
    return min(MOST_S, max(LEAST_S, GAPS_OF_CALLS * max(_gap_s(windows), _apart_s(windows.tens))))


def forbearance(windows: Windows) -> float:
    """The same of sessions, where a timer or a batch starts them: or twice the longest pause between visits.

    The pauses are those of the last six hours, by ten minutes; fewer than four tell nothing.
    """
    tens = [row[0] for row in windows.tens]
    pauses = [later - one for one, later in pairwise(tens) if later - one > 1]
    longest = max(pauses) * SIZES_S[1] if len(pauses) >= FEWEST_PAUSES else 0.0
    return max(patience(windows), min(MOST_S, PAUSES * longest))


def _apart_s(tens: Sequence[Row]) -> float:
    """Seconds between visits, of which there were as many as explain in how many ten minutes anything came.

    They come at random times. Where something came in all of the last six hours, as many as explain how the
    trials of ten minutes scatter.
    """
    cells = tens[-1][0] - tens[0][0] + 1 if tens else 0
    empty = cells - len(tens)
    if empty:
        return SIZES_S[1] / log((cells + 1) / (empty + 1))
    whole = [row[1] for row in tens[1:-1]]
    if not whole:
        return 0.0
    return SIZES_S[1] * min(1 / log(cells + 1), _scatter(whole))


def _scatter(counts: Sequence[int]) -> float:
    """Their variance over the square of their mean: sums of whole numbers, so exact in whatever order."""
    total = sum(counts)
    return (len(counts) * sum(each * each for each in counts) - total**2) / total**2


def _gap_s(windows: Windows) -> float:
    until, rings = heard(windows) + MINUTE_S, (windows.minutes, windows.tens, windows.hours)
    starts = [ring[0][0] * size for ring, size in zip(rings, SIZES_S, strict=True) if ring]
    last = sum(row[1] for row in windows.minutes[-1:])
    longest = 0.0
    for place, start in enumerate(starts):
        trials = sum(row[1] for row in rings[place]) + (last if place else 0)
        since = min(start, *starts[place + 1 : place + 2], until)
        longest = max(longest, min(SPANS_S[place], until - since) / trials)
    if windows.hours:
        slow = sorted(row[1] for row in windows.hours)[len(windows.hours) // 5]
        longest = max(longest, HOUR_S / slow)
    return longest
