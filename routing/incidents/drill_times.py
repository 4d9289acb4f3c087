"""When planned fire drills begin: which are due, which wait for others, which did not take place."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from routing.incidents.state import Core, Drill
from routing.planned_drills import FURTHEST, last_due, plan_of, run_of
from routing.policy import PlannedDrill, Policy

LATE = timedelta(minutes=10)
"""A drill that could not begin by then waits for its next time …"""
QUEUED = timedelta(hours=1)
"""… or by then, if it had to wait for others."""
MOST_AT_ONCE = 8
"""Drills that are under way beside each other; of one agent there is one at a time."""
REST = timedelta(seconds=150)
"""For so long after a drill its agent has none: longer than the copy of the agent lingers."""
USUAL = timedelta(minutes=15)
"""A drill that says nothing of its end is over after this long, …"""
LONGEST = timedelta(hours=1)
"""… and one that does, after this long at the latest."""


class Due(Struct, frozen=True):
    """A planned drill that is to begin: the id of its run, and what is planned."""

    id: str
    planned: PlannedDrill


class Missed(Struct, frozen=True):
    """A planned drill that did not take place: the id of its run, and why."""

    id: str
    why: str


def due(core: Core, policy: Policy, now: datetime) -> Iterator[Due]:
    """Drills that are to begin by now, and have not been announced: of one agent one, and few at once."""
    busy = [each.agent for each in core.drills.values() if _is_under_way(each, now)]
    resting = {each.agent for each in core.drills.values() if each.ended and now < each.ended + REST}
    for planned in policy.drills:
        at = last_due(planned, now)
        if at is None or now > _latest(core, at, now) or run_of(planned, at) in core.drills:
            continue
        if planned.agent not in resting.union(busy) and len(busy) < MOST_AT_ONCE:
            busy.append(planned.agent)
            yield Due(run_of(planned, at), planned)


def missed(core: Core, policy: Policy, now: datetime) -> Iterator[Missed]:
    """The last of the planned drills each that did not take place, and of which nobody was told yet."""
    for planned in policy.drills:
        at = _open_since(core, planned, now)
        if at is None or now <= _latest(core, at, now):
            continue
        others = any(each.at - QUEUED <= at < (each.ended or each.at) + REST for each in core.drills.values())
        why = "other drills were under way" if others else "no worker that routes was there"
        yield Missed(run_of(planned, at), f"it was due at {at:%Y-%m-%d %H:%M} UTC, when {why}")


def _open_since(core: Core, planned: PlannedDrill, now: datetime) -> datetime | None:
    """When a planned drill was due last of which it is not known what became of it."""
    since = core.plans.get(plan_of(planned))
    at = None if since is None else last_due(planned, now, since)
    return None if at is None or run_of(planned, at) in core.drills else at


def _is_under_way(drill: Drill, now: datetime) -> bool:
    return not drill.over and now < _ends(drill)


def _ends(drill: Drill) -> datetime:
    """By when its end must have been heard of; later it was cut off."""
    return drill.at + USUAL if drill.until is None else drill.until


def _latest(core: Core, at: datetime, now: datetime) -> datetime:
    """Until when a drill may begin that was due: while it had to wait for others it is not late."""
    drills = core.drills.values()
    if any(_is_under_way(each, now) for each in drills):
        return at + QUEUED
    free = max((each.ended + REST for each in drills if each.ended), default=at)
    return min(max(at, free) + LATE, at + QUEUED)


def follow(core: Core, policy: Policy, now: datetime) -> None:
    """From here on it is told of planned drills if they do not take place; of new ones from now on."""
    core.plans = {name: core.plans.get(name, now) for name in map(plan_of, policy.drills)}


def account(core: Core, policy: Policy, now: datetime, name: str) -> PlannedDrill | None:
    """What becomes of a run is known, or is told; gives what planned it, if it is a run of that."""
    follow(core, policy, now)
    for planned in policy.drills:
        at = last_due(planned, now, now - FURTHEST)
        if at is not None and run_of(planned, at) == name:
            core.plans[plan_of(planned)] = at
            return planned
    return None


def cut_off(core: Core, now: datetime) -> Iterator[str]:
    """Ids of planned drills that began, and of whose end nothing was heard."""
    for name, each in core.drills.items():
        if each.name and not each.over and now >= _ends(each):
            yield name
