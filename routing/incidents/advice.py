"""The advice that agents and gateways subscribe to: given, renewed, granted by a person, and taken back."""

from datetime import timedelta

from routing.incidents.deeds import note_deed, who
from routing.incidents.incident import Case, Given, Member
from routing.incidents.offers import decision_id, meant_by, waits
from routing.incidents.paging import edit_latest
from routing.incidents.remedies import Remedy, remedies
from routing.incidents.turn import Turn
from schemas.cause import Approved
from schemas.decision import Action, Decision
from schemas.identity import canonical

MOST_ADVICE = 64
"""Pieces of advice an incident remembers; at the cap it gives no more."""
HALF_OPEN = timedelta(minutes=1)
"""How long single calls are let through to see whether a dependency is well again."""
SUBJECT = (
    "agent", "env", "team", "kind", "tool", "model", "provider", "dependency", "session", "tenant", "release",
)  # fmt: skip


def advise(turn: Turn, case: Case, member: Member) -> None:
    """Gives the advice that a signal calls for, once for each subject while it is valid."""
    for remedy in remedies(turn.policy, member):
        _give(turn, case, member, remedy)


def _give(turn: Turn, case: Case, member: Member, remedy: Remedy) -> None:
    subject = {name: member.labels[name] for name in SUBJECT if name in member.labels} | dict(remedy.about)
    about = f"{remedy.action} {canonical(subject)}"
    before = case.advised.get(about)
    if before is not None and (before.refused_by or before.holds(turn.now)):
        before.signal = member.signal.id
        turn.state.touch(case)
        return
    if before is None and not _has_room(turn, case):
        turn.state.count("advice dropped at the cap")
        return
    action, valid = _turned(remedy, before)
    given = Given(
        action=action,
        subject=subject,
        until=None if valid is None else turn.now + valid,
        automatic=remedy.automatic,
        times=1 if before is None else before.times + 1,
        granted_by="" if before is None else before.granted_by,
        valid=remedy.valid,
        after_s=remedy.after_s,
        retries=remedy.times,
        then=remedy.then,
        limits=dict(remedy.limits),
        like=remedy.like,
        signal=member.signal.id,
    )
    case.advised[about] = given
    turn.state.touch(case)
    _say(turn, case, about)
    if waits(given):
        turn.changed(case)
        if before is None:
            edit_latest(turn, case, case.told, "updated")


def _has_room(turn: Turn, case: Case) -> bool:
    """Whether there is room for one more; at the cap one that is over makes room, the oldest first."""
    if len(case.advised) < MOST_ADVICE:
        return True
    over = (about for about, each in case.advised.items() if not (each.refused_by or each.holds(turn.now)))
    oldest = next(over, None)
    if oldest is not None:
        del case.advised[oldest]
    return oldest is not None


def _turned(remedy: Remedy, before: Given | None) -> tuple[Action, timedelta | None]:
    """A circuit that was open is opened half before it is opened again: else nobody would see it recover."""
    if before is not None and before.action == "open_circuit":
        return "half_open_circuit", HALF_OPEN
    return remedy.action, remedy.valid


def approved(turn: Turn, case: Case, cause: Approved) -> None:
    """A person grants or refuses advice that waits for one; what was refused is not given again."""
    about = meant_by(case, cause.decision)
    if about is None:
        turn.complain(f"decision {cause.decision} is none that incident {case.id} gave last", cause.decision)
        return
    given = case.advised[about]
    if cause.verdict == ("granted" if given.granted_by else "refused" if given.refused_by else ""):
        turn.state.count("decisions granted or refused before")
        return
    if cause.verdict == "refused":
        given.refused_by, given.granted_by, given.until = who(turn, cause), "", turn.now
    else:
        given.granted_by, given.refused_by = who(turn, cause), ""
        given.until = None if given.valid is None else turn.now + given.valid
    note_deed(turn, case, cause, cause.verdict, about)
    _say(turn, case, about)
    edit_latest(turn, case, case.told, "updated")


def withdraw(turn: Turn, case: Case, signal: str | None = None) -> None:
    """Takes back what a signal (or, without one, any) called for: circuits close, the rest ends.

    What another signal calls for, too, is given again when that is next asserted.
    """
    for about, given in case.advised.items():
        if signal is not None and given.signal != signal:
            continue
        if given.action in ("open_circuit", "half_open_circuit"):
            given.action, given.until, given.times = "close_circuit", turn.now, given.times + 1
        elif given.holds(turn.now):
            given.until = turn.now
        else:
            continue
        turn.state.touch(case)
        _say(turn, case, about)


def _say(turn: Turn, case: Case, about: str) -> None:
    given = case.advised[about]
    decision = Decision(
        id=decision_id(case, about),
        time=turn.now,
        action=given.action,
        subject=given.subject,
        reason=case.summary,
        incident=case.id,
        until=None if given.action == "close_circuit" else given.until,
        automatic=given.automatic,
        granted_by=given.granted_by,
        after_s=given.after_s,
        times=given.retries,
        then=given.then,
        limits=given.limits,
        like=given.like,
    )
    turn.emit("decisions", case.id, decision)
