"""A team's rules, compiled: what `routing.configuration` makes of the YAML and what the router follows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from routing.matchers import Matcher
from routing.oncall.rotation import Window
from routing.rules.intervals import Span, TimeInterval
from schemas.decision import Action, Then
from schemas.event import ErrorClass
from schemas.page import Channel, Severity

MINUTE = timedelta(minutes=1)
CONSEQUENCE: Mapping[str, int] = {"low": -10, "moderate": 0, "high": 10, "critical": 20}
BANDS: Mapping[Severity, int] = {"critical": 85, "error": 65, "warning": 35, "info": 0}


class Frozen(Struct, frozen=True, kw_only=True):
    """A compiled rule."""


class Route(Frozen, frozen=True):
    """A node of the route tree, with inheritance already applied.

    `id`: the path of matchers from the root. `group_by`: label names, or None for all labels (`...`).
    """

    id: str
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = ()
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = 5 * MINUTE
    repeat_interval: timedelta = timedelta(hours=4)
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    continues: bool = False
    routes: tuple["Route", ...] = ()


class ChannelTarget(Frozen, frozen=True):
    """`notify: [{slack: '#x', template: t}]`. `template`: the name of one of `messages:`."""

    channel: Channel
    send_resolved: bool = True
    template: str = ""
    digest: timedelta | None = None
    """Gather what comes in this time into one message."""


class EscalationTarget(Frozen, frozen=True):
    """`{escalation: '{{ labels.team }}', fallback: platform}`: each names a team or an escalation."""

    escalation: str
    fallback: str = ""


class Receiver(Frozen, frozen=True):
    """Who is told, by name. `integrations`: Alertmanager's own (`slack_configs`, …), kept for projection."""

    name: str
    notify: tuple[ChannelTarget | EscalationTarget, ...] = ()
    integrations: tuple[str, ...] = ()


class Party(Frozen, frozen=True):
    """Whom a step reaches: a user, who is on call by a schedule, a team's first step, a channel."""

    kind: Literal["user", "schedule", "team", "channel"]
    name: str
    channel: Channel | None = None


class Step(Frozen, frozen=True):
    """One step. `via`: channel kinds in order of preference; the next is tried when one is dead."""

    parties: tuple[Party, ...]
    via: tuple[str, ...]
    wait: timedelta = 5 * MINUTE


class Escalation(Frozen, frozen=True):
    """Steps that are climbed until somebody acknowledges.

    `repeat`: how often the whole is climbed again. `ack_timeout`: an acknowledgement that no resolution
    follows lapses after this. `exhausted`: the receiver that is told when nobody answered.
    """

    name: str
    steps: tuple[Step, ...]
    repeat: int = 0
    ack_timeout: timedelta | None = None
    exhausted: str = ""
    skip_empty: bool = True


class Preference(Frozen, frozen=True):
    """How a person wants to be reached: from a severity on, in some hours of their own clock."""

    via: tuple[str, ...]
    severity: Severity = "info"
    only: tuple[Window, ...] = ()


class User(Frozen, frozen=True):
    """A person. `contacts`: target by channel kind (`slack`: `U01`, `pagerduty`: `env:PD_ANA`, …).

    `options`: what the channel is told beside the target, by kind. `preferences`: the first that holds says
    which channels come first.
    """

    name: str
    timezone: str = "UTC"
    contacts: Mapping[str, str] = {}
    options: Mapping[str, Mapping[str, str]] = {}
    preferences: tuple[Preference, ...] = ()

    def channel(self, kind: str) -> Channel:
        """The channel of a kind for which there is a contact."""
        return Channel(kind=kind, target=self.contacts[kind], options=self.options.get(kind, {}))


class Team(Frozen, frozen=True):
    """A team, the escalation that reaches it, and whose clocks it goes by."""

    name: str
    escalation: str
    timezone: str = "UTC"


class Owned(Frozen, frozen=True):
    """What a configuration says of agents whose name matches the glob `name`; the first match wins.

    `reference`: how many first inputs make the reference; `validated`: or texts that do.
    """

    name: str
    team: str = ""
    consequence: str = "moderate"
    slo: Mapping[str, float] = {}
    budget_usd: float | None = None
    budget_period: str = "day"
    reference: int = 2000
    validated: tuple[str, ...] = ()
    runbook: str = ""
    dashboard: str = ""


class Rota(Protocol):
    """A schedule, as far as routing needs it."""

    def on_call(self, at: datetime) -> tuple[str, ...]:
        """Names of the users on call at an instant, or none."""
        ...


class SeverityRule(Frozen, frozen=True):
    """Points that are added where all matchers match."""

    matchers: tuple[Matcher, ...]
    add: int


class BurnRate(Frozen, frozen=True):
    """Long and short window (`1h`, `5m`), the factor both must reach, the score that replaces the base."""

    long: str
    short: str
    factor: float
    score: int


class BusinessHours(Frozen, frozen=True):
    """Points inside and outside of some hours, at `location` or, without one, where the owner's team is."""

    windows: tuple[Window, ...]
    inside: int = 0
    outside: int = 0
    location: str = ""


class SeverityTable(Frozen, frozen=True):
    """Finding to score 0..100 to band. `base` by detector or `detector/finding`; bands by lowest score."""

    base: Mapping[str, int]
    default: int = 20
    rules: tuple[SeverityRule, ...] = ()
    consequence: Mapping[str, int] = field(default_factory=lambda: dict(CONSEQUENCE))
    burn_rate: tuple[BurnRate, ...] = ()
    bands: Mapping[Severity, int] = field(default_factory=lambda: dict(BANDS))
    business_hours: BusinessHours | None = None


class Advice(Frozen, frozen=True):
    """One entry of `decisions:`."""

    matchers: tuple[Matcher, ...]
    action: Action
    valid: timedelta | None = None
    automatic: bool = False
    limits: Mapping[str, float] = {}


class FailureMode(Frozen, frozen=True):
    """One entry of `errors:`: how agents handle failures whose type fits.

    `retry_after` and `retry_times`: what helps before anything else; `then`: what to do after that: leave
    such inputs to others (`defer`), give up (`stop`), or ask a person (`person`).
    """

    type: Matcher
    error_class: ErrorClass
    retry_after: timedelta | None = None
    retry_times: int = 0
    then: Then = "stop"


class InhibitRule(Frozen, frozen=True):
    """Targets are muted while a source fires that has the same values of the labels `equal`."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


class PlannedSilence(Frozen, frozen=True):
    """What matches is not paged from `start` to `end`, while `span` holds; what is None does not count."""

    name: str
    matchers: tuple[Matcher, ...]
    author: str = ""
    comment: str = ""
    start: datetime | None = None
    end: datetime | None = None
    span: Span | None = None


class Limit(Frozen, frozen=True):
    """At most `count` pages in any time of `per`."""

    count: int
    per: timedelta


class Flapping(Frozen, frozen=True):
    """What ends `times` times `within` a time flaps; it is over when it has been `quiet` for so long."""

    times: int = 3
    within: timedelta = timedelta(hours=1)
    quiet: timedelta = timedelta(minutes=15)


class Limits(Frozen, frozen=True):
    """How many pages of one severity somebody, or a channel, gets; None: as many as there are."""

    person: Limit | None = Limit(count=2, per=timedelta(hours=1))
    channel: Limit | None = None
    flapping: Flapping | None = Flapping()


class PlannedDrill(Frozen, frozen=True):
    """A fire drill that comes again: at `minute` of the day, on `weekday` (0 is Sunday), `day` of the month.

    `channel`: where its messages go instead of to people.
    """

    name: str
    scenario: str
    agent: str
    minute: int
    weekday: int | None = None
    day: int | None = None
    location: str = "UTC"
    channel: Channel | None = None


class Policy(Frozen, frozen=True):
    """Everything the router follows, and what it keeps for others.

    `detectors`: options by detector (true/false and numbers are such, all else is text). `prices`: USD per
    million tokens by model and direction. `redact`: RE2 expressions. `raw`: the merged
    document as texts.
    """

    route: Route
    receivers: Mapping[str, Receiver]
    severity: SeverityTable
    agents: tuple[Owned, ...] = ()
    users: Mapping[str, User] = {}
    teams: Mapping[str, Team] = {}
    schedules: Mapping[str, Rota] = {}
    escalations: Mapping[str, Escalation] = {}
    messages: Mapping[str, str] = {}
    advice: tuple[Advice, ...] = ()
    errors: tuple[FailureMode, ...] = ()
    resolve_timeout: timedelta = 15 * MINUTE
    inhibit_rules: tuple[InhibitRule, ...] = ()
    silences: tuple[PlannedSilence, ...] = ()
    drills: tuple[PlannedDrill, ...] = ()
    time_intervals: Mapping[str, TimeInterval] = {}
    detectors: Mapping[str, Mapping[str, Any]] = {}
    prices: Mapping[str, Mapping[str, float]] = {}
    redact: tuple[str, ...] = ()
    limits: Limits = Limits()
    raw: Mapping[str, Any] = {}
