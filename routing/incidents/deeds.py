"""What people did to an incident, each once, and noted: who, when, by which way."""

from routing.incidents.incident import Case
from routing.incidents.turn import Turn
from schemas.cause import Hand
from schemas.deed import Deed, Did

SEEN_CAP = 64
"""Ids of what people did that an incident remembers; the oldest are forgotten."""
DEEDS_CAP = 32
NAME, NOTE = 200, 1_000
"""Letters of names and notes that are kept."""


def first_time(turn: Turn, cause: Hand) -> Case | None:
    """The incident meant, open or over, if this is news; the id is remembered."""
    case = turn.state.cases.get(cause.incident)
    if case is None:
        turn.state.count("words about incidents that are not open")
        return None
    if cause.id in case.seen:
        turn.state.count("words repeated")
        return None
    case.seen = (*case.seen, cause.id)[-SEEN_CAP:]
    turn.state.touch(case)
    return case


def first_time_open(turn: Turn, cause: Hand) -> Case | None:
    """The incident meant, if it is open and this is news."""
    case = turn.state.cases.get(cause.incident)
    if case is not None and not case.open:
        turn.state.count("words about incidents that are not open")
        return None
    return first_time(turn, cause)


def who(turn: Turn, cause: Hand) -> str:
    """The name of who did it: the configuration's, where it knows the account."""
    users = turn.policy.users.values() if cause.account else ()
    known = (user.name for user in users if user.contacts.get(cause.via) == cause.account)
    return next(known, cause.by)[:NAME]


def note_deed(turn: Turn, case: Case, cause: Hand, did: Did, note: str = "") -> None:
    """Notes who did what, when and by which way."""
    deed = Deed(at=turn.now, by=who(turn, cause), did=did, via=cause.via[:NAME], note=note[:NOTE])
    case.deeds = (*case.deeds, deed)[-DEEDS_CAP:]
    turn.changed(case)
