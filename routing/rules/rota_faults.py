"""What is wrong with a schedule in the next 90 days: nobody on call, or two where one is meant."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from routing.addressing import shown
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node
from routing.schedule import Minded, Schedule
from routing.words.wording import duration, one_line

AHEAD = timedelta(days=90)
SHOWN = 3
LONGEST = 80
UTC_NAMES = frozenset({"UTC", "Etc/UTC"})


class Doubt(Struct, frozen=True):
    """A fault, or a warning, as the schedule minds it."""

    level: Minded
    fault: Fault


def rota_faults(schedule: Schedule, node: Node, now: datetime) -> Iterator[Doubt]:
    """All that is to be said of a schedule from `now` on. `node`: where it is written."""
    yield from (Doubt("warning", fault) for fault in _late(schedule, node, now))
    yield from (Doubt("warning", fault) for fault in _idle_swaps(schedule, node, now))
    if schedule.calendar:
        place = node.nearest("ical").place
        yield from (Doubt("warning", place.fault(line)) for line in _calendar(schedule, now))
    if schedule.gaps != "ignore" and not (schedule.calendar and schedule.roster is None):
        place = node.nearest("gaps").place
        yield from (Doubt(schedule.gaps, place.fault(line)) for line in _gaps(schedule, now))
    if schedule.overlaps != "ignore":
        yield from (Doubt(schedule.overlaps, fault) for fault in _overlaps(schedule, node, now))


def _late(schedule: Schedule, node: Node, now: datetime) -> Iterator[Fault]:
    for at, layer in enumerate(schedule.layers):
        first = layer.handoff(0)
        if first > now:
            said = f"layer {layer.name.removeprefix('layer ')} starts only at {_at(first, schedule.place)}"
            yield node.nearest("layers", at, "start").place.fault(f'schedule "{schedule.name}": {said}')


def _gaps(schedule: Schedule, now: datetime) -> Iterator[str]:
    found = [(gap.start, gap.end) for gap in schedule.uncovered(now, now + AHEAD)]
    yield from _told(schedule, "nobody is on call", found, "gaps")


def _overlaps(schedule: Schedule, node: Node, now: datetime) -> Iterator[Fault]:
    until = now + AHEAD
    for (_, one), (at, two) in combinations(enumerate(schedule.overrides), 2):
        start, end = max(one.start, two.start, now), min(one.end, two.end, until)
        if start < end and one.user != two.user:
            said = f"the override of {two.user} hides that of {one.user}"
            place = node.nearest("overrides", at).place
            yield from (place.fault(line) for line in _told(schedule, said, [(start, end)], ""))
    both = [(begin, end, held) for begin, end, held in schedule.pieces(now, until) if len(held) > 1]
    names = dict.fromkeys(" and ".join(user for user, _ in held) for _, _, held in both)
    for who in names:
        spans = [(begin, end) for begin, end, held in both if " and ".join(user for user, _ in held) == who]
        place = node.nearest("ical").place
        yield from (
            place.fault(line) for line in _told(schedule, f"{who} are on call at once", spans, "overlaps")
        )


def _calendar(schedule: Schedule, now: datetime) -> Iterator[str]:
    """What of a calendar is not there, cannot be read, or names nobody."""
    # Whoever has its address may read it.
    calendar = shown(schedule.calendar)
    if schedule.roster is None:
        yield f"calendar {calendar} is not at hand: nobody is on call by it"
        return
    if schedule.roster.unreadable:
        yield f"calendar {calendar}: entries that cannot be read: {schedule.roster.unreadable}"
    strangers = schedule.roster.strangers(now, now + AHEAD)
    more = f" (first {SHOWN} of {len(strangers)})" if len(strangers) > SHOWN else ""
    for said in strangers[:SHOWN]:
        what = f'"{one_line(said, LONGEST)}" is no user by {schedule.match}'
        yield f"calendar {calendar}: {what}{more}"


def _idle_swaps(schedule: Schedule, node: Node, now: datetime) -> Iterator[Fault]:
    """Swaps that change nothing: neither of the two is on call in their time."""
    before = replace(schedule, swaps=(), overrides=())
    for at, swap in enumerate(schedule.swaps):
        start, end = max(swap.start, now), min(swap.end, now + AHEAD)
        on_call = {shift.user for shift in before.shifts(start, end)}
        if start < end and not on_call & set(swap.users):
            said = f"the swap of {' and '.join(swap.users)} changes nothing: neither is on call then"
            yield node.nearest("swaps", at).place.fault(f'schedule "{schedule.name}": {said}')


def _told(
    schedule: Schedule, said: str, spans: Sequence[tuple[datetime, datetime]], what: str
) -> Iterator[str]:
    """One line for each of the first few spans."""
    more = f" (first {SHOWN} of {len(spans)} {what} in 90 days)" if len(spans) > SHOWN else ""
    for start, end in spans[:SHOWN]:
        yield f'schedule "{schedule.name}": {said} {span(start, end, schedule.place)}{more}'


def span(start: datetime, end: datetime, place: ZoneInfo) -> str:
    """A time on the schedule's wall clock and in UTC, and how long it is."""
    wall = f"from {start.astimezone(place):%a %Y-%m-%d %H:%M} to {end.astimezone(place):%a %Y-%m-%d %H:%M}"
    in_utc = "" if place.key in UTC_NAMES else f" ({start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ})"
    return f"{wall} {place.key}{in_utc}, {duration(end - start)}"


def _at(at: datetime, place: ZoneInfo) -> str:
    return f"{at.astimezone(place):%a %Y-%m-%d %H:%M} {place.key}"
