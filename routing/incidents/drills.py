"""Fire drills that were announced, and where their messages go. That it is one, an incident's labels tell."""

from datetime import timedelta

from routing.incidents.incident import Case
from routing.incidents.state import Drill
from routing.incidents.turn import Turn
from schemas.cause import Drilled
from schemas.page import Channel

REMEMBERED = timedelta(days=1)
MOST_DRILLS = 256
"""Drills that are remembered at once; the oldest are forgotten."""


def announced(turn: Turn, cause: Drilled) -> None:
    """Somebody begins a drill; told again, it changes nothing."""
    drills = turn.state.core.drills
    for name in [name for name, each in drills.items() if each.at + REMEMBERED <= turn.now]:
        del drills[name]
    while len(drills) >= MOST_DRILLS:
        del drills[next(iter(drills))]
    drills.setdefault(cause.id, Drill(by=cause.by, agent=cause.agent, at=turn.now, channel=cause.channel))


def room_of(turn: Turn, case: Case) -> Channel | None:
    """Where all messages of a drill's incident go instead of to people; None: to people."""
    drill = turn.state.core.drills.get(case.drill) if case.drill else None
    return None if drill is None else drill.channel
