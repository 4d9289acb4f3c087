"""Telling a receiver's channels, and noting what each target was told."""

from datetime import datetime, timedelta

from routing.addressing import channel_key
from routing.incidents.incident import Case, Told
from routing.incidents.muting import audible
from routing.incidents.paging import OVER, Address
from routing.incidents.rationing import elsewhere, page
from routing.incidents.turn import Turn
from routing.policy import ChannelTarget, EscalationTarget
from routing.severity import RANK
from schemas.page import PageReason, Severity

UNREACHED = "unreached"
UNREACHED_WAIT = timedelta(minutes=10)
"""After so long everything is tried again where no channel took a page."""


def target_key(target: ChannelTarget | EscalationTarget) -> str:
    """The name under which is noted what a target was told; it outlives the receiver's name."""
    if isinstance(target, ChannelTarget):
        return channel_key(target.channel)
    return f"escalation:{target.escalation}"


def loudest(turn: Turn, case: Case) -> Severity:
    """The highest severity of what fires and is not muted."""
    return max((member.severity for member in audible(turn, case)), key=RANK.__getitem__, default="info")


def note(turn: Turn, case: Case, key: str) -> Told:
    """Notes that a target is paged now, about all that is known now."""
    before = case.told.get(key)
    members = case.members.values()
    severity = loudest(turn, case)
    told = Told(
        firing=tuple(member.signal.id for member in members if member.fires),
        resolved=tuple(member.signal.id for member in members if not member.fires),
        paged=turn.now,
        severity=severity,
        opening=case.opening,
        times=before.times + 1 if before else 1,
        shown=severity,
        hushed=len(turn.state.hushed.all(case.id)),
    )
    case.told[key] = told
    turn.state.touch(case)
    return told


def tell_channel(turn: Turn, case: Case, to: str, target: ChannelTarget, reason: PageReason) -> None:
    """Pages one channel of the receiver `to`."""
    key = target_key(target)
    address = Address(
        target=key,
        to=to,
        channels=(target.channel,),
        sequence=note(turn, case, key).times,
        template=target.template,
        quiet=not target.send_resolved,
    )
    page(turn, case, address, reason)


def tell(turn: Turn, case: Case, name: str, reason: PageReason, since: datetime) -> None:
    """Pages those of a receiver's channels that were not paged since `since`; the root's, if all are dead."""
    for receiver in dict.fromkeys((name, turn.policy.route.receiver)):
        targets = _channels(turn, receiver)
        for target in targets:
            told = case.told.get(target_key(target))
            if told is None or told.paged < since:
                tell_channel(turn, case, receiver, target, reason)
        if any(_may_arrive(case, target_key(target)) for target in targets):
            return
    turn.complain(f"incident {case.id}: no channel is left to page", case.id)
    turn.arm(case, UNREACHED, UNREACHED_WAIT)


def _channels(turn: Turn, receiver: str) -> list[ChannelTarget]:
    found = turn.policy.receivers.get(receiver)
    every = found.notify if found else ()
    return [each for each in every if isinstance(each, ChannelTarget) and each.digest is None]


def _may_arrive(case: Case, key: str) -> bool:
    """Whether the last page to a target was delivered, or may yet be."""
    if any(target == key for target, _, _ in elsewhere(case)):
        return True
    last = next((each for each in reversed(case.pages.values()) if each.target == key), None)
    return last is not None and last.state not in OVER
