"""What people do to incidents: take them, close them, silence what they know about."""

from datetime import timedelta

from routing.incidents.advice import approved
from routing.incidents.closing import ACK, resolve
from routing.incidents.escalation import begin_again, stop
from routing.incidents.flushing import arm_repeat, targets
from routing.incidents.grid import flush_on_grid
from routing.incidents.incident import Case
from routing.incidents.muting import audible
from routing.incidents.paging import edit_latest
from routing.incidents.state import SILENCE_CAP, Silence
from routing.incidents.telling import target_key
from routing.incidents.turn import Turn
from routing.matchers import MatcherSyntax, parse_matchers
from routing.oncall.instants import utc
from schemas.cause import Acknowledged, Approved, Resolved, Silenced

SEEN_CAP = 64
"""Ids of acknowledgements and resolutions that an incident remembers; the oldest are forgotten."""
LEAST_PAUSE = timedelta(minutes=1)


def acknowledged(turn: Turn, cause: Acknowledged) -> None:
    """Somebody takes an incident: nobody else is paged, until the acknowledgement lapses."""
    case = _first_time(turn, cause)
    if case is None:
        return
    case.status = "acknowledged"
    case.acknowledged_by = cause.by
    case.acknowledged = turn.now
    stop(turn, case)
    lapses = [
        escalation.ack_timeout
        for climb in case.climbs.values()
        if (escalation := turn.policy.escalations.get(climb.escalation)) and escalation.ack_timeout
    ]
    if lapses:
        turn.arm(case, ACK, min(lapses))
    edit_latest(turn, case, case.told, "acknowledged")
    turn.changed(case)


def ack_due(turn: Turn, case: Case) -> None:
    """The acknowledgement lapses: the escalation is climbed again. While all is muted it is not.

    An escalation that the incident's receiver no longer means is not climbed again.
    """
    if not audible(turn, case):
        turn.arm(case, ACK, LEAST_PAUSE)
        return
    case.status = "triggered"
    case.acknowledged_by = ""
    case.acknowledged = None
    edit_latest(turn, case, case.told, "updated")
    meant = {target_key(target) for target in targets(turn, case)}
    for key in (each for each in case.climbs if each in meant):
        begin_again(turn, case, key)
    flush_on_grid(turn, case, turn.now)
    arm_repeat(turn, case)
    turn.changed(case)


def resolved(turn: Turn, cause: Resolved) -> None:
    """Somebody closes an incident. Signals that still fire stay closed with it, unless they get worse."""
    case = _first_time(turn, cause)
    if case is None:
        return
    case.closed_by = cause.by
    resolve(turn, case)
    turn.state.release(case)


def ruled(turn: Turn, cause: Approved) -> None:
    """Somebody grants or refuses advice that waits for a person."""
    case = _first_time(turn, cause)
    if case is not None:
        approved(turn, case, cause)


def silenced(turn: Turn, cause: Silenced) -> None:
    """Somebody silences what matches, until an instant; the same id again replaces it."""
    silences = turn.state.core.silences
    for each in [each for each in silences.values() if each.until <= turn.now]:
        del silences[each.id]
    if len(silences) >= SILENCE_CAP and cause.id not in silences:
        turn.state.count("silences refused at the cap")
        turn.complain(f"silence {cause.id}: {SILENCE_CAP} silences hold already", cause.id)
        return
    try:
        matchers = tuple(one for text in cause.matchers for one in parse_matchers(text))
    except MatcherSyntax as fault:
        turn.complain(f"silence {cause.id}: {fault}", cause.id)
        return
    silences[cause.id] = Silence(
        id=cause.id, matchers=matchers, by=cause.by, until=utc(cause.until), comment=cause.comment
    )


def _first_time(turn: Turn, cause: Acknowledged | Resolved | Approved) -> Case | None:
    """The open incident meant, if this is news; the id is remembered."""
    case = turn.state.cases.get(cause.incident)
    if case is None or not case.open:
        turn.state.count("words about incidents that are not open")
        return None
    if cause.id in case.seen:
        turn.state.count("words repeated")
        return None
    case.seen = (*case.seen, cause.id)[-SEEN_CAP:]
    turn.state.touch(case)
    return case
