"""Flushing a group: whom to page, whose page to bring up to date, when to look again.

Alertmanager's rules (notify.DedupStage.needsUpdate) with these differences: what joins or leaves is an edit
of the page that is already there, and so is a rise of severity from `error` on. A new page is sent only where
severity rises to `error` or above for a target that was told less, where the incident fires again after its
resolution, and after repeat_interval while nobody answered.
"""

from datetime import datetime, timedelta

from routing.incidents.digests import gather
from routing.incidents.escalation import HANDED, begin, begin_again, climb_timer, meant
from routing.incidents.grid import flush_on_grid
from routing.incidents.incident import Case, Told
from routing.incidents.muting import hearing, listen_again, note_muting
from routing.incidents.notices import arm_notices
from routing.incidents.paging import edit_latest
from routing.incidents.rationing import outgrown, resubmit
from routing.incidents.telling import loudest, note, target_key, tell_channel
from routing.incidents.turn import Turn
from routing.policy import ChannelTarget, EscalationTarget
from routing.severity import RANK
from schemas.page import PageReason, Severity


def page_reason(
    case: Case, told: Told | None, severity: Severity, now: datetime, repeat_interval: timedelta
) -> PageReason | None:
    """Why a target is to be paged now, or None. `severity`: the highest of what is not muted.

    Whoever took the incident before a target was told of it did so for what it was then.
    """
    if told is None and case.status == "triggered":
        return "opened"
    if RANK[told.severity if told else case.taken] < RANK["error"] <= RANK[severity]:
        return "joined"
    if told is None or case.status != "triggered":
        return None
    if case.opening > told.opening:
        return "reopened"
    return "repeated" if now >= told.paged + repeat_interval else None


def flush(turn: Turn, case: Case) -> None:
    """Says what is new about a group to the targets of its receiver, or to whom it was handed."""
    case.grid = turn.now
    heard = note_muting(turn, case, hearing(turn, case))
    if heard:
        for key, target in _listeners(turn, case):
            _tell(turn, case, key, target)
        for held in outgrown(turn, case):
            resubmit(turn, case, held)
    edit_news(turn, case)
    arm_notices(turn, case)
    for member in [each for each in case.members.values() if not each.fires]:
        turn.state.remove(case, member)
        case.gone += 1
    turn.state.touch(case)
    if heard:
        arm_repeat(turn, case)
    if len(heard) < len(case.firing()):
        flush_on_grid(turn, case, listen_again(turn, case))


def targets(turn: Turn, case: Case) -> tuple[ChannelTarget | EscalationTarget, ...]:
    """What the incident's receiver notifies; an escalation that several of its entries mean, once."""
    receiver = turn.policy.receivers.get(case.receiver)
    every = receiver.notify if receiver else ()
    found: dict[str, ChannelTarget | EscalationTarget] = {}
    for each in every:
        if isinstance(each, EscalationTarget):
            found.setdefault(f"escalation {meant(turn, case, each)}", each)
        else:
            found.setdefault(target_key(each), each)
    return tuple(found.values())


def climbed(turn: Turn, case: Case) -> tuple[str, ...]:
    """Names of the escalations that are climbed, or that will be as soon as somebody is paged."""
    if case.climbs:
        return tuple(climb.escalation for climb in case.climbs.values())
    escalations = [each for each in targets(turn, case) if isinstance(each, EscalationTarget)]
    return tuple(meant(turn, case, each) for each in escalations)


def stop_unmeant(turn: Turn, case: Case) -> None:
    """Escalations that the incident's receiver no longer means are not climbed further."""
    keys = {HANDED, *(target_key(target) for target in targets(turn, case))}
    for key, climb in case.climbs.items():
        if key not in keys:
            climb.finished = True
            turn.disarm(case, climb_timer(key))


def arm_repeat(turn: Turn, case: Case) -> None:
    """Looks again when the first target has not heard of it for repeat_interval, while nobody answers."""
    if case.status != "triggered":
        return
    keys = [key for key, _ in _listeners(turn, case)]
    waits = [case.told[key].paged for key in keys if key in case.told and not _climbs(case, key)]
    if waits:
        flush_on_grid(turn, case, min(waits) + turn.route(case).repeat_interval)


def edit_news(turn: Turn, case: Case) -> None:
    """Brings up to date the pages of targets that do not show all that fires, ended, is worse or hushed."""
    firing = tuple(member.signal.id for member in case.members.values() if member.fires)
    resolved = tuple(member.signal.id for member in case.members.values() if not member.fires)
    severity = loudest(turn, case)
    hushed = len(turn.state.hushed.all(case.id))
    for key, told in case.told.items():
        is_known = set(firing) <= set(told.firing) and set(resolved) <= set(told.resolved)
        if not is_known or RANK[severity] > RANK[told.shown] or hushed > told.hushed:
            edit_latest(turn, case, (key,), "updated")
            told.shown = max(severity, told.shown, key=RANK.__getitem__)
        told.firing, told.resolved, told.hushed = firing, resolved, hushed


def _listeners(turn: Turn, case: Case) -> list[tuple[str, ChannelTarget | EscalationTarget | None]]:
    """Who is told, by key. To whom an incident was handed, they hear of it instead of the escalations."""
    found = targets(turn, case)
    if HANDED not in case.climbs:
        return [(target_key(each), each) for each in found]
    channels = [(target_key(each), each) for each in found if isinstance(each, ChannelTarget)]
    return [(HANDED, None), *channels]


def _tell(turn: Turn, case: Case, key: str, target: ChannelTarget | EscalationTarget | None) -> None:
    route = turn.route(case)
    told = case.told.get(key)
    reason = page_reason(case, told, loudest(turn, case), turn.now, route.repeat_interval)
    if reason is None and _outgrew(case, key, loudest(turn, case)):
        reason = "joined"
    if reason is None or (reason == "repeated" and _climbs(case, key)):
        return
    if isinstance(target, ChannelTarget) and target.digest:
        note(turn, case, key)
        if reason != "repeated":
            gather(turn, case, target)
    elif isinstance(target, ChannelTarget):
        tell_channel(turn, case, case.receiver, target, reason)
    elif target is None:
        begin_again(turn, case, key, reason)
    else:
        begin(turn, case, key, target, reason)


def _outgrew(case: Case, key: str, severity: Severity) -> bool:
    """Whether what was one incident of many on a page is critical by now."""
    told = [each.severity for each in case.folded.values() if each.target == key and not each.over]
    return severity == "critical" and case.status == "triggered" and any(each != severity for each in told)


def _climbs(case: Case, key: str) -> bool:
    climb = case.climbs.get(key)
    return climb is not None and not climb.finished
