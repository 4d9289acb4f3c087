"""Incidents of which no page got through: what is dead for now may not be dead for good."""

from routing.incidents.escalation import is_answered
from routing.incidents.incident import Case, Folded, Sent
from routing.incidents.muting import audible
from routing.incidents.paging import OVER
from routing.incidents.telling import UNREACHED, UNREACHED_WAIT, tell
from routing.incidents.turn import Turn


def unreached_due(turn: Turn, case: Case) -> None:
    """The receiver's channels are tried again, and the root's; a climb that goes on pages people itself."""
    if case.status != "triggered" or _is_reached(case):
        return
    if audible(turn, case):
        tell(turn, case, case.receiver, "fallback", turn.now)
    else:
        turn.arm(case, UNREACHED, UNREACHED_WAIT)


def _is_reached(case: Case) -> bool:
    """Whether somebody has it, or is yet to get it, by a page that is not answered by now."""
    own = (each for each in case.pages.values() if each.state not in OVER and not is_answered(case, each))
    told = (each for each in case.folded.values() if not each.over)
    return any(_is_of_now(case, each) for each in own) or any(_is_of_now(case, each) for each in told)


def _is_of_now(case: Case, page: Sent | Folded) -> bool:
    """Whether nobody took the incident since, and it did not end."""
    return (page.takes, page.opening) == (case.takes, case.opening)
