"""How long an acknowledgement holds: until it lapses, and over a short recovery."""

from datetime import datetime, timedelta

from routing.incidents.closing import ACK
from routing.incidents.flushing import climbed
from routing.incidents.incident import Case
from routing.incidents.turn import Turn

SAME_MATTER = timedelta(minutes=15)
"""What fires again so soon after its end is what somebody took; later it is a new matter."""


def lapses_at(turn: Turn, case: Case) -> datetime | None:
    """When nobody has the incident any more: the end of a snooze, or of the shortest `ack_timeout`."""
    if case.acknowledged is None or case.snoozed is not None:
        return case.snoozed
    found = (turn.policy.escalations.get(name) for name in climbed(turn, case))
    waits = [each.ack_timeout for each in found if each and each.ack_timeout]
    return case.acknowledged + min(waits) if waits else None


def arm_lapse(turn: Turn, case: Case) -> None:
    """Looks again when the acknowledgement lapses, if it ever does."""
    turn.disarm(case, ACK)
    due = lapses_at(turn, case)
    if due is not None:
        turn.arm_at(case, ACK, due)


def let_go(turn: Turn, case: Case) -> None:
    """Nobody has the incident any more."""
    case.status = "triggered"
    case.acknowledged_by = ""
    case.acknowledged = None
    case.snoozed = None
    turn.disarm(case, ACK)


def take_up(turn: Turn, case: Case) -> None:
    """A resolved incident fires again: whoever had it still has it, if that is not over by now.

    An acknowledgement counts for SAME_MATTER after the end and until it would have lapsed; a snooze until
    its time.
    """
    lapses = lapses_at(turn, case)
    is_over = lapses is not None and lapses <= turn.now
    is_late = case.resolved is not None and case.snoozed is None and case.resolved + SAME_MATTER <= turn.now
    if case.acknowledged is None or is_over or is_late:
        let_go(turn, case)
    else:
        case.status = "acknowledged"
        arm_lapse(turn, case)
