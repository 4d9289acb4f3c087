"""Whether time intervals hold at an instant, and when to look again. As Alertmanager's timeinterval.go.

Clocks are read at the span's location. A wall time that a change of clocks skips never comes; one that it
repeats comes twice.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from routing.oncall.walltime import instant, wall, zone
from routing.policy import PlannedSilence, Policy, Route
from routing.rules.intervals import Range, Span, TimeInterval

HALF_HOUR = timedelta(minutes=30)
"""Clocks change at whole half hours of UTC."""
DAY = 24 * 60
"""Minutes."""
EPOCH = datetime.fromtimestamp(0, UTC)


def holds(interval: TimeInterval, at: datetime) -> bool:
    """Whether one of its spans holds at `at`, an aware instant."""
    return any(span_holds(span, at) for span in interval.spans)


def span_holds(span: Span, at: datetime) -> bool:
    """Whether all fields of a span hold at `at`, an aware instant."""
    shown = wall(at, zone(span.location))
    minute = 60 * shown.hour + shown.minute
    in_times = span.times is None or any(each.begin <= minute < each.end for each in span.times)
    fields = (
        (span.weekdays, shown.isoweekday() % 7),
        (_in_month(span.days_of_month, shown), shown.day),
        (span.months, shown.month),
        (span.years, shown.year),
    )
    return in_times and all(
        ranges is None or any(each.begin <= value <= each.end for each in ranges) for ranges, value in fields
    )


def silence_holds(silence: PlannedSilence, at: datetime) -> bool:
    """Whether a planned silence holds at `at`, an aware instant."""
    begun = silence.start is None or silence.start <= at
    over = silence.end is not None and silence.end <= at
    return begun and not over and (silence.span is None or span_holds(silence.span, at))


def spell(silence: PlannedSilence, after: datetime, within: timedelta) -> tuple[datetime, datetime] | None:
    """When a planned silence holds for the first time from `after` on: [begin, end), within `within`.

    One that holds at `after` begins then.
    """
    last = after + within
    begin = after
    while not silence_holds(silence, begin):
        begin = _next_change(silence, begin)
        if begin >= last:
            return None
    end = begin
    while end < last and silence_holds(silence, end):
        end = _next_change(silence, end)
    return begin, min(end, last)


def _next_change(silence: PlannedSilence, after: datetime) -> datetime:
    """The first instant after `after` at which a silence may begin or cease to hold."""
    spans = () if silence.span is None else (TimeInterval(silence.name, (silence.span,)),)
    edges = (each for each in (silence.start, silence.end) if each is not None and each > after)
    return min((next_look(spans, after), *edges))


def next_look(intervals: Iterable[TimeInterval], after: datetime) -> datetime:
    """The first instant after `after` at which one may begin or cease to hold; at the half hour at latest."""
    latest = EPOCH + ((after - EPOCH) // HALF_HOUR + 1) * HALF_HOUR
    marks = (mark for each in intervals for span in each.spans for mark in _marks(span, after))
    return min((mark for mark in marks if after < mark < latest), default=latest)


def sleeping(policy: Policy, route: Route, at: datetime) -> str:
    """Which of its time intervals mute a route: `time interval A`, `outside time interval B, C`, or empty."""
    for name in route.mute_time_intervals:
        if holds(policy.time_intervals[name], at):
            return f"time interval {name}"
    names = route.active_time_intervals
    if names and not any(holds(policy.time_intervals[name], at) for name in names):
        return f"outside time interval {', '.join(names)}"
    return ""


def _marks(span: Span, after: datetime) -> Iterator[datetime]:
    """When the span's times and days begin and end, around an instant, in UTC; what is shown twice, twice.

    Midnight is not at a half hour of UTC everywhere.
    """
    place = zone(span.location)
    midnight = wall(after, place).replace(hour=0, minute=0, second=0, microsecond=0)
    edges = (edge for times in span.times or () for edge in (times.begin, times.end))
    for minute in (0, DAY, *edges):
        shown = midnight + timedelta(minutes=minute)
        yield instant(shown, place)
        yield shown.replace(tzinfo=place, fold=1).astimezone(UTC)


def _in_month(ranges: tuple[Range, ...] | None, shown: datetime) -> tuple[Range, ...] | None:
    """Days counted from the month's end as days of this month; those before its first stay below 1."""
    if ranges is None:
        return None
    last = monthrange(shown.year, shown.month)[1]
    return tuple(
        Range(*(day if day > 0 else last + 1 + day for day in (each.begin, each.end))) for each in ranges
    )
