"""The end of an incident: its signals are gone, or somebody closed it; and how long it is kept."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from routing.incidents.advice import withdraw
from routing.incidents.alerts import may_be_there
from routing.incidents.digests import ended
from routing.incidents.escalation import stop
from routing.incidents.flapping import fires_again, is_damped, is_over
from routing.incidents.folding import others, unanswered
from routing.incidents.grid import FLUSH, flush_on_grid
from routing.incidents.incident import Case, Member
from routing.incidents.notices import disarm_notices
from routing.incidents.paging import OVER, edit, edit_latest, page_timer
from routing.incidents.rationing import drop_all, note_ended
from routing.incidents.turn import Turn
from schemas.signal import Signal

RETENTION = timedelta(hours=6)
"""How long an incident waits for outcomes of its pages and for what people say of it, by the wall.

It counts from its end, and from that of the last for which a page of it speaks.
"""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The time of events may run ahead of those who send: outcomes are waited for until KEPT_CAP is reached."""
ACK, STALE, COOL, FORGET = "ack", "stale", "cool", "forget"


def cease(turn: Turn, case: Case, member: Member, ended: Signal) -> None:
    """A signal of the incident no longer fires; when it was the last, the incident is resolved, or damped."""
    if case.open and len(case.firing()) == 1 and is_damped(turn, case, ended):
        edit_latest(turn, case, case.told, "updated")
        return
    believe(turn, case, member, ended)


def calm_due(turn: Turn, case: Case) -> None:
    """An incident that flapped was quiet for long: its end is believed, unless its signal left meanwhile."""
    ended = case.ended
    member = fires_again(turn, case)
    if ended is not None and member is not None:
        believe(turn, case, member, ended)


def believe(turn: Turn, case: Case, member: Member, ended: Signal) -> None:
    """A signal of the incident is over."""
    turn.state.quiet(member)
    member.signal = ended
    turn.state.touch(case)
    withdraw(turn, case, ended.id)
    if not case.open:
        cool_if_over(turn, case)
    elif not case.firing():
        resolve(turn, case)
    else:
        case.weigh()
        flush_on_grid(turn, case, turn.now)
        turn.changed(case)


def cool_if_over(turn: Turn, case: Case) -> None:
    """A resolved incident is kept for group_interval, closed by hand from the end of its last signal on."""
    if not case.firing():
        turn.arm(case, COOL, turn.route(case).group_interval)


def resolve(turn: Turn, case: Case) -> None:
    """Resolves the incident now, and says so to everybody whose page arrived, or is yet to arrive."""
    case.status = "resolved"
    case.resolved = turn.now
    stop(turn, case)
    for name in (FLUSH, ACK):
        turn.disarm(case, name)
    disarm_notices(turn, case)
    note_ended(turn, case)
    ended(turn, case)
    drop_all(turn, case)
    for told in case.told.values():
        told.firing, told.resolved = (), tuple(case.members)
    for sent in tuple(case.pages.values()):
        if sent.state == "deferred" and not unanswered(turn, sent):
            sent.state = "withdrawn"
            turn.disarm(case, page_timer(sent))
        if sent.state not in OVER or may_be_there(sent):
            edit(turn, case, sent, "resolved")
    withdraw(turn, case)
    case.advised = {}
    case.muted_by = ()
    case.flaps = 0
    turn.state.hush(case, ())
    turn.state.close(case)
    cool_if_over(turn, case)
    turn.changed(case)


def stale_due(turn: Turn, case: Case) -> None:
    """Signals that were not asserted for resolve_timeout are resolved as `stale`."""
    limit = turn.policy.resolve_timeout
    for member in case.firing():
        if member.asserted + limit <= turn.now and not is_over(case, member):
            ended = replace(member.signal, state="resolved", time=turn.now, reason="stale")
            cease(turn, case, member, ended)
    watch(turn, case)


def watch(turn: Turn, case: Case) -> None:
    """Looks again when the first of the incident's signals may have become stale."""
    fresh = (member.asserted for member in case.firing() if not is_over(case, member))
    asserted = min(fresh, default=None)
    if asserted is None:
        return
    due, armed = asserted + turn.policy.resolve_timeout, case.timers.get(STALE)
    if armed is None or due < armed:
        turn.arm_at(case, STALE, due)


def cool_due(turn: Turn, case: Case) -> None:
    """The time in which the incident could fire again is over."""
    turn.state.release(case)
    waits_until = (case.resolved or turn.now) + RETENTION
    turn.arm_at(case, FORGET, NEVER if turn.state.core.clock == "events" else max(turn.now, waits_until))
    forget_if_settled(turn, case)


def forget_due(turn: Turn, case: Case) -> None:
    """Outcomes that still lack will not be waited for; but what a page speaks for is to end on that page."""
    told = [case, *(each for sent in case.pages.values() for each in others(turn, sent))]
    until = max(each.resolved or turn.now for each in told) + RETENTION
    if until > turn.now:
        turn.arm_at(case, FORGET, until)
    else:
        turn.state.forget(case)


def forget_if_settled(turn: Turn, case: Case) -> None:
    """Forgets a resolved incident about which nothing more is to be heard.

    Of what was told to somebody, people may still say something, unless it is history.
    """
    if case.told and turn.state.core.clock == "wall":
        return
    over = FORGET in case.timers and not case.open and not case.firing()
    if over and not turn.state.speaks(case) and all(sent.settled for sent in case.pages.values()):
        turn.state.forget(case)
