"""Flapping: what ends and fires again, time after time, stays open until it has been quiet for long.

Its last end is believed only then; until then its signal counts as firing.
"""

from datetime import timedelta

from routing.incidents.incident import Case, Member
from routing.incidents.turn import Turn
from schemas.signal import Signal

CALM = "calm"
GROUPS_CAP = 1_000
"""Groups whose ends are remembered; beyond, the one that ended first is forgotten."""


def is_damped(turn: Turn, case: Case, ended: Signal) -> bool:
    """Whether the end of an incident's last signal is not believed yet, because it fired too often lately.

    Ends of fire drills are not counted.
    """
    rule = turn.policy.limits.flapping
    if case.drill:
        return False
    if case.ended is not None and case.ended.id == ended.id:
        return True
    times = _ends(turn, case)
    if rule is None or len(times) < rule.times:
        return False
    case.flaps = max(case.flaps, len(times))
    case.ended = ended
    turn.arm(case, CALM, rule.quiet)
    turn.changed(case)
    return True


def fires_again(turn: Turn, case: Case) -> Member | None:
    """The end that was not believed is void; gives the member that ended, for another may fire instead."""
    ended, case.ended = case.ended, None
    turn.disarm(case, CALM)
    return case.members.get(ended.id) if ended else None


def is_over(case: Case, member: Member) -> bool:
    """Whether a member counts as firing only because its incident flaps."""
    return case.ended is not None and case.ended.id == member.signal.id


def _ends(turn: Turn, case: Case) -> tuple[float, ...]:
    """When the group ended lately, this time included."""
    rule, known = turn.policy.limits.flapping, turn.state.core.ends
    within = rule.within if rule else timedelta(0)
    before = known.pop(case.key, ())
    recent = tuple(each for each in before if each > (turn.now - within).timestamp())
    known[case.key] = (*recent, turn.now.timestamp())[-(rule.times if rule else 1) :]
    while len(known) > GROUPS_CAP:
        del known[next(iter(known))]
    return known[case.key]
