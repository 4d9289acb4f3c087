"""From a checked document to the policy that the router follows. Defaults live here."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from routing.matchers import Matcher
from routing.policy import (
    BANDS,
    CONSEQUENCE,
    Advice,
    BurnRate,
    BusinessHours,
    FailureMode,
    Flapping,
    InhibitRule,
    Limit,
    Limits,
    Owned,
    Policy,
    SeverityRule,
    SeverityTable,
    Team,
)
from routing.rules.document.alertmanager import InhibitPart, SpanPart, TimeIntervalPart
from routing.rules.document.document import Document
from routing.rules.document.people import TeamPart
from routing.rules.document.scalars import UNLIMITED, Rate
from routing.rules.document.watching import (
    AgentPart,
    BusinessHoursPart,
    ErrorPart,
    LimitsPart,
    SeverityPart,
)
from routing.rules.inheritance import combined, compile_tree
from routing.rules.intervals import Span, TimeInterval
from routing.rules.planning import drill_of, silence_of
from routing.rules.responding import escalation_of, receiver_of, schedule_of, user_of, windows_of
from routing.schedule import Roster

REFERENCE = 2000
"""Inputs that make a reference, where none are given."""
RESOLVE_TIMEOUT = timedelta(minutes=15)
BASE = {
    "isolation": 90,
    "silence": 80,
    "silence/intake_down": 85,
    "input_shift/injection": 65,
    "error_rate": 40,
    "cost": 30,
    "cost/session": 20,
    "cost/budget": 40,
    "cost/over_budget": 65,
    "input_shift": 30,
    "latency": 25,
    "session/loop": 25,
    "session/runaway": 40,
    "session/stuck": 40,
    "rollout/worse": 50,
    "rollout/invalid": 40,
    "rollout/no_control": 15,
    "rollout/unbalanced": 15,
    "rollout/ready": 5,
    "rollout/hold": 1,
    "dependency": 40,
    "dependency/slow": 30,
    "dependency/rate_limited": 30,
    "quality": 30,
    "quality/finish_reason": 15,
    "approvals": 40,
    "approvals/unapproved": 70,
    "approvals/unasked": 15,
    "telemetry": 20,
    "telemetry/behind": 70,
    "traffic/drop": 45,
    "traffic/surge": 25,
}
BURN_RATE = (
    BurnRate(long="1h", short="5m", factor=14.4, score=90),
    BurnRate(long="6h", short="30m", factor=6.0, score=70),
    BurnRate(long="3d", short="6h", factor=1.0, score=40),
)
"""The pairs of the SRE workbook (chapter 5) for an objective over 30 days."""
UTC = "UTC"
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,15}\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\Z")


def compiled(
    document: Document,
    raw: Mapping[str, Any],
    rosters: Mapping[str, Roster],
    validated: Mapping[int, Sequence[str]],
) -> Policy:
    """The policy of a document that has no faults.

    `rosters`: the calendars that are there, by schedule; `validated`: texts by number of entry in `agents`.
    """
    return Policy(
        route=compile_tree(document.route),
        receivers={each.name: receiver_of(each) for each in document.receivers},
        severity=_severity(document.severity),
        agents=tuple(_owned(each, validated.get(at, ())) for at, each in enumerate(document.agents)),
        users={name: user_of(name, part) for name, part in document.users.items()},
        teams={name: _team(name, part, document) for name, part in document.teams.items()},
        schedules={
            name: schedule_of(name, part, rosters.get(name)) for name, part in document.schedules.items()
        },
        escalations={name: escalation_of(name, part) for name, part in document.escalations.items()},
        messages=dict(document.messages),
        advice=_advice(document),
        errors=tuple(_failure_mode(each) for each in document.errors),
        resolve_timeout=document.globals.resolve_timeout or RESOLVE_TIMEOUT,
        inhibit_rules=tuple(_inhibit(each) for each in document.inhibit_rules),
        silences=tuple(silence_of(each) for each in document.silences),
        drills=tuple(drill_of(each) for each in document.drills),
        time_intervals=_intervals((*document.time_intervals, *document.mute_time_intervals)),
        detectors={name: typed(options) for name, options in document.detectors.items()},
        prices={model: price.model_dump(exclude_none=True) for model, price in document.prices.items()},
        redact=document.redact,
        limits=_limits(document.limits),
        raw=raw,
    )


def typed(value: Any) -> Any:
    """Texts that are numbers or truth values in YAML 1.2 as such; all else as it is written.

    >>> typed({"enabled": "true", "arl": "30d", "delta": "0.002"})
    {'enabled': True, 'arl': '30d', 'delta': 0.002}
    """
    if isinstance(value, Mapping):
        return {key: typed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each) for each in value]
    if not isinstance(value, str):
        return value
    if value in TRUTH:
        return TRUTH[value]
    if _WHOLE.match(value):
        return int(value)
    return float(value) if _FLOAT.match(value) else value


def _severity(part: SeverityPart) -> SeverityTable:
    """Entries of the configuration replace the defaults of the same name; the others stay."""
    given = (
        None
        if part.burn_rate is None
        else tuple(
            BurnRate(long=long, short=short, factor=factor, score=score)
            for long, short, factor, score in part.burn_rate
        )
    )
    return SeverityTable(
        base={**BASE, **part.base},
        default=part.default,
        rules=tuple(
            SeverityRule(matchers=combined({}, {}, rule.matchers), add=rule.add) for rule in part.rules
        ),
        consequence={**CONSEQUENCE, **{str(level): points for level, points in part.consequence.items()}},
        burn_rate=BURN_RATE if given is None else given,
        bands={**BANDS, **part.bands},
        business_hours=_business_hours(part.business_hours) if part.business_hours else None,
    )


def _business_hours(part: BusinessHoursPart) -> BusinessHours:
    return BusinessHours(
        windows=windows_of(part.only, part.skip_holidays),
        inside=part.inside,
        outside=part.outside,
        location=part.location.key if part.location else "",
    )


def _team(name: str, part: TeamPart, document: Document) -> Team:
    """A team; without a time zone of its own it has that of the first schedule its escalation names."""
    escalation = part.escalation or name
    climbed = document.escalations.get(escalation)
    named = [each.schedule or "" for step in (climbed.steps if climbed else ()) for each in step.notify]
    places = [document.schedules[each].timezone.key for each in named if each in document.schedules]
    return Team(
        name=name, escalation=escalation, timezone=part.tz.key if part.tz else next(iter(places), UTC)
    )


def _limits(part: LimitsPart) -> Limits:
    def limit(rate: Rate) -> Limit | None:
        return None if rate == UNLIMITED else Limit(count=rate.count, per=rate.per)

    given = part.flapping
    flapping = Flapping(times=given.times, within=given.within, quiet=given.quiet)
    return Limits(
        person=limit(part.pages_per_person),
        channel=limit(part.pages_per_channel),
        flapping=flapping if given.enabled else None,
    )


def _owned(part: AgentPart, validated: Sequence[str]) -> Owned:
    return Owned(
        name=part.name,
        team=part.team,
        consequence=part.consequence,
        slo={str(stream): share for stream, share in part.slo.items()},
        budget_usd=part.budget.usd if part.budget else None,
        budget_period=part.budget.per if part.budget else "day",
        reference=part.reference if isinstance(part.reference, int) else REFERENCE,
        validated=tuple(validated),
        runbook=part.runbook,
        dashboard=part.dashboard,
    )


def _advice(document: Document) -> tuple[Advice, ...]:
    return tuple(
        Advice(
            matchers=combined({}, {}, part.matchers),
            action=part.action,
            valid=part.valid,
            automatic=part.automatic,
            limits=dict(part.limits),
        )
        for part in document.decisions
    )


def _failure_mode(part: ErrorPart) -> FailureMode:
    return FailureMode(
        type=Matcher("error_type", "=~", part.type),
        error_class=part.error_class,
        retry_after=part.retry.after if part.retry else None,
        retry_times=part.retry.times if part.retry else 0,
        then=part.then,
    )


def _inhibit(part: InhibitPart) -> InhibitRule:
    return InhibitRule(
        source=combined(part.source_match, part.source_match_re, part.source_matchers),
        target=combined(part.target_match, part.target_match_re, part.target_matchers),
        equal=part.equal,
    )


def _intervals(parts: Sequence[TimeIntervalPart]) -> dict[str, TimeInterval]:
    return {part.name: TimeInterval(part.name, tuple(map(_span, part.time_intervals))) for part in parts}


def _span(part: SpanPart) -> Span:
    return Span(
        times=None if part.times is None else tuple(each.minutes() for each in part.times),
        weekdays=part.weekdays,
        days_of_month=part.days_of_month,
        months=part.months,
        years=part.years,
        location=part.location.key if part.location else "UTC",
    )
