"""Another clock. What waited without an end while time was history's waits within bounds by the wall's."""

from typing import Literal

from routing.incidents.closing import FORGET, NEVER, RETENTION
from routing.incidents.incident import Case
from routing.incidents.paging import UNKNOWN_AFTER, edit_timer, page_timer
from routing.incidents.turn import Turn


def keep_time(turn: Turn, clock: Literal["wall", "events"]) -> None:
    """Goes by this clock from here on."""
    core = turn.state.core
    is_other = core.clock != clock
    core.clock = clock
    if is_other and clock == "wall":
        for unheard in core.unheard.values():
            unheard.due = min(unheard.due, turn.now + UNKNOWN_AFTER)
        for case_id in sorted(turn.state.cases):
            _bound(turn, turn.state.cases[case_id])


def _bound(turn: Turn, case: Case) -> None:
    """The outcomes that its pages lack, and how long it is kept once it is over."""
    for sent in case.pages.values():
        if sent.state == "waiting" and page_timer(sent) not in case.timers:
            turn.arm(case, page_timer(sent), UNKNOWN_AFTER)
        if sent.edit is not None and not sent.edit.settled and edit_timer(sent) not in case.timers:
            turn.arm(case, edit_timer(sent), UNKNOWN_AFTER)
    if case.timers.get(FORGET) == NEVER:
        turn.arm_at(case, FORGET, max(turn.now, (case.resolved or turn.now) + RETENTION))
