"""When fire drills that come again are due. Wall time is the drill's location's."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from routing.oncall.walltime import instant, wall, zone
from routing.policy import PlannedDrill
from schemas.identity import derived

DAY = timedelta(days=1)
FURTHEST = 62 * DAY
"""Drills that were due earlier are looked for no more: one of a 31st comes every other month at least."""
DRILLED = (
    "approvals/unapproved",
    "cost/spike",
    "dependency/hanging",
    "dependency/outage",
    "dependency/tool_outage",
    "error_rate/burst",
    "input_shift/injection",
    "isolation/breach",
    "latency/slow",
    "quality/refused",
    "rollout/worse",
    "session/loop",
    "session/runaway",
    "silence/agent_down",
    "telemetry/missing",
    "traffic/surge",
)
"""The scenarios that there are."""
NOT_OF_AN_ID = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 90
DIGEST = 6
"""Digits that tell drills apart whose names differ in what an id cannot carry."""


def last_due(drill: PlannedDrill, now: datetime, since: datetime | None = None) -> datetime | None:
    """When it was due last by `now` (an aware instant), later than `since`; None: it was not.

    `since`: a day before, if nothing is said; nothing is looked for beyond `FURTHEST` either. 24:00 belongs
    to the day that it ends.
    """
    place = zone(drill.location)
    today = wall(now, place)
    after = max(now - FURTHEST, now - DAY if since is None else since)
    for back in range((now - after).days + 2):
        day = today - back * DAY
        begins = instant(_at(drill, day), place)
        if _is_day(drill, day) and after < begins <= now:
            return begins
    return None


def skipped(drill: PlannedDrill, now: datetime, days: int) -> Iterator[datetime]:
    """The wall times, of the days to come, at which it is due and that clocks there never show."""
    place = zone(drill.location)
    for ahead in range(days):
        day = wall(now, place) + ahead * DAY
        shown = _at(drill, day)
        if _is_day(drill, day) and wall(instant(shown, place), place) != shown:
            yield shown


def run_of(drill: PlannedDrill, at: datetime) -> str:
    """The id of the run that is due at an instant: the same whoever asks."""
    name = NOT_OF_AN_ID.sub("-", drill.name)[:LONGEST_NAME]
    digest = derived("", drill.name, drill.agent)[-DIGEST:]
    return f"{drill.scenario}:{name}-{digest}-{at:%Y%m%dT%H%MZ}"


def plan_of(drill: PlannedDrill) -> str:
    """What tells it from others, and from itself before it was planned for another time."""
    when = (drill.minute, drill.weekday, drill.day, drill.location)
    return derived("plan", drill.name, drill.agent, drill.scenario, *map(str, when))


def _at(drill: PlannedDrill, day: datetime) -> datetime:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(minutes=drill.minute)


def _is_day(drill: PlannedDrill, day: datetime) -> bool:
    in_week = drill.weekday is None or day.isoweekday() % 7 == drill.weekday
    return in_week and (drill.day is None or day.day == drill.day)
