"""Limits: who had as many pages of a severity as they are to get is not sent another; it waits.

A page that waits is told by an edit of the last one at once, and by one page for all that wait when the limit
allows it (`routing.incidents.storms`). Severities count apart. Not limited are the first page of a critical
incident that nothing sent before covers, what a person hands to another, and another channel for a page
that did not get through.
"""

from datetime import datetime
from typing import cast

from msgspec.structs import replace

from routing.addressing import channel_key
from routing.incidents.briefing import voice_of
from routing.incidents.covering import is_covered
from routing.incidents.folding import CHANNEL, limit_of, opens_at, refresh, show_elsewhere
from routing.incidents.incident import Case, Climb, Sent, Withheld
from routing.incidents.paging import OVER, Address, send
from routing.incidents.state import Budget, Spent
from routing.incidents.turn import Turn
from schemas.page import PageReason, Severity


def page(turn: Turn, case: Case, address: Address, reason: PageReason) -> None:
    """Sends a page, or lets it wait. Pages of drills are not counted."""
    if case.drill:
        send(turn, case, address, reason)
        return
    budget = f"{_whose(turn, case, address)}\n{voice_of(turn, case).severity}"
    entry = entry_of(address.target, address.to)
    before = case.withheld.get(entry)
    drop(turn, case, entry)
    due = opens_at(turn, budget)
    unlimited = (
        limit_of(turn, budget) is None or reason == "reassigned" or _is_first_alarm(turn, case, budget)
    )
    if unlimited or (due <= turn.now and not turn.state.waiting.count(budget)):
        send_now(turn, case, replace(address, budget=budget), reason)
        return
    case.withheld[entry] = held = Withheld(
        budget=budget,
        target=address.target,
        to=address.to,
        channels=address.channels,
        reason=reason,
        since=before.since if before else turn.now,
        step=address.step,
        sequence=address.sequence,
        template=address.template,
        quiet=address.quiet,
    )
    turn.state.waiting.put(budget, case)
    turn.arm_at(case, storm_timer(budget), told_by(turn, held))
    refresh(turn, budget)
    turn.changed(case)


def told_by(turn: Turn, held: Withheld) -> datetime:
    """When a page that waits is to be sent: when the limit allows it, and within the limit's span at most.

    Pages that no limit holds back count as well: they must not hold back for ever what waits behind them.
    """
    opens, limit = opens_at(turn, held.budget), limit_of(turn, held.budget)
    return min(opens, max(turn.now, held.since + limit.per)) if limit else opens


def send_now(turn: Turn, case: Case, address: Address, reason: PageReason) -> Sent | None:
    """Sends a page that counts for its budget."""
    budget = address.budget
    known = turn.state.core.budgets.get(budget, Budget())
    for each in case.folded.values():
        each.over = each.over or (each.target, each.to) == (address.target, address.to)
    sent = send(turn, case, replace(address, ended=known.ended), reason)
    limit = limit_of(turn, budget)
    if sent is None or limit is None:
        return sent
    refresh(turn, budget)
    _settle(turn)
    pages = (*known.pages, Spent(at=turn.now, case=case.id, page=sent.id))[-limit.count :]
    turn.state.core.budgets[budget] = Budget(pages=pages)
    if turn.state.waiting.count(budget):
        refresh(turn, budget)
    return sent


def moved(turn: Turn, before: Sent, after: Sent) -> None:
    """A page is tried over another channel: it is the same page."""
    known = turn.state.core.budgets.get(before.budget, Budget()).pages
    for spent in [each for each in known if each.page == before.id]:
        spent.page = after.id
    for case in filter(None, map(turn.state.cases.get, after.speaks)):
        _move(turn, case, before, after)


def _move(turn: Turn, case: Case, before: Sent, after: Sent) -> None:
    for folded in [each for each in case.folded.values() if each.page == before.id]:
        folded.page = after.id
        turn.state.touch(case)


def drop(turn: Turn, case: Case, entry: str) -> None:
    """A page no longer waits."""
    found = case.withheld.pop(entry, None)
    if found is None:
        return
    if all(each.budget != found.budget for each in case.withheld.values()):
        turn.state.waiting.drop(found.budget, case)
        turn.disarm(case, storm_timer(found.budget))
    refresh(turn, found.budget)
    turn.changed(case)


def drop_all(turn: Turn, case: Case) -> None:
    """The incident was taken or is over: none of its pages waits any more."""
    show_elsewhere(turn, case)
    for entry in tuple(case.withheld):
        drop(turn, case, entry)


def note_ended(turn: Turn, case: Case) -> None:
    """An incident ends while pages of it wait: the next page tells how many did."""
    for budget in {each.budget: None for each in case.withheld.values()}:
        turn.state.core.budgets.setdefault(budget, Budget()).ended += 1


def elsewhere(case: Case) -> list[tuple[str, int, int]]:
    """Target, step and sequence of pages that wait, and of those told by other incidents' pages."""
    waiting = [(each.target, each.step, each.sequence) for each in case.withheld.values()]
    return waiting + [
        (each.target, each.step, each.sequence) for each in case.folded.values() if not each.over
    ]


def stands_still(turn: Turn, case: Case, key: str, climb: Climb) -> bool:
    """Whether the climb waits for the pages of its step: those who answer their pages get them in time.

    What is critical climbs on, and so does what waits for somebody who does not answer.
    """
    own = [each for each in case.withheld.values() if is_at(each, key, climb)]
    return bool(own) and all(_answers(turn, each.budget) for each in own)


def is_at(page: Withheld, key: str, climb: Climb) -> bool:
    """Whether a page that waits is of the step where a climb is."""
    return (page.target, page.step, page.sequence) == (key, climb.step, climb.sequence)


def resubmit(turn: Turn, case: Case, held: Withheld) -> None:
    """Asks again whether a page may be sent."""
    page(turn, case, address_of(held), held.reason)


def outgrown(turn: Turn, case: Case) -> list[Withheld]:
    """Pages that wait although the incident has another severity by now."""
    severity = voice_of(turn, case).severity
    return [each for each in case.withheld.values() if band_of(each.budget) != severity]


def address_of(held: Withheld) -> Address:
    """Where a page goes that waits."""
    return Address(
        target=held.target,
        to=held.to,
        channels=held.channels,
        step=held.step,
        sequence=held.sequence,
        template=held.template,
        quiet=held.quiet,
        budget=held.budget,
    )


def entry_of(target: str, to: str) -> str:
    """The name under which a page waits."""
    return f"{target}\n{to}"


def band_of(budget: str) -> Severity:
    """The severity whose pages a budget counts."""
    return cast("Severity", budget.rpartition("\n")[2])


def storm_timer(budget: str) -> str:
    """The name of the timer of what waits."""
    return f"storm {budget}"


def _whose(turn: Turn, case: Case, address: Address) -> str:
    """A person, whatever the channel; or the channel."""
    if address.target in case.climbs and address.to in turn.policy.users:
        return address.to
    return f"{CHANNEL}{channel_key(address.channels[0])}"


def _is_first_alarm(turn: Turn, case: Case, budget: str) -> bool:
    """Whether nobody heard yet that an incident is critical, which nothing sent before covers."""
    if band_of(budget) != "critical" or is_covered(turn, case):
        return False
    alarms = [sent for sent in case.pages.values() if not sent.budget or band_of(sent.budget) == "critical"]
    return not any(sent.at < turn.now and sent.state not in OVER for sent in alarms)


def _answers(turn: Turn, budget: str) -> bool:
    """Whether somebody, or an account that is nobody's, took or closed the incident of their last page."""
    known = turn.state.core.budgets.get(budget, Budget()).pages
    last = turn.state.cases.get(known[-1].case) if known else None
    by = (last.acknowledged_by or last.closed_by) if last else ""
    me = budget.rpartition("\n")[0]
    is_others = by != me and {by, me} <= turn.policy.users.keys()
    return bool(by) and not is_others and band_of(budget) != "critical"


def _settle(turn: Turn) -> None:
    """Forgets who had no page lately."""
    budgets = turn.state.core.budgets
    for name in tuple(budgets):
        limit, known = limit_of(turn, name), budgets[name]
        is_old = limit is None or not known.pages or known.pages[-1].at + limit.per <= turn.now
        if is_old and not known.ended and not turn.state.waiting.count(name):
            del budgets[name]
