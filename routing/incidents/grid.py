"""When a group is flushed: after group_wait, then on a grid of group_interval while there is news."""

from datetime import datetime, timedelta

from routing.incidents.incident import Case, Member
from routing.incidents.turn import Turn

FLUSH = "flush"


def flush_soon(turn: Turn, case: Case, member: Member) -> None:
    """Flushes after group_wait, or at once where the signal has lasted that long already."""
    wait = turn.route(case).group_wait
    due = turn.now if member.signal.onset + wait <= turn.now else turn.now + wait
    _arm_earlier(turn, case, due)


def flush_on_grid(turn: Turn, case: Case, wanted: datetime) -> None:
    """Flushes at the first point of the grid that is not before `wanted`, and after now.

    An incident that was never flushed has its first flush before it.
    """
    if case.grid is None:
        return
    earliest = max(wanted, turn.now + timedelta.resolution)
    interval = turn.route(case).group_interval
    _arm_earlier(turn, case, case.grid - ((case.grid - earliest) // interval) * interval)


def _arm_earlier(turn: Turn, case: Case, due: datetime) -> None:
    armed = case.timers.get(FLUSH)
    if armed is None or due < armed:
        turn.arm_at(case, FLUSH, due)
