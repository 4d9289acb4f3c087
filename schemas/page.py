"""Pages: one message to one recipient over one channel, with all that its content is rendered from."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from schemas.decision import Offer
from schemas.deed import Deed
from schemas.signal import Signal, Time, Words

Severity = Literal["critical", "error", "warning", "info"]
Status = Literal["triggered", "acknowledged", "resolved"]
PageReason = Literal[
    "opened",
    "joined",
    "escalated",
    "repeated",
    "reopened",
    "fallback",
    "reassigned",
    "handoff_soon",
    "handoff",
    "expiring",
    "storm",
    "digest",
    "drilled",
]
UpdateReason = Literal["updated", "acknowledged", "resolved", "commented"]


class Channel(Words, frozen=True):
    """Where a message goes: the notifier's `kind` and its target.

    A target or option may be `env:NAME` (a secret), which only the notifier resolves.
    """

    kind: str
    target: str
    options: Mapping[str, str] = {}


class ScorePart(Words, frozen=True):
    """One part of the severity score, in points."""

    why: str
    points: int


class Other(Words, frozen=True):
    """An incident that a page speaks of beside its own, in one line."""

    incident: str
    severity: Severity
    score: int
    status: Status
    since: Time
    summary: str
    sessions: int = 0


class Storm(Words, frozen=True):
    """Incidents that got no page of their own because their recipient had as many as the limit allows.

    `told`: how many incidents the page speaks for, its own included; 0: for its own alone. `worst`: the few
    of these that matter most or, where it speaks for its own alone, of those that wait. `waiting`: how many
    wait for the next page, which may come at `until`. `ended`: how many began and ended without a page.
    """

    told: int = 0
    worst: tuple[Other, ...] = ()
    waiting: int = 0
    until: Time | None = None
    ended: int = 0


class Content(Words, frozen=True):
    """What a page says (DESIGN: what a page must hold), before it is rendered for a channel."""

    title: str
    severity: Severity
    score: int
    score_parts: tuple[ScorePart, ...]
    status: Status
    since: Time
    labels: dict[str, str]
    signals: tuple[Signal, ...]
    """The worst few signals of the incident, firing ones first."""
    firing: int
    resolved: int
    team: str = ""
    runbook: str = ""
    dashboard: str = ""
    next_step: str = ""
    related: tuple[str, ...] = ()
    acknowledged_by: str = ""
    deeds: tuple[Deed, ...] = ()
    """What people did last."""
    drill: str = ""
    """The fire drill that it belongs to, if any: then nothing is wrong."""
    instead: str = ""
    """Of a drill that has a room of its own: who would have been told, and over which channel."""
    waiting: tuple[Offer, ...] = ()
    """Advice that waits for a person."""
    template: str = ""
    """Text of the team's own message template, or empty for the built-in one."""
    storm: Storm | None = None


class Page(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="page", tag_field="kind"):
    """One page: it asks somebody to look. `id` is derived: incident, step, recipient, sequence.

    `time`: of this attempt. `began`: of the first one, where this is a later one. `alert`: the key under
    which PagerDuty and Opsgenie keep it; empty: the incident's id. `replaces`: the key of an earlier page's
    alert, which is closed as soon as this one is there.
    """

    id: str
    time: Time
    incident: str
    severity: Severity
    to: str
    channel: Channel
    reason: PageReason
    summary: str
    content: Content
    attempt: int = 1
    began: Time | None = None
    alert: str = ""
    replaces: str = ""


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="update", tag_field="kind"):
    """An edit, a thread reply or a resolve of a page that was delivered; never a new page.

    `page` and `reference` are those of the delivered page.
    """

    id: str
    time: Time
    incident: str
    severity: Severity
    to: str
    channel: Channel
    reason: UpdateReason
    summary: str
    content: Content
    page: str
    reference: str
    attempt: int = 1


class Notice(Page, frozen=True, kw_only=True, omit_defaults=True, tag="notice"):
    """Word of something that asks nobody to act: a shift that is about to change hands, or that did.

    `incident` is no incident's id but says what it is about. `facts`: what it says, by label.
    """

    facts: tuple[tuple[str, str], ...] = ()


Message = Page | Update | Notice
