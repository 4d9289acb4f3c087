"""Advice that waits for a person: what an incident offers to be granted or refused."""

from datetime import datetime

from routing.incidents.incident import Case, Given
from schemas.decision import Offer
from schemas.identity import derived

MOST_OFFERS = 8
"""What is shown of an incident; what comes after is granted by its id."""
REMEMBERED = 64
"""Advice that is given again while it waits may still be granted by what it was called before."""


def offers(case: Case, now: datetime) -> tuple[Offer, ...]:
    """The advice that holds and that nobody granted yet, the oldest first."""
    found = [(about, each) for about, each in case.advised.items() if waits(each) and each.holds(now)]
    return tuple(
        Offer(
            decision=decision_id(case, about),
            action=each.action,
            subject=each.subject,
            until=each.until,
        )
        for about, each in found[:MOST_OFFERS]
    )


def waits(given: Given) -> bool:
    """Whether a person has still to say something to it."""
    return not (given.automatic or given.granted_by or given.refused_by)


def decision_id(case: Case, about: str, times: int = 0) -> str:
    """The id of advice as it was given for the n-th time, or the last."""
    number = times or case.advised[about].times
    return derived("dec", case.id, about, str(case.opening), str(number))


def meant_by(case: Case, decision: str) -> str | None:
    """Which advice an id means: what it says of whom, or None."""
    for about, given in case.advised.items():
        for times in range(given.times, max(0, given.times - REMEMBERED), -1):
            if decision_id(case, about, times) == decision:
                return about
    return None
