"""What is planned: from the part as written to what the router follows."""

from zoneinfo import ZoneInfo

from routing.policy import PlannedSilence
from routing.rules.document.watching import RecurrencePart, SilencePart
from routing.rules.inheritance import combined
from routing.rules.intervals import Range, Span, parse_weekdays
from routing.schedule import moment_of

UTC = ZoneInfo("UTC")


def silence_of(part: SilencePart) -> PlannedSilence:
    """A planned silence, its times as instants."""
    place = part.location or UTC
    return PlannedSilence(
        name=part.name,
        matchers=combined({}, {}, part.matchers),
        author=part.author,
        comment=part.comment,
        start=moment_of(part.start, place) if part.start else None,
        end=moment_of(part.end, place) if part.end else None,
        span=_recurrence(part.every, place) if part.every else None,
    )


def _recurrence(part: RecurrencePart, place: ZoneInfo) -> Span:
    return Span(
        times=tuple(each.minutes() for each in part.times) or None,
        weekdays=None if part.weekday is None else (parse_weekdays(part.weekday),),
        days_of_month=None if part.months_day is None else (Range(part.months_day, part.months_day),),
        location=place.key,
    )
