"""The routing fold: a cause, and the timers due before it, give pages, updates, incidents and advice.

Time comes with the causes. Timers fire at their own due time, in order, before anything later is applied, so
the outcome does not depend on when the router happens to be woken.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from routing.incidents import handoffs, refusals
from routing.incidents.briefing import published
from routing.incidents.closing import ACK, COOL, FORGET, STALE, calm_due, cool_due, forget_due, stale_due
from routing.incidents.drill_times import follow
from routing.incidents.drills import announced, concluded
from routing.incidents.escalation import climb_due
from routing.incidents.flapping import CALM
from routing.incidents.flushing import flush
from routing.incidents.grid import FLUSH
from routing.incidents.hands import ack_due, acknowledged, resolved, ruled, silenced, snoozed
from routing.incidents.incident import Case
from routing.incidents.joining import signalled
from routing.incidents.notices import notice_due
from routing.incidents.outcomes import edit_due, page_due, reported
from routing.incidents.reload import rematch
from routing.incidents.saying import commented, judged, reassigned
from routing.incidents.state import State
from routing.incidents.storms import fold_due, storm_due
from routing.incidents.telling import UNREACHED
from routing.incidents.timekeeping import keep_time
from routing.incidents.timers import Due
from routing.incidents.turn import Routed, Turn
from routing.incidents.unreached import unreached_due
from routing.oncall.instants import in_utc, utc
from routing.policy import Policy
from schemas.cause import (
    Acknowledged,
    AnyCause,
    Approved,
    Commented,
    Concluded,
    Configured,
    Drilled,
    Hand,
    Housekeeping,
    Judged,
    Reassigned,
    Reported,
    Resolved,
    Signalled,
    Silenced,
    Snoozed,
)
from schemas.record import Output

ON_INCIDENT: Mapping[str, Callable[[Turn, Case], None]] = {
    ACK: ack_due,
    CALM: calm_due,
    COOL: cool_due,
    FLUSH: flush,
    FORGET: forget_due,
    STALE: stale_due,
    UNREACHED: unreached_due,
}
ON_PART: Mapping[str, Callable[[Turn, Case, str], None]] = {
    "climb": climb_due,
    "edit": edit_due,
    "fold": fold_due,
    "notice": notice_due,
    "page": page_due,
    "storm": storm_due,
}
BY_HAND: Mapping[type[Hand], Callable[[Turn, Any], None]] = {
    Acknowledged: acknowledged,
    Approved: ruled,
    Commented: commented,
    Judged: judged,
    Reassigned: reassigned,
    Resolved: resolved,
    Silenced: silenced,
    Snoozed: snoozed,
}


def decide(state: State, cause: AnyCause, policy: Policy) -> Routed:
    """Applies a cause. The state is changed in place and handed back; the same causes give the same outputs.

    `policy`: the one that holds with this cause; of a `Configured`, the new one.
    """
    outputs: list[Output] = []
    now = later(state, cause)
    _fire(state, policy, outputs, now)
    state.core.now = now
    turn = Turn(state, policy, now, outputs)
    _apply(turn, cause)
    _follow_schedules(turn, cause)
    _publish(turn)
    _fire(state, policy, outputs, now)
    return Routed(state, outputs)


def later(state: State, cause: AnyCause) -> datetime:
    """What time it is with this cause: never earlier than before.

    Where the clock is the events', what hosts and notifiers write has no say in it, until it is the wall's.
    """
    turns = isinstance(cause, Configured) and cause.clock == "wall"
    if state.core.clock == "events" and isinstance(cause, Housekeeping) and not turns:
        return state.core.now
    return max(state.core.now, utc(cause.at))


def _apply(turn: Turn, cause: AnyCause) -> None:
    if isinstance(cause, Signalled):
        signalled(turn, in_utc(cause.signal))
    elif isinstance(cause, Reported):
        reported(turn, cause)
    elif isinstance(cause, Drilled):
        announced(turn, cause)
    elif isinstance(cause, Concluded):
        concluded(turn, cause)
    elif isinstance(cause, Configured):
        keep_time(turn, cause.clock)
        follow(turn.state.core, turn.policy, turn.now)
        refusals.follow(turn)
        rematch(turn)
    elif isinstance(cause, Hand):
        BY_HAND[type(cause)](turn, cause)


def _follow_schedules(turn: Turn, cause: AnyCause) -> None:
    """Of a new configuration, and first of all; the events' clock begins with the first event."""
    begun = turn.state.core.handoff_at is not None
    is_known = turn.state.core.clock == "wall" or not isinstance(cause, Housekeeping)
    if (begun and isinstance(cause, Configured)) or (not begun and is_known):
        handoffs.follow(turn)


def _fire(state: State, policy: Policy, outputs: list[Output], until: datetime) -> None:
    """Fires what is due by `until`, each at its own time."""
    while (due := _next(state, policy, outputs, until)) is not None:
        at, case_id, name = due
        turn = Turn(state, policy, at, outputs, until)
        case = state.cases[case_id]
        state.touch(case)
        _timer(turn, case, name)
        _publish(turn)


def _next(state: State, policy: Policy, outputs: list[Output], until: datetime) -> Due | None:
    """Takes out the incidents' timer that is due by `until`, after the handoffs that are due before it."""
    while (at := state.core.handoff_at) is not None and at <= until:
        first = state.timers.next()
        if first is not None and first[0] < at:
            break
        handoffs.due(Turn(state, policy, at, outputs, until))
    return state.timers.take(until)


def _timer(turn: Turn, case: Case, name: str) -> None:
    if name in ON_INCIDENT:
        ON_INCIDENT[name](turn, case)
        return
    kind, _, about = name.partition(" ")
    ON_PART[kind](turn, case, about)


def _publish(turn: Turn) -> None:
    for case in turn.news.values():
        turn.emit("incidents", case.id, published(turn, case))
