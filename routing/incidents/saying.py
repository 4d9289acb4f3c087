"""What people say of incidents: to whom it goes, what they know, whether the page was worth it."""

from routing.incidents.deeds import first_time, first_time_open, note_deed, who
from routing.incidents.escalation import HANDED, hand_over
from routing.incidents.flushing import climbed
from routing.incidents.grid import flush_on_grid
from routing.incidents.incident import Case
from routing.incidents.lapsing import let_go
from routing.incidents.paging import edit_latest
from routing.incidents.turn import Turn
from schemas.cause import Commented, Judged, Reassigned

JUDGES_CAP = 64


def reassigned(turn: Turn, cause: Reassigned) -> None:
    """Somebody hands an incident over: the new one is paged now, and after them who would have been."""
    if not _is_known(turn, cause):
        whom = f"user {cause.user!r}" if cause.user else f"team {cause.team!r}"
        turn.complain(f"reassignment {cause.id}: there is no {whom}", cause.id)
        return
    case = first_time_open(turn, cause)
    if case is None:
        return
    case.assigned = f"user {cause.user}" if cause.user else f"team {cause.team}"
    note_deed(turn, case, cause, "reassigned", f"to {case.assigned}")
    let_go(turn, case)
    escalation = _present(turn, case) if cause.user else turn.policy.teams[cause.team].escalation
    edit_latest(turn, case, case.told, "updated")
    hand_over(turn, case, cause.user, escalation)
    # A channel that the receiver got while somebody had the incident was not told yet.
    flush_on_grid(turn, case, turn.now)


def commented(turn: Turn, cause: Commented) -> None:
    """Somebody says something: it stands in the thread of each page."""
    case = first_time(turn, cause)
    if case is None:
        return
    note_deed(turn, case, cause, "commented", cause.text)
    edit_latest(turn, case, case.told, "commented")


def judged(turn: Turn, cause: Judged) -> None:
    """Somebody tells whether the page was worth it."""
    case = first_time(turn, cause)
    if case is None:
        return
    judge = who(turn, cause)
    if judge not in case.judged and len(case.judged) >= JUDGES_CAP:
        turn.state.count("verdicts refused at the cap")
        return
    case.judged[judge] = cause.verdict
    note_deed(turn, case, cause, "judged", cause.verdict)


def _is_known(turn: Turn, cause: Reassigned) -> bool:
    return cause.user in turn.policy.users if cause.user else cause.team in turn.policy.teams


def _present(turn: Turn, case: Case) -> str:
    """The escalation that is climbed now, or would be."""
    handed = case.climbs.get(HANDED)
    return handed.escalation if handed else next(iter(climbed(turn, case)), "")
