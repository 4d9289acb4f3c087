"""Fire drills that were announced: where their messages go, and what became of those that are planned.

That an incident is a drill's, its labels tell.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from routing.incidents.drill_times import LONGEST, account
from routing.incidents.grouping import groups_of
from routing.incidents.incident import Case
from routing.incidents.notices import QUIET
from routing.incidents.posting import LOUD, Word, post
from routing.incidents.state import Drill
from routing.incidents.turn import Turn
from routing.oncall.instants import utc
from routing.oncall.responders import chosen, first_responders
from routing.ownership import with_team
from routing.policy import ChannelTarget, EscalationTarget
from schemas.cause import Concluded, Drilled
from schemas.page import Channel
from schemas.signal import DRILL_HEAD

REMEMBERED = timedelta(days=2)
"""Longer than a drill may be due, so that none begins twice."""
MOST_DRILLS = 256
"""Drills that are remembered at once; the oldest are forgotten."""
NOT_BEGUN = "begun"
"""The stage that a planned drill did not reach that did not take place."""


def announced(turn: Turn, cause: Drilled) -> None:
    """Somebody begins a drill; told again, it changes nothing."""
    drills = turn.state.core.drills
    for name in [name for name, each in drills.items() if each.at + REMEMBERED <= turn.now]:
        del drills[name]
    while len(drills) >= MOST_DRILLS:
        del drills[next(iter(drills))]
    drill = Drill(
        by=cause.by,
        agent=cause.agent,
        at=turn.now,
        channel=cause.channel,
        name=cause.name,
        owner=cause.owner,
        until=None if cause.until is None else min(utc(cause.until), turn.now + LONGEST),
    )
    drills.setdefault(cause.id, drill)
    account(turn.state.core, turn.policy, turn.now, cause.id)


def concluded(turn: Turn, cause: Concluded) -> None:
    """What became of a planned drill is told once, in its room or where its agent's incidents are told."""
    drill = turn.state.core.drills.get(cause.id) or _never_begun(turn, cause.id)
    if drill is None or drill.over:
        turn.state.count("drills concluded that were not under way")
        return
    drill.over, drill.ended = True, None if cause.broke_at == NOT_BEGUN else turn.now
    if not drill.name:
        return
    channel = drill.channel or _quiet(turn, drill, cause)
    if channel is None:
        turn.complain(f"drill {drill.name}: there is no channel to tell of it", cause.id)
        return
    title = f"{DRILL_HEAD}{drill.name} of {drill.agent} {_how(cause)}"
    word = Word(
        kind="drill", name=drill.name, reason="drilled", title=title, facts=cause.facts, drill=cause.id
    )
    post(turn, word, [(drill.name, channel)])


def _how(cause: Concluded) -> str:
    if cause.broke_at == NOT_BEGUN:
        return f"did not take place: {cause.remedy}"
    return f"broke at the stage {cause.broke_at}: {cause.remedy}" if cause.broke_at else "passed"


def _never_begun(turn: Turn, name: str) -> Drill | None:
    """A planned drill of which nothing was announced; None where nothing planned has a run by this name."""
    planned = account(turn.state.core, turn.policy, turn.now, name)
    if planned is None:
        return None
    said = Drilled(
        at=turn.now, id=name, by="", agent=planned.agent, channel=planned.channel, name=planned.name
    )
    announced(turn, said)
    return turn.state.core.drills[name]


def room_of(turn: Turn, case: Case) -> Channel | None:
    """Where all messages of a drill's incident go instead of to people; None: to people."""
    drill = turn.state.core.drills.get(case.drill) if case.drill else None
    return None if drill is None else drill.channel


def _quiet(turn: Turn, drill: Drill, cause: Concluded) -> Channel | None:
    """The first channel that wakes nobody: of the agent's receivers, of the root; else of who is on call."""
    detector, _, finding = cause.id.partition(":")[0].partition("/")
    labels = with_team(turn.policy, {"agent": drill.agent, "detector": detector, "finding": finding})
    names = [place.route.receiver for place in groups_of(turn.policy.route, labels)]
    found = map(turn.policy.receivers.get, (*names, turn.policy.route.receiver))
    targets = [target for receiver in found if receiver for target in receiver.notify]
    rooms = (target.channel for target in targets if isinstance(target, ChannelTarget))
    people = (
        channel
        for target in targets
        if isinstance(target, EscalationTarget)
        for channel in _of_people(turn, target, labels)
    )
    return next((each for each in (*rooms, *people) if each.kind not in LOUD), None)


def _of_people(turn: Turn, target: EscalationTarget, labels: Mapping[str, str]) -> Iterator[Channel]:
    """Over what those who are on call may be told of it later."""
    escalation = chosen(target, labels, turn.policy)
    for name in first_responders(escalation, turn.policy, turn.now) if escalation else ():
        user = turn.policy.users.get(name)
        yield from (user.channel(kind) for kind in QUIET if user and kind in user.contacts)
