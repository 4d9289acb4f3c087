"""What is planned: from the part as written to what the router follows."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from routing.policy import PlannedDrill, PlannedSilence
from routing.rules.document.watching import DrillPart, RecurrencePart, SilencePart
from routing.rules.inheritance import combined
from routing.rules.intervals import Range, Span, parse_weekdays
from routing.schedule import moment_of
from schemas.page import Channel

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


def drill_of(part: DrillPart) -> PlannedDrill:
    """A drill that comes again."""
    room = part.channel
    return PlannedDrill(
        name=part.name,
        scenario=part.scenario,
        agent=part.agent,
        minute=(part.every.time or timedelta()) // timedelta(minutes=1),
        weekday=None if part.every.weekday is None else parse_weekdays(part.every.weekday).begin,
        day=part.every.months_day,
        location=(part.location or UTC).key,
        channel=None if room is None else Channel(*next(iter(room.channels.items())), dict(room.options)),
    )


def _recurrence(part: RecurrencePart, place: ZoneInfo) -> Span:
    return Span(
        times=tuple(each.minutes() for each in part.times) or None,
        weekdays=None if part.weekday is None else (parse_weekdays(part.weekday),),
        days_of_month=None if part.months_day is None else (Range(part.months_day, part.months_day),),
        location=place.key,
    )
