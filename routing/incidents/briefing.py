"""What a page is filled with, and how an incident is shown to others: taken from the incident's signals."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from routing.incidents.incident import Case, Member, weight
from routing.incidents.muting import audible
from routing.incidents.next_steps import next_step
from routing.incidents.offers import offers
from routing.incidents.turn import Turn
from routing.incidents.unpaged import unpaged
from routing.ownership import owned
from schemas.incident import Incident
from schemas.page import Content, ScorePart, Severity

FEW_SIGNALS = 5
FEW_RELATED = 5
FEW_DEEDS = 3


def content(turn: Turn, case: Case, template: str) -> Content:
    """All that a page shows. `template`: the name of one of the policy's messages, or empty."""
    voice = voice_of(turn, case)
    shown = _worst(case, voice.heard)
    labels = _labels(case, shown)
    owner = owned(turn.policy, labels)
    return Content(
        title=voice.title,
        severity=voice.severity,
        score=voice.score,
        score_parts=voice.parts,
        status=case.status,
        since=_since(case, shown),
        labels=labels,
        signals=tuple(member.signal for member in shown),
        firing=len(case.firing()),
        resolved=case.gone + len(case.members) - len(case.firing()),
        team=labels.get("team", ""),
        runbook=owner.runbook,
        dashboard=owner.dashboard,
        next_step=next_step(shown[0].signal) if shown else "",
        related=related(turn, case),
        acknowledged_by=case.acknowledged_by,
        deeds=case.deeds[-FEW_DEEDS:],
        drill=case.drill,
        waiting=offers(case, turn.now),
        template=turn.policy.messages.get(template, ""),
    )


class Voice(Struct, frozen=True):
    """How an incident speaks to people: as its worst signal that is heard. `heard`: ids, where some are."""

    title: str
    severity: Severity
    score: int
    parts: tuple[ScorePart, ...]
    heard: frozenset[str] = frozenset()


def voice_of(turn: Turn, case: Case) -> Voice:
    """What is muted lends an incident no weight while something else in it is heard."""
    heard, firing = audible(turn, case), case.firing()
    if not heard or len(heard) == len(firing):
        return Voice(title(case), case.severity, case.score, case.parts)
    worst = max(heard, key=weight)
    muted = len(firing) - len(heard)
    others = f"{len(firing) - 1} more {'signal' if len(firing) == 2 else 'signals'}, {muted} muted"  # noqa: PLR2004 - itself and one
    return Voice(
        title=f"{worst.signal.summary} (and {others})",
        severity=worst.severity,
        score=worst.score,
        parts=worst.parts,
        heard=frozenset(each.signal.id for each in heard),
    )


def title(case: Case) -> str:
    """One plain sentence: the worst signal's, and how many more there are."""
    more = len(case.firing()) - 1
    flaps = f" (flapping: it ended {case.flaps} times lately)" if case.flaps else ""
    if case.beyond:
        return f"{case.summary} (and more signals than an incident holds){flaps}"
    others = f" (and {more} more {'signal' if more == 1 else 'signals'})" if more > 0 else ""
    return f"{case.summary}{others}{flaps}"


def related(turn: Turn, case: Case) -> tuple[str, ...]:
    """Other open incidents: those that it keeps quiet or that keep it quiet, of its agent, of its team.

    The newest of each come first. A fire drill is related to nothing.
    """
    if case.drill:
        return ()
    found = (
        turn.state.hushed.newest(case.id, FEW_RELATED),
        tuple(each for each in case.hushed_by if each in turn.state.cases),
        turn.state.by_agent.newest(case.agent, FEW_RELATED + 1) if case.agent else (),
        turn.state.by_team.newest(case.team, 2 * FEW_RELATED + 1) if case.team else (),
    )
    others = dict.fromkeys(case_id for ids in found for case_id in ids if case_id != case.id)
    return tuple(others)[:FEW_RELATED]


def published(turn: Turn, case: Case) -> Incident:
    """The incident as others see it."""
    return Incident(
        id=case.id,
        time=turn.now,
        status=case.status,
        severity=case.severity,
        score=case.score,
        labels=case.labels,
        summary=title(case),
        receiver=case.receiver,
        route=case.route,
        opened=case.opened,
        signals=tuple(member.signal.id for member in case.firing()),
        score_parts=case.parts,
        paged=case.paged,
        muted_by=case.muted_by,
        acknowledged_by=case.acknowledged_by,
        resolved=case.resolved,
        snoozed_until=case.snoozed,
        assigned=case.assigned,
        deeds=case.deeds,
        drill=case.drill,
        unpaged=unpaged(turn, case),
        waiting=offers(case, turn.now),
        feedback=dict(Counter(sorted(case.judged.values()))),
        flapping=case.flaps,
        held=tuple(dict.fromkeys(each.to for each in case.withheld.values())),
        folded=tuple(dict.fromkeys(each.case for each in case.folded.values())),
    )


def _worst(case: Case, heard: frozenset[str]) -> Sequence[Member]:
    """The worst few members; those that fire come first, and of them those that are heard."""

    def order(each: Member) -> tuple[bool, bool, int, int]:
        return (each.fires, each.signal.id in heard, *weight(each))

    return sorted(case.members.values(), key=order, reverse=True)[:FEW_SIGNALS]


def _labels(case: Case, shown: Sequence[Member]) -> dict[str, str]:
    """What all shown signals have in common, and the group's labels."""
    first = shown[0].labels if shown else {}
    common = {
        name: value for name, value in first.items() if all(each.labels.get(name) == value for each in shown)
    }
    return {**common, **case.labels}


def _since(case: Case, shown: Sequence[Member]) -> datetime:
    return min((member.signal.onset for member in shown), default=case.opened)
