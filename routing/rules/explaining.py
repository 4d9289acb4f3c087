"""Where a label set leads, and why: what `oversight route` says."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from routing.oncall.responders import chosen, first_responders
from routing.ownership import with_team
from routing.policy import Escalation, EscalationTarget, Policy, Route
from routing.rules.audience import asleep, hours, inhibition, muting, silences, told
from routing.rules.foreseen import Asked, Foreseen, foreseen
from routing.rules.rationed import rationed
from routing.rules.walking import Walked, walked
from routing.severity import RANK, Score, score
from routing.tree import matching
from schemas.page import ScorePart, Severity
from schemas.signal import Signal


class Answer(Struct, frozen=True, kw_only=True):
    """Where a label set leads at an instant.

    `receivers`: in the tree's order, before mute times; one may occur again. `told`: those of them that
    neither muted hours, planned silences nor inhibition keep quiet. `on_call`: whom the first step
    of the team's escalation reaches. `labels`: as routes see them. `routes`: ids. `why`: one line each.
    `scored`: what the score alone says; it stands where no label says otherwise. Of what is no finding there
    are no `parts`.
    """

    receivers: tuple[str, ...]
    told: tuple[str, ...]
    on_call: tuple[str, ...]
    severity: Severity
    score: int
    labels: Mapping[str, str]
    routes: tuple[str, ...]
    why: tuple[str, ...]
    scored: Severity
    parts: tuple[ScorePart, ...] = ()


class Explained(Struct, frozen=True, kw_only=True):
    """The answer, and how it comes about.

    `tree`: the way through the routes. `hours`, `silences`, `inhibition`: what mutes it, or might; one line
    each. `foreseen`: who would be told when, if nothing mutes it and nobody answers. `limits`: how many pages
    of its severity they get, and what becomes of more.
    """

    answer: Answer
    tree: Walked
    hours: tuple[str, ...]
    silences: tuple[str, ...]
    inhibition: tuple[str, ...]
    foreseen: tuple[Foreseen, ...]
    limits: tuple[str, ...]


def explain_whole(
    policy: Policy, labels: Mapping[str, str], at: datetime, firing: Sequence[Mapping[str, str]] = ()
) -> Explained:
    """Where a label set leads, with every step of the way there."""
    answer = explain(policy, labels, at, firing)
    routes = matching(policy.route, answer.labels)
    beside = [_seen(policy, each, at)[0] for each in firing]
    coming = foreseen(Asked(policy, answer.labels, at, answer.severity), routes)
    return Explained(
        answer=answer,
        tree=walked(policy.route, answer.labels),
        hours=tuple(hours(policy, routes, at)),
        silences=tuple(silences(policy, answer.labels, at)),
        inhibition=tuple(inhibition(policy, answer.labels, beside)),
        foreseen=coming,
        limits=tuple(rationed(policy, answer.labels, answer.severity, coming)),
    )


def explain(
    policy: Policy, labels: Mapping[str, str], at: datetime, firing: Sequence[Mapping[str, str]] = ()
) -> Answer:
    """Which receivers take a label set, who is on call, how severe it is, and why; who is told of it then.

    Only a finding (a label set with `detector`) gets the labels `team` and `severity` that routing adds;
    others are routed as they are, as Alertmanager would. `firing`: what fires beside it.
    """
    seen, scored = _seen(policy, labels, at)
    parts = scored.parts if "detector" in seen else ()
    routes = matching(policy.route, seen)
    muted = muting(policy, seen, at, [_seen(policy, each, at)[0] for each in firing])
    return Answer(
        receivers=tuple(route.receiver for route in routes),
        told=told(policy, routes, at, muted),
        on_call=_on_call(policy, seen, routes, at),
        severity=next((band for band in RANK if band == seen.get("severity")), scored.severity),
        score=scored.total,
        labels=seen,
        routes=tuple(route.id for route in routes),
        why=(*_why(parts, routes), *asleep(policy, routes, at), *muted),
        scored=scored.severity,
        parts=parts,
    )


def _seen(policy: Policy, labels: Mapping[str, str], at: datetime) -> tuple[dict[str, str], Score]:
    """The labels as routes see them."""
    seen = {name: value for name, value in labels.items() if value}
    is_finding = "detector" in seen
    if is_finding:
        seen = with_team(policy, seen)
    scored = score(_signal(seen, at), seen, policy, at)
    if is_finding:
        seen.setdefault("severity", scored.severity)
    return seen, scored


def _signal(labels: Mapping[str, str], at: datetime) -> Signal:
    """A finding of which nothing but its labels is known."""
    return Signal(
        id="",
        detector=labels.get("detector", ""),
        finding=labels.get("finding", ""),
        state="firing",
        labels=dict(labels),
        time=at,
        onset=at,
        summary="",
        confidence=_share(labels.get("confidence", "1")),
    )


def _share(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 1.0


def _on_call(
    policy: Policy, labels: Mapping[str, str], routes: tuple[Route, ...], at: datetime
) -> tuple[str, ...]:
    """Whom the escalation of the team reaches first; without one, that of the first receiver with one."""
    escalation = _escalation(policy, labels, routes)
    return first_responders(escalation, policy, at) if escalation else ()


def _escalation(policy: Policy, labels: Mapping[str, str], routes: tuple[Route, ...]) -> Escalation | None:
    team = policy.teams.get(labels.get("team", ""))
    if team is not None:
        return policy.escalations.get(team.escalation)
    targets = (target for route in routes for target in policy.receivers[route.receiver].notify)
    found = (chosen(target, labels, policy) for target in targets if isinstance(target, EscalationTarget))
    return next((each for each in found if each is not None), None)


def _why(parts: tuple[ScorePart, ...], routes: tuple[Route, ...]) -> Iterator[str]:
    for part in parts:
        yield f"{part.points:+d} {part.why}"
    for route in routes:
        yield f"{route.id} takes it: receiver {route.receiver}"
