"""People, teams, schedules and escalations as they are written."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from routing.oncall.rotation import DAY, EVERY_DAY
from routing.rules.document.notify import CONTACTS, KINDS, OPTIONS, PartyPart
from routing.rules.document.part import Part, kind_of
from routing.rules.document.scalars import (
    AnyTime,
    CalendarSource,
    ClockTime,
    Days,
    Duration,
    Every,
    HolidaysOf,
    Name,
    PositiveDuration,
    Target,
    WallTime,
    Zone,
)

TELLING = tuple(kind for kind in KINDS if kind not in ("opsgenie", "pagerduty"))
"""Channels that can be told something without waking anybody."""


class WindowPart(Part):
    """`{days: 'mon:fri', from: '22:00', to: '06:00'}`."""

    days: Days = EVERY_DAY
    begin: ClockTime = Field(default=0 * DAY, alias="from")
    end: ClockTime = Field(default=DAY, alias="to")

    @model_validator(mode="after")
    def _starts_within_the_day(self) -> "WindowPart":
        if self.begin >= DAY:
            raise ValueError("a window begins before 24:00")
        return self


class PreferencePart(Part):
    """`{severity: critical, only: [{from: '22:00', to: '07:00'}], via: [pagerduty]}`: from a severity on."""

    severity: Literal["critical", "error", "warning", "info"] = "info"
    only: Annotated[tuple[WindowPart, ...], Field(min_length=1)] | None = None
    via: Annotated[tuple[str, ...], Field(min_length=1)]


class ContactPart(Part):
    """`U01`, or with options of the channel `{to: U01, token: 'env:OTHER_WORKSPACE'}`."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*options": OPTIONS}

    to: Target
    options: dict[str, Target] = Field(default={}, alias="*options")


def _contact(value: Any) -> Any:
    """A target alone is a contact without options."""
    if isinstance(value, str | dict):
        return {"to": value} if isinstance(value, str) else value
    raise ValueError(f"expected a target, found {kind_of(value)}")


Contact = Annotated[ContactPart, BeforeValidator(_contact)]


class UserPart(Part):
    """`{tz: Europe/London, email: ana@example.com, slack: U01, pagerduty: 'env:PD_ANA'}`."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*contacts": CONTACTS}

    tz: Zone | None = None
    name: str = ""
    contact: tuple[PreferencePart, ...] = ()
    contacts: dict[str, Contact] = Field(default={}, alias="*contacts")


class TeamPart(Part):
    """`escalation`: by default the one that has the team's own name. `tz`: else its first schedule's."""

    escalation: Name | None = None
    tz: Zone | None = None


class LayerPart(Part):
    """One rotation."""

    name: Name | None = None
    start: WallTime
    every: Every
    users: Annotated[tuple[Name, ...], Field(min_length=1)]
    only: Annotated[tuple[WindowPart, ...], Field(min_length=1)] | None = None
    skip_holidays: HolidaysOf = ""


class OverridePart(Part):
    """`{user: bo, start: '2026-12-24T09:00', end: '2026-12-27T09:00'}`, on the schedule's wall clock."""

    user: Name
    start: AnyTime
    end: AnyTime


class SwapPart(Part):
    """`{users: [ana, bo], start: '2026-03-09T09:00', end: '2026-03-16T09:00'}`: they exchange shifts."""

    users: tuple[Name, ...]
    start: AnyTime
    end: AnyTime

    @model_validator(mode="after")
    def _is_between_two(self) -> "SwapPart":
        if len(self.users) != 2 or len(set(self.users)) != 2:  # noqa: PLR2004 - two exchange
            raise ValueError("a swap is between two people: expected users such as [ana, bo]")
        return self


class HandoffPart(Part):
    """`{notice: 1h, slack: '#pay-sec'}`."""

    gathers: ClassVar[Mapping[str, tuple[str, ...]]] = {"*channels": TELLING}

    notice: PositiveDuration
    channels: dict[str, Target] = Field(default={}, alias="*channels")

    @model_validator(mode="after")
    def _says_where(self) -> "HandoffPart":
        if not self.channels:
            raise ValueError(f"a handoff is told somewhere: expected one of {', '.join(TELLING)}")
        return self


class SchedulePart(Part):
    """Layers and overrides, or a calendar that is fetched."""

    timezone: Zone
    gaps: Literal["error", "warning", "warn", "ignore"] = "ignore"
    overlaps: Literal["error", "warning", "ignore"] = "warning"
    handoff: HandoffPart | None = None
    layers: tuple[LayerPart, ...] = ()
    overrides: tuple[OverridePart, ...] = ()
    swaps: tuple[SwapPart, ...] = ()
    ical: CalendarSource | None = None
    match: Literal["email", "name"] = "email"

    @model_validator(mode="after")
    def _has_somebody(self) -> "SchedulePart":
        if not self.layers and not self.overrides and self.ical is None:
            raise ValueError("an empty schedule: expected layers, overrides or ical")
        return self


class StepPart(Part):
    """Whom to notify, over which channels in order of preference, and how long to wait for an answer."""

    notify: Annotated[tuple[PartyPart, ...], Field(min_length=1)]
    via: tuple[str, ...] = ()
    wait: Duration | None = None

    @model_validator(mode="after")
    def _people_need_a_channel(self) -> "StepPart":
        if not self.via and any(not party.channels and party.team is None for party in self.notify):
            raise ValueError("people are reached by a channel: expected via, such as [slack, pagerduty]")
        return self


class ExhaustedPart(Part):
    """Whom to tell when nobody answered."""

    receiver: Name


class EscalationPart(Part):
    """Steps that are climbed until somebody acknowledges."""

    steps: Annotated[tuple[StepPart, ...], Field(min_length=1)]
    repeat: Annotated[int, Field(ge=0, le=100)] = 0
    nobody_on_call: Literal["skip_wait", "wait"] = "skip_wait"
    ack_timeout: PositiveDuration | None = None
    exhausted: ExhaustedPart | None = None
