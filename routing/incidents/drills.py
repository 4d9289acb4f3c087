"""Fire drills that were announced: where their messages go, and what became of those that are planned.

That an incident is a drill's, its labels tell.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from routing.incidents.grouping import groups_of
from routing.incidents.incident import Case
from routing.incidents.posting import LOUD, Word, post
from routing.incidents.state import Core, Drill
from routing.incidents.turn import Turn
from routing.ownership import with_team
from routing.planned_drills import last_due, run_of
from routing.policy import ChannelTarget, PlannedDrill, Policy
from schemas.cause import Concluded, Drilled
from schemas.page import Channel
from schemas.signal import DRILL_HEAD

REMEMBERED = timedelta(days=2)
"""Longer than a drill may be due, so that none begins twice."""
MOST_DRILLS = 256
"""Drills that are remembered at once; the oldest are forgotten."""
LATE = timedelta(minutes=10)
"""A drill that could not begin by then waits for its next time."""
LONGEST = timedelta(minutes=15)
"""A drill of which nothing was heard for so long was cut off."""


class Due(Struct, frozen=True):
    """A planned drill that is to begin: the id of its run, and what is planned."""

    id: str
    planned: PlannedDrill


def due(core: Core, policy: Policy, now: datetime) -> Iterator[Due]:
    """Drills that are to begin by now, and have not been announced."""
    for planned in policy.drills:
        at = last_due(planned, now)
        name = run_of(planned, at) if at is not None and now - at <= LATE else ""
        if name and name not in core.drills:
            yield Due(name, planned)


def cut_off(core: Core, now: datetime) -> Iterator[str]:
    """Ids of planned drills that began, and of whose end nothing was heard."""
    for name, each in core.drills.items():
        if each.name and not each.over and now - each.at >= LONGEST:
            yield name


def announced(turn: Turn, cause: Drilled) -> None:
    """Somebody begins a drill; told again, it changes nothing."""
    drills = turn.state.core.drills
    for name in [name for name, each in drills.items() if each.at + REMEMBERED <= turn.now]:
        del drills[name]
    while len(drills) >= MOST_DRILLS:
        del drills[next(iter(drills))]
    drill = Drill(
        by=cause.by, agent=cause.agent, at=turn.now, channel=cause.channel, name=cause.name, owner=cause.owner
    )
    drills.setdefault(cause.id, drill)


def concluded(turn: Turn, cause: Concluded) -> None:
    """What became of a planned drill is told once, in its room or where its agent's incidents are told."""
    drill = turn.state.core.drills.get(cause.id)
    if drill is None or drill.over:
        turn.state.count("drills concluded that were not under way")
        return
    drill.over = True
    if not drill.name:
        return
    channel = drill.channel or _quiet(turn, drill, cause)
    if channel is None:
        turn.complain(f"drill {drill.name}: there is no channel to tell of it", cause.id)
        return
    how = f"broke at the stage {cause.broke_at}: {cause.remedy}" if cause.broke_at else "passed"
    title = f"{DRILL_HEAD}{drill.name} of {drill.agent} {how}"
    word = Word(kind="drill", name=drill.name, reason="drilled", title=title, facts=cause.facts)
    post(turn, word, [(drill.name, channel)])


def room_of(turn: Turn, case: Case) -> Channel | None:
    """Where all messages of a drill's incident go instead of to people; None: to people."""
    drill = turn.state.core.drills.get(case.drill) if case.drill else None
    return None if drill is None else drill.channel


def _quiet(turn: Turn, drill: Drill, cause: Concluded) -> Channel | None:
    """The first channel that wakes nobody: of the receivers of the agent's incidents, then of the root."""
    detector, _, finding = cause.id.partition(":")[0].partition("/")
    labels = with_team(turn.policy, {"agent": drill.agent, "detector": detector, "finding": finding})
    routes = [place.route.receiver for place in groups_of(turn.policy.route, labels)]
    for name in (*routes, turn.policy.route.receiver):
        receiver = turn.policy.receivers.get(name)
        for target in receiver.notify if receiver else ():
            if isinstance(target, ChannelTarget) and target.channel.kind not in LOUD:
                return target.channel
    return None
