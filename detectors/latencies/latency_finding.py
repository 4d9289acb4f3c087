"""What to say of a part that got slower, and of a limit that is full or soon will be."""

from collections.abc import Sequence

from detectors.contrast import contributors
from detectors.detector import Finding
from detectors.latencies.part import FIRST_CHUNK, QUEUE_WAIT, SLOW, Part
from detectors.latencies.saturation import FULL, Saturation, Tight
from detectors.latencies.sketch import NONE, middle_of
from detectors.latencies.slow_series import SHARES, Slowdown, SlowSeries
from detectors.saying import clock, counted
from schemas.signal import Blast

_SAYING = {
    SLOW: "{} takes",
    FIRST_CHUNK: "the first chunk of {} takes",
    QUEUE_WAIT: "{} waits in the queue for",
}
_STEEP = 1.25
_PART = 0.25
"""A part of a slow operation is named from this share of what it takes longer on."""


def slower(part: Part, measure: str, series: SlowSeries, slow: Slowdown, now: float) -> Finding:
    """A part that takes longer than it did. `measure`: its finding's name."""
    percentile = series.percentiles[slow.percentile]
    place = list(SHARES).index(slow.percentile)
    levels = [middle_of(each[place]) for each in series.history if each[place] != NONE]
    level, usual = levels[-1], percentile.usual
    touched = series.touched
    where = _where(part, slow.percentile, level - usual) if measure == SLOW else ""
    return Finding(
        finding=measure,
        labels=part.labels,
        onset=slow.onset,
        summary=f"{_SAYING[measure].format(part.words)} {_seconds(level)} ({slow.percentile}) "
        f"since {clock(slow.onset, now)}, {level / usual:.1f} times the usual {_seconds(usual)}"
        f"{_tail(series, slow.percentile)}{where}",
        observed=level,
        baseline=usual,
        unit="s",
        magnitude=round(level / usual, 2),
        magnitude_unit="ratio",
        confidence=round(percentile.confidence, 4),
        trend=_trend(levels),
        blast=touched.blast(),
        contributors=contributors(touched.tally, series.others.joined()),
        samples=tuple(sample for _, sample in touched.samples),
        history=tuple(levels),
    )


def _tail(series: SlowSeries, told: str) -> str:
    """The other percentiles, where there are enough operations for them."""
    others = [
        f"{name} {_seconds(series.levels[name])}" for name in SHARES if name != told and name in series.levels
    ]
    return f" ({', '.join(others)})" if others else ""


def _where(part: Part, percentile: str, extra: float) -> str:
    """Which part of the operation it is, as far as that is sent."""
    said = []
    for series, words in ((part.queue_wait, "in the queue"), (part.first_chunk, "before the first chunk")):
        if series is None or percentile not in series.levels or percentile not in series.percentiles:
            continue
        more = series.levels[percentile] - series.percentiles[percentile].usual
        if series.percentiles[percentile].usual and more >= _PART * extra:
            said.append(f"{_seconds(min(more, extra))} {words}")
    return f"; of the {_seconds(extra)} more, {' and '.join(said)}" if said else ""


def tight(resource: str, name: str, limit: Saturation, held: Tight, now: float) -> Finding:
    """A limit that is full, or soon will be. `resource`: `concurrency` or `rate`; `name`: whose."""
    used = limit.history[-1][1]
    whose = f" of {name}" if name else ""
    return Finding(
        finding="saturation",
        labels={"resource": resource, "provider": name} if name else {"resource": resource},
        onset=held.onset,
        summary=f"the {resource} limit{whose} is {used:.0%} used since {clock(held.onset, now)}, usually "
        f"{limit.usual:.0%}{_forecast(limit, used)}",
        observed=used,
        baseline=limit.usual,
        unit="share",
        trend=_trend([each for _, each in limit.history]),
        blast=Blast(sessions=len(held.sessions), capped=held.capped),
        history=tuple(each for _, each in limit.history),
    )


def _forecast(limit: Saturation, used: float) -> str:
    left = limit.minutes_left
    if used >= FULL:
        return ": calls wait or are refused"
    return "" if left is None else f": it runs out in about {counted(left, 'minute')} if this goes on"


def _trend(levels: Sequence[float]) -> str:
    """The last two values against the two before them."""
    late, early = sum(levels[-2:]), sum(levels[-4:-2])
    if len(levels) < 4:  # noqa: PLR2004 - two and two
        return ""
    if late > _STEEP * early:
        return "rising"
    return "falling" if early > _STEEP * late else "steady"


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"
