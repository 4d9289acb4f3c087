"""Storms: what waits for somebody is told in one page, as soon as the limit allows another."""

from collections.abc import Sequence

from msgspec.structs import replace

from routing.incidents.escalation import LEAST_PAUSE, ask_again, climb_timer, wait_of
from routing.incidents.folding import matters, opens_at
from routing.incidents.handoffs import tally
from routing.incidents.incident import Case, Folded, Sent, Withheld
from routing.incidents.muting import audible
from routing.incidents.paging import PAGE_CAP, edit
from routing.incidents.rationing import (
    address_of,
    band_of,
    drop,
    entry_of,
    is_at,
    outgrown,
    resubmit,
    send_now,
    storm_timer,
    told_by,
)
from routing.incidents.turn import Turn

TOLD_CAP = 1_000
"""Incidents that one page speaks for; what is beyond waits for the next."""
FOLDED_CAP = 32
"""Pages of others that an incident remembers to be told by."""
Waiting = tuple[Case, Withheld]


def storm_due(turn: Turn, case: Case, budget: str) -> None:
    """A page that waits may be sent now, and all that wait with it."""
    own = [each for each in case.withheld.values() if each.budget == budget]
    opens = min((told_by(turn, each) for each in own), default=turn.now)
    if opens > turn.now:
        turn.arm_at(case, storm_timer(budget), opens)
        return
    found = sorted(_ready(turn, budget), key=lambda each: matters(each[0]))
    ready, left = found[:TOLD_CAP], found[TOLD_CAP:]
    if not ready:
        return
    (lead, held), others = ready[0], ready[1:]
    for each, page in ready:
        drop(turn, each, entry_of(page.target, page.to))
    speaks = tuple(dict.fromkeys(each.id for each, _ in others if each is not lead))
    address = replace(address_of(held), speaks=speaks)
    sent = send_now(turn, lead, address, "storm" if speaks else held.reason)
    _count(turn, lead, held)
    for each, page in ready:
        if sent is not None and each is not lead:
            _fold(turn, each, page, lead, sent)
        _climb_on(turn, each, page)
    for each, _ in left:
        turn.arm_at(each, storm_timer(budget), opens_at(turn, budget))


def fold_due(turn: Turn, case: Case, page_id: str) -> None:
    """Something changed about others that a page speaks of."""
    if page_id in case.pages:
        edit(turn, case, case.pages[page_id], "updated")


def _ready(turn: Turn, budget: str) -> Sequence[Waiting]:
    """What waits and is to be told now. What is muted waits on; what has another severity is asked anew.

    Who has the shift may have changed meanwhile.
    """
    found: list[Waiting] = []
    for case in [turn.state.cases[each] for each in turn.state.waiting.all(budget)]:
        if not audible(turn, case):
            for held in [each for each in case.withheld.values() if each.budget == budget]:
                # From when it is heard it waits for a limit.
                held.since = turn.now
            turn.arm(case, storm_timer(budget), LEAST_PAUSE)
            continue
        for held in outgrown(turn, case):
            resubmit(turn, case, held)
        for held in [each for each in case.withheld.values() if each.budget == budget]:
            ask_again(turn, case, held)
        found += [(case, each) for each in case.withheld.values() if each.budget == budget]
    return found


def _count(turn: Turn, lead: Case, held: Withheld) -> None:
    """It is a page of the shift in which it is sent."""
    climb = lead.climbs.get(held.target)
    escalation = turn.policy.escalations.get(climb.escalation) if climb else None
    if escalation and 0 <= held.step < len(escalation.steps):
        tally(turn, lead, escalation.steps[held.step], [held.to])


def _fold(turn: Turn, case: Case, page: Withheld, lead: Case, sent: Sent) -> None:
    case.folded[sent.id] = Folded(
        case=lead.id,
        page=sent.id,
        target=page.target,
        to=page.to,
        severity=band_of(page.budget),
        step=page.step,
        sequence=page.sequence,
        takes=case.takes,
        opening=case.opening,
    )
    settled_first = sorted(case.folded, key=lambda each: not case.folded[each].over)
    beyond = set(settled_first[: max(0, len(case.folded) - FOLDED_CAP)])
    case.folded = {each: folded for each, folded in case.folded.items() if each not in beyond}
    if page.to not in case.paged:
        case.paged = (*case.paged, page.to)[-PAGE_CAP:]
    turn.changed(case)


def _climb_on(turn: Turn, case: Case, page: Withheld) -> None:
    """Whom a step named is told only now: from now on it waits for their answer, unless somebody has it."""
    climb = case.climbs.get(page.target)
    if case.status == "triggered" and climb and not climb.finished and is_at(page, page.target, climb):
        turn.arm(case, climb_timer(page.target), wait_of(turn, climb))
