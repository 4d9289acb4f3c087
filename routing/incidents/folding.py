"""What a page shows of other incidents: those it speaks for, and those whose pages wait behind it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import cast

from msgspec.structs import replace

from routing.incidents.incident import Case, Sent
from routing.incidents.state import Budget
from routing.incidents.turn import Turn
from routing.policy import Limit
from schemas.page import Content, Other, Severity, Status, Storm, UpdateReason

FEW = 5
PAUSE = timedelta(seconds=15)
"""Between what changes among others and the edit that shows it: many change at once."""
GATHER = timedelta(minutes=1)
"""The last page that a limit allows waits so long after the one before it, for what else there is."""
LASTING = frozenset({"email", "teams", "apprise", "terminal"})
"""Channels where what was sent stays as it is: there an edit would be one more message."""


def limit_of(turn: Turn, budget: str) -> Limit | None:
    """What holds for whom a budget is."""
    is_channel = budget.startswith(CHANNEL)
    return turn.policy.limits.channel if is_channel else turn.policy.limits.person


CHANNEL = "channel "


def opens_at(turn: Turn, budget: str) -> datetime:
    """When the next page may be sent, now or later."""
    limit = limit_of(turn, budget)
    if limit is None:
        return turn.now
    known = turn.state.core.budgets.get(budget, Budget()).pages
    recent = [each.at for each in known if each.at + limit.per > turn.now]
    if len(recent) >= limit.count:
        return recent[-limit.count] + limit.per
    if recent and len(recent) == limit.count - 1:
        return max(turn.now, recent[-1] + GATHER)
    return turn.now


def matters(case: Case) -> tuple[bool, int, int, datetime, str]:
    """Orders incidents, those that matter most first: open ones by score, then how many it hits, then age."""
    return (not case.open, -case.score, -_sessions(case), case.opened, case.id)


def others(turn: Turn, sent: Sent) -> list[Case]:
    """The other incidents that a page speaks for, as far as they are remembered."""
    return [turn.state.cases[each] for each in sent.speaks if each in turn.state.cases]


def unanswered(turn: Turn, sent: Sent) -> list[Case]:
    """Those of them that wait for an answer to it; who got a page of their own answers that."""
    return [each for each in others(turn, sent) if each.status == "triggered" and _is_told_by(each, sent)]


def with_others(turn: Turn, case: Case, sent: Sent, shown: Content) -> Content:
    """What a page shows, with what it says of other incidents."""
    budget = turn.state.core.budgets.get(sent.budget)
    is_latest = budget is not None and bool(budget.pages) and budget.pages[-1].page == sent.id
    ids = turn.state.waiting.all(sent.budget) if is_latest else ()
    ended = sent.ended + (budget.ended if budget and is_latest else 0)
    if not (sent.speaks or ids or ended):
        return shown
    behind = [turn.state.cases[each] for each in ids]
    group = [case, *others(turn, sent)] if sent.speaks else []
    storm = Storm(
        told=1 + len(sent.speaks) if group else 0,
        worst=_lines(group or behind),
        waiting=len(behind),
        until=opens_at(turn, sent.budget) if limit_of(turn, sent.budget) and behind else None,
        ended=ended,
    )
    if not group:
        return replace(shown, storm=storm)
    return replace(
        shown,
        title=_title(storm),
        severity=cast("Severity", sent.budget.rpartition("\n")[2]),
        status=standing(group),
        since=min(each.opened for each in group),
        labels={name: value for name, value in shown.labels.items() if _agree(group, name, value)},
        score_parts=(),
        signals=(),
        firing=sum(len(each.firing()) for each in group),
        resolved=sum(not each.open for each in group),
        next_step=f"Begin with the first. Who acknowledges this takes all {storm.told}.",
        related=(),
        waiting=(),
        template="",
        storm=storm,
    )


def standing(group: Iterable[Case]) -> Status:
    """How several incidents stand together."""
    found = {each.status for each in group}
    return next((each for each in ("triggered", "acknowledged") if each in found), "resolved")


def reason_of(turn: Turn, case: Case, sent: Sent, reason: UpdateReason) -> UpdateReason:
    """Why a page is edited: what one incident comes to is not what all come to that it speaks for."""
    if not sent.speaks or reason == "commented":
        return reason
    found = standing([case, *others(turn, sent)])
    return "updated" if found == "triggered" else found


def refresh(turn: Turn, budget: str) -> None:
    """Brings the latest page of a budget up to date, soon."""
    known = turn.state.core.budgets.get(budget, Budget()).pages
    if known:
        refresh_page(turn, known[-1].case, known[-1].page)


def refresh_page(turn: Turn, case_id: str, page_id: str) -> None:
    """Brings a page up to date, soon, where its channel can edit."""
    case = turn.state.cases.get(case_id)
    sent = case.pages.get(page_id) if case else None
    if case is None or sent is None or fold_timer(sent) in case.timers:
        return
    is_over = bool(sent.speaks) and not any(each.open for each in (case, *others(turn, sent)))
    if is_over or sent.channel.kind not in LASTING:
        turn.arm(case, fold_timer(sent), PAUSE)


def show_elsewhere(turn: Turn, case: Case) -> None:
    """Something changed about an incident: pages of others that speak of it are to show that."""
    for folded in case.folded.values():
        refresh_page(turn, folded.case, folded.page)
    for page in case.withheld.values():
        refresh(turn, page.budget)
    if not case.open:
        # Also the pages that spoke for it before others did: they are to end with it.
        for page_id, lead in sorted(turn.state.speakers.get(case.id, {}).items()):
            refresh_page(turn, lead, page_id)


def fold_timer(sent: Sent) -> str:
    """The name of the timer of an edit that shows what became of others."""
    return f"fold {sent.id}"


def _is_told_by(case: Case, sent: Sent) -> bool:
    return any(each.page == sent.id and not each.over for each in case.folded.values())


def _title(storm: Storm) -> str:
    few = f", here are the {FEW} that matter" if storm.told > FEW else " at once"
    return f"{storm.told} incidents{few}"


def _lines(group: Iterable[Case]) -> tuple[Other, ...]:
    return tuple(
        Other(
            incident=each.id,
            severity=each.severity,
            score=each.score,
            status=each.status,
            since=each.opened,
            summary=each.summary,
            sessions=_sessions(each),
        )
        for each in nsmallest(FEW, group, key=matters)
    )


def _sessions(case: Case) -> int:
    return max((member.signal.blast.sessions for member in case.members.values()), default=0)


def _agree(group: Iterable[Case], name: str, value: str) -> bool:
    """Whether a label of one incident holds for all."""
    return all(
        each.labels.get(name) == value
        or any(member.labels.get(name) == value for member in each.firing()[:1])
        for each in group
    )
