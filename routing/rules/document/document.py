"""The whole configuration as it is written."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from routing.rules.document.alertmanager import (
    GlobalPart,
    InhibitPart,
    ReceiverPart,
    RoutePart,
    TimeIntervalPart,
)
from routing.rules.document.part import Part
from routing.rules.document.people import EscalationPart, SchedulePart, TeamPart, UserPart
from routing.rules.document.scalars import Instant, Name, Pattern, Template
from routing.rules.document.watching import (
    AgentPart,
    DecisionPart,
    DrillPart,
    ErrorPart,
    LimitsPart,
    PricePart,
    RolloutPart,
    SeverityPart,
    SilencePart,
)
from schemas.page import Severity

Names = Annotated[list[Name], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class ExpectPart(Part):
    """What a test expects; what is absent is not compared. `told`: receivers after whatever mutes."""

    severity: Severity | None = None
    receivers: Names | None = None
    told: Names | None = None
    on_call: Names | None = None


class TestPart(Part):
    """One test: at a time, a label set leads to a severity, receivers and people. `firing`: beside what."""

    __test__ = False

    name: str = ""
    at: Instant
    labels: dict[Name, str]
    firing: tuple[dict[Name, str], ...] = ()
    expect: ExpectPart


class Document(Part):
    """All sections, merged from all files."""

    version: Literal["1"] = "1"
    globals: GlobalPart = Field(default=GlobalPart(), alias="global")
    route: RoutePart
    inhibit_rules: tuple[InhibitPart, ...] = ()
    time_intervals: tuple[TimeIntervalPart, ...] = ()
    mute_time_intervals: tuple[TimeIntervalPart, ...] = ()
    receivers: tuple[ReceiverPart, ...] = ()
    templates: tuple[str, ...] = ()
    tracing: Mapping[str, Any] = {}
    silences: tuple[SilencePart, ...] = ()
    agents: tuple[AgentPart, ...] = ()
    detectors: Mapping[str, dict[str, Any]] = {}
    errors: tuple[ErrorPart, ...] = ()
    rollouts: tuple[RolloutPart, ...] = ()
    decisions: tuple[DecisionPart, ...] = ()
    prices: Mapping[str, PricePart] = {}
    limits: LimitsPart = LimitsPart()
    redact: tuple[Pattern, ...] = ()
    drills: tuple[DrillPart, ...] = ()
    severity: SeverityPart = SeverityPart()
    messages: Mapping[str, Template] = {}
    users: Mapping[str, UserPart] = {}
    teams: Mapping[str, TeamPart] = {}
    schedules: Mapping[str, SchedulePart] = {}
    escalations: Mapping[str, EscalationPart] = {}
    tests: tuple[TestPart, ...] = ()
