"""Signals: opening incidents, joining them, asserting what holds, and leaving."""

from collections.abc import Sequence
from enum import Enum

from routing.incidents.advice import advise
from routing.incidents.closing import COOL, believe, cease, cool_if_over, watch
from routing.incidents.covering import beside, cover
from routing.incidents.flapping import fires_again
from routing.incidents.flushing import stop_unmeant
from routing.incidents.grid import flush_on_grid, flush_soon
from routing.incidents.grouping import Group, groups_of, incident_id, overflow
from routing.incidents.incident import Case, Member, weight
from routing.incidents.lapsing import take_up
from routing.incidents.state import OPEN_CAP
from routing.incidents.turn import Turn
from routing.ownership import with_team
from routing.severity import RANK, score
from schemas.page import Severity
from schemas.signal import HELD, Signal

MEMBER_CAP = 500
"""Signals of an incident; of further ones the gravest are kept, and the others only counted."""


class Held(Enum):
    """Whether an incident still holds a signal: not if it left, or was closed by hand and is worse now."""

    YES = "yes"
    NO = "no"


def signalled(turn: Turn, signal: Signal) -> None:
    """Takes a signal, opened, asserted again or resolved."""
    if signal.state == "firing":
        (held if signal.reason == HELD else asserted)(turn, signal)
        return
    known = turn.state.by_signal.all(signal.id)
    if not known:
        turn.state.count("resolutions of unknown signals")
    for case_id in known:
        case = turn.state.cases[case_id]
        member = case.members[signal.id]
        if member.fires:
            cease(turn, case, member, signal)


def held(turn: Turn, signal: Signal) -> None:
    """What fires does not become stale: who tells of it from here on cannot say yet whether it holds."""
    for case_id in turn.state.by_signal.all(signal.id):
        case = turn.state.cases[case_id]
        case.members[signal.id].asserted = turn.now
        turn.state.touch(case)


def asserted(turn: Turn, signal: Signal) -> None:
    """Brings a signal up to date wherever it is, and puts it into the groups where it is not."""
    member = weighed(turn, signal)
    _highest(turn, member)
    cases = [turn.state.cases[case_id] for case_id in turn.state.by_signal.all(signal.id)]
    cases = [case for case in cases if _refresh(turn, case, member) is Held.YES]
    places = groups_of(turn.policy.route, member.labels)
    for place in lacking(cases, places):
        join(turn, case_for(turn, place, member), member)
    cover(turn, member)
    first = turn.state.groups.get(places[0].key)
    if first is not None and not member.is_drill:
        advise(turn, turn.state.cases[first], member)


def lacking(cases: Sequence[Case], places: Sequence[Group]) -> list[Group]:
    """The groups of a signal for which none of its incidents stands.

    What somebody closed stays closed: it stands for a group, also where another policy calls that otherwise.
    """
    held, named = {case.key for case in cases}, {place.key for place in places}
    closed = sum(not case.open and case.key not in named for case in cases)
    return [place for place in places if place.key not in held][closed:]


def weighed(turn: Turn, signal: Signal) -> Member:
    """The signal with its labels and the score it has now."""
    labels = with_team(turn.policy, {"detector": signal.detector, "finding": signal.finding, **signal.labels})
    worth = score(signal, labels, turn.policy, turn.now, beside(turn, signal, labels))
    labels["severity"] = worth.severity
    return Member(
        signal=signal,
        labels=labels,
        score=worth.total,
        parts=worth.parts,
        severity=worth.severity,
        asserted=turn.now,
    )


def _highest(turn: Turn, member: Member) -> None:
    """Keeps the highest score that the signal had since it fires."""
    for case_id in turn.state.by_signal.all(member.signal.id):
        before = turn.state.cases[case_id].members[member.signal.id]
        if before.fires and weight(before) > weight(member):
            member.score, member.parts, member.severity = before.score, before.parts, before.severity
    member.labels["severity"] = member.severity


def join(turn: Turn, case: Case, member: Member) -> None:
    """Puts a signal into an incident, and sees to it that it is told."""
    fires_again = not case.open
    if fires_again:
        _clear(turn, case)
    if not _has_room(turn, case, member):
        return
    before = case.members.get(member.signal.id)
    if before is not None:
        turn.state.remove(case, before)
    turn.state.put(case, _copy(member))
    case.weigh()
    if fires_again:
        _reopen(turn, case)
    settle(turn, case, member)
    _flush_for(turn, case, member)
    watch(turn, case)
    turn.changed(case)


def _has_room(turn: Turn, case: Case, member: Member) -> bool:
    """Whether a signal finds room in an incident: at the cap the least of those that weigh less makes it."""
    if len(case.members) < MEMBER_CAP or member.signal.id in case.members:
        return True
    least = min(case.members.values(), key=lambda each: (each.fires, weight(each)))
    has_room = not least.fires or weight(least) < weight(member)
    if has_room:
        turn.state.remove(case, least)
    case.beyond += 1
    turn.state.count("signals beyond an incident's cap")
    turn.state.touch(case)
    return has_room


def case_for(turn: Turn, place: Group, member: Member) -> Case:
    """The incident of a group, opened if there is none. At the cap the root route's overflow takes it in."""
    if place.key not in turn.state.groups and turn.state.open >= OPEN_CAP:
        turn.state.count("incidents beyond the cap")
        place = overflow(turn.policy.route, member.labels)
    case_id = turn.state.groups.get(place.key)
    if case_id is not None:
        return turn.state.cases[case_id]
    case = new_case(turn, place, member)
    turn.state.add(case)
    return case


def new_case(turn: Turn, place: Group, member: Member) -> Case:
    """An incident that opens now, with an id that no other has."""
    case_id = incident_id(place.key, turn.now)
    while case_id in turn.state.cases:
        case_id = incident_id(case_id, turn.now)
    return Case(
        id=case_id,
        key=place.key,
        route=place.route.id,
        receiver=place.route.receiver,
        labels=place.labels,
        opened=turn.now,
        agent=member.labels.get("agent", ""),
        team=member.labels.get("team", ""),
    )


def flush_if_worse(turn: Turn, case: Case, member: Member) -> None:
    """A severity above what a target was told, or somebody took, is not to wait for the grid."""
    known = [told.severity for told in case.told.values()]
    if not known and case.status == "acknowledged":
        known = [case.taken]
    if any(RANK[case.severity] > RANK[each] for each in known):
        flush_soon(turn, case, member)


def _refresh(turn: Turn, case: Case, member: Member) -> Held:
    """Brings a member up to date."""
    before = case.members[member.signal.id]
    if not before.fires:
        return Held.NO
    turn.state.touch(case)
    if not case.open and RANK[member.severity] > RANK[before.severity]:
        turn.state.remove(case, before)
        cool_if_over(turn, case)
        return Held.NO
    severity: Severity = case.severity
    turn.state.renew(case, _copy(member))
    settle(turn, case, member)
    case.weigh()
    if case.open and case.severity != severity:
        flush_if_worse(turn, case, member)
        turn.changed(case)
    return Held.YES


def settle(turn: Turn, case: Case, member: Member) -> None:
    """What flaps fires again: an end that was not believed is void, or the end of another signal by now."""
    ended = case.ended
    before = fires_again(turn, case) if ended else None
    if before is not None and ended is not None and ended.id != member.signal.id:
        believe(turn, case, before, ended)
    if ended is not None:
        # What fires may fall silent again: while its end was doubted nothing looked.
        watch(turn, case)


def _flush_for(turn: Turn, case: Case, member: Member) -> None:
    if case.grid is None and not case.told:
        flush_soon(turn, case, member)
    else:
        flush_on_grid(turn, case, turn.now)
        flush_if_worse(turn, case, member)


def _clear(turn: Turn, case: Case) -> None:
    """What was is gone before a resolved incident fires again."""
    for member in tuple(case.members.values()):
        turn.state.remove(case, member)
        case.gone += 1


def _reopen(turn: Turn, case: Case) -> None:
    """The incident fires again: it keeps its id and, where it is the same matter, its acknowledgement.

    What fires is in it already: whose escalation it is, its labels tell.
    """
    stop_unmeant(turn, case)
    take_up(turn, case)
    case.resolved = None
    case.opening += 1
    turn.disarm(case, COOL)
    turn.state.reopen(case)


def _copy(member: Member) -> Member:
    """Each incident has its own record of a signal."""
    return Member(
        signal=member.signal,
        labels=member.labels,
        score=member.score,
        parts=member.parts,
        severity=member.severity,
        asserted=member.asserted,
    )
