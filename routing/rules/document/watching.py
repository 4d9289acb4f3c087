"""What is watched, who owns it, how much it matters, and what is to be done: as it is written."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from routing.rules.document.alertmanager import TimesPart
from routing.rules.document.notify import ChannelPart
from routing.rules.document.part import Part, kind_of
from routing.rules.document.people import WindowPart
from routing.rules.document.scalars import (
    UNLIMITED,
    AnyTime,
    Basis,
    ClockTime,
    Duration,
    Expression,
    HolidaysOf,
    Matchers,
    Name,
    Objective,
    Pattern,
    Points,
    PositiveDuration,
    Rate,
    RateLimit,
    Score,
    Share,
    Usd,
    Zone,
)
from routing.rules.durations import parse_duration
from schemas.decision import Action, Then
from schemas.event import Consequence, ErrorClass
from schemas.page import Severity

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Stream = Literal["sessions", "tools", "models"]
PAIR = 4
LIMITING = ("cap_session", "throttle_tenant")
"""Advice that says how much there may be."""


class BudgetPart(Part):
    """`{usd: 500, per: day}`."""

    usd: Usd
    per: Literal["hour", "day", "week", "month"] = "day"


class AgentPart(Part):
    """Agents whose name matches the glob `name`."""

    name: Name
    team: str = ""
    consequence: Consequence = "moderate"
    slo: Mapping[Stream, Objective] = {}
    budget: BudgetPart | None = None
    reference: Basis = 2000
    runbook: str = ""
    dashboard: str = ""


class SeverityRulePart(Part):
    """`{matchers: ['env="prod"'], add: 15}`."""

    matchers: tuple[Matchers, ...] = ()
    add: Points


def _burn_rate(value: Any) -> tuple[str, str, float, int]:
    """`[1h, 5m, 14.4, 90]`: long window, short window, factor, score."""
    if not isinstance(value, list) or len(value) != PAIR or not all(isinstance(each, str) for each in value):
        raise ValueError(
            f"expected [long, short, factor, score] such as [1h, 5m, 14.4, 90], found {kind_of(value)}"
        )
    long, short, factor, score = value
    if parse_duration(long) <= parse_duration(short):
        raise ValueError(f"the long window {long} is not longer than the short one {short}")
    if not (0 < float(factor) < float("inf") and 0 <= int(score) <= 100):  # noqa: PLR2004 - scores go to 100
        raise ValueError("expected a factor above 0 and a score from 0 to 100")
    return long, short, float(factor), int(score)


BurnRatePart = Annotated[
    tuple[str, str, float, int],
    PlainValidator(_burn_rate),
    WithJsonSchema({"type": "array", "minItems": PAIR, "maxItems": PAIR}),
]


def _office() -> tuple[WindowPart, ...]:
    return (WindowPart.model_validate({"days": "mon:fri", "from": "09:00", "to": "18:00"}),)


class BusinessHoursPart(Part):
    """`{only: [{days: 'mon:fri', from: '09:00', to: '18:00'}], skip_holidays: GB, outside: -10}`."""

    only: Annotated[tuple[WindowPart, ...], Field(min_length=1)] = Field(default_factory=_office)
    skip_holidays: HolidaysOf = ""
    location: Zone | None = None
    inside: Points = 0
    outside: Points = 0

    @model_validator(mode="after")
    def _counts(self) -> "BusinessHoursPart":
        if not (self.inside or self.outside):
            raise ValueError(
                "business hours change nothing: expected points for inside or outside, such as outside: -10"
            )
        return self


class SeverityPart(Part):
    """The severity table; what is absent is a default."""

    base: Mapping[str, Score] = {}
    default: Score = 20
    rules: tuple[SeverityRulePart, ...] = ()
    consequence: Mapping[Consequence, Points] = {}
    burn_rate: tuple[BurnRatePart, ...] | None = None
    bands: Mapping[Severity, Score] = {}
    business_hours: BusinessHoursPart | None = None


class RetryPart(Part):
    """`{after: 5s, times: 4}`."""

    after: Duration
    times: Annotated[int, Field(ge=1, le=100)] = 1


class ErrorPart(Part):
    """How one failure mode is handled. `type`: an expression over error types."""

    type: Expression
    error_class: ErrorClass = Field(alias="class")
    retry: RetryPart | None = None
    then: Then = "stop"


class RolloutPart(Part):
    """The steps of a rollout, if it has any, and what it is judged by."""

    agent: Name
    steps: Annotated[tuple[Share, ...], Field(min_length=1)] = ()
    min_time: PositiveDuration | None = None
    maturity: Duration | None = None
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.01
    strata: tuple[Name, ...] = ()
    margins: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}
    unit: Literal["session", "user"] = "session"
    redact: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _ascends(self) -> "RolloutPart":
        if any(later <= earlier for earlier, later in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError("steps must ascend")
        return self


class DecisionPart(Part):
    """Which advice is automatic, which waits for a person."""

    matchers: tuple[Matchers, ...] = ()
    action: Action = Field(alias="do")
    valid: PositiveDuration | None = Field(default=None, alias="for")
    automatic: bool = False
    limits: Mapping[Name, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}

    @model_validator(mode="after")
    def _limits(self) -> "DecisionPart":
        if self.limits and self.action not in LIMITING:
            raise ValueError(f"limits belong to {' and '.join(LIMITING)} alone")
        return self


class PricePart(Part):
    """USD per million tokens."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    cache_read: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    cache_write: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class FlappingPart(Part):
    """`{times: 3, within: 1h, quiet: 15m}`."""

    enabled: bool = True
    times: Annotated[int, Field(ge=2, le=100)] = 3
    within: PositiveDuration = timedelta(hours=1)
    quiet: PositiveDuration = timedelta(minutes=15)


class LimitsPart(Part):
    """`{pages_per_person: 2 per 1h, pages_per_channel: unlimited}`."""

    pages_per_person: RateLimit = Rate(2, timedelta(hours=1))
    pages_per_channel: RateLimit = UNLIMITED
    flapping: FlappingPart = FlappingPart()


class RecurrencePart(Part):
    """When something planned comes again: `{months_day: 1}`, `{weekday: tuesday, time: '10:00'}`."""

    months_day: Annotated[int, Field(ge=1, le=31)] | None = None
    weekday: Weekday | None = None
    time: ClockTime | None = None
    times: tuple[TimesPart, ...] = ()


class SilencePart(Part):
    """A planned silence: from start to end, or each time that `every` says. Wall time is the location's."""

    name: Name
    matchers: Annotated[tuple[Matchers, ...], Field(min_length=1)]
    every: RecurrencePart | None = None
    start: AnyTime | None = None
    end: AnyTime | None = None
    location: Zone | None = None
    author: str = ""
    comment: str = ""

    @model_validator(mode="after")
    def _ends(self) -> "SilencePart":
        if self.every is None and self.end is None:
            raise ValueError("a silence must end: expected end, or every")
        if self.every is not None and self.every.time is not None:
            raise ValueError("a silence lasts: expected times with start_time and end_time, not time")
        return self


class RoomPart(ChannelPart):
    """`{slack: '#drills'}`."""

    @model_validator(mode="after")
    def _single(self) -> "RoomPart":
        self.require_one()
        return self


class DrillPart(Part):
    """A rehearsal of an incident: which, of whose, when, and where it is told instead of to people."""

    name: Name
    scenario: Name
    agent: Name
    every: RecurrencePart
    location: Zone | None = None
    channel: RoomPart | None = None

    @model_validator(mode="after")
    def _begins(self) -> "DrillPart":
        if self.every.time is None or self.every.times:
            raise ValueError("a drill begins at a time: expected every with time, such as time: '10:00'")
        return self
