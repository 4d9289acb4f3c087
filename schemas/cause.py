"""Causes: whatever moves routing, in one order on `oversight.causes`."""

from typing import Literal

from msgspec import Struct

from schemas.deed import Verdict
from schemas.event import DrillId
from schemas.outcome import Outcome
from schemas.page import Channel
from schemas.record import Origin
from schemas.signal import Signal, Time


class Cause(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="cause"):
    """The envelope of every cause.

    `at`: the wall clock when it was written or, where the clock is the events', the events' watermark.
    `origin`: what it is an output of; None for what a person, a host or a notifier wrote.
    """

    at: Time
    origin: Origin | None = None


class Signalled(Cause, frozen=True, tag="signal"):
    """A detector's finding, opened, re-asserted or resolved."""

    signal: Signal


class Word(Cause, frozen=True, kw_only=True, omit_defaults=True):
    """What a person says of an incident.

    `id` is derived from the delivery: a repeated callback changes nothing. `by`: who. `via`: the way it
    came: slack, pagerduty, link, api, cli. `account`: who it was there (a Slack user's id); where the
    configuration knows whose it is, that name stands for `by`. `alert`: the key of the alert that was
    answered there, where it has one.
    """

    id: str
    by: str
    incident: str
    via: str = ""
    account: str = ""
    alert: str = ""


class Acknowledged(Word, frozen=True, tag="acknowledge"):
    """Somebody took the incident."""


class Resolved(Word, frozen=True, tag="resolve"):
    """Somebody closed the incident by hand."""


class Snoozed(Word, frozen=True, kw_only=True, tag="snooze"):
    """Somebody wants to hear of it again at `until`, if it still holds then."""

    until: Time


class Reassigned(Word, frozen=True, kw_only=True, tag="reassign"):
    """Somebody handed the incident to another person or to a team: one of `user` and `team` is said."""

    user: str = ""
    team: str = ""


class Commented(Word, frozen=True, kw_only=True, tag="comment"):
    """Somebody said something about the incident, open or over."""

    text: str


class Judged(Word, frozen=True, kw_only=True, tag="judge"):
    """Somebody told whether the page was worth it; of several verdicts of one person the last counts."""

    verdict: Verdict


class Silenced(Word, frozen=True, kw_only=True, tag="silence"):
    """Somebody silenced what matches, from `start` (or now) until `until`; the same id again replaces it.

    From a page: `incident` is said and no matchers; then what is like that incident is silenced.
    """

    until: Time
    incident: str = ""
    matchers: tuple[str, ...] = ()
    comment: str = ""
    start: Time | None = None


class Approved(Word, frozen=True, kw_only=True, tag="approve"):
    """Somebody granted or refused `decision`, advice of the incident that waits for a person."""

    decision: str
    verdict: Literal["granted", "refused"]


class Drilled(Cause, frozen=True, kw_only=True, tag="drill"):
    """Somebody begins a fire drill of `agent`; its events carry the mark `id`.

    `channel`: where all its messages go instead of to people. `name`: of a drill that the configuration
    plans; what becomes of it is told. `owner`: who plays it, if this announcement is the first of its `id`.
    `until`: when it is over at the latest.
    """

    id: DrillId
    by: str
    agent: str
    channel: Channel | None = None
    name: str = ""
    owner: str = ""
    until: Time | None = None


class Concluded(Cause, frozen=True, kw_only=True, tag="drilled"):
    """What became of a drill.

    `broke_at`: the stage that it did not reach; empty: it passed; `begun`: it was planned and did not take
    place. `facts`: what is to be told of it, by label.
    """

    id: DrillId
    broke_at: str = ""
    remedy: str = ""
    facts: tuple[tuple[str, str], ...] = ()


class Reported(Cause, frozen=True, tag="outcome"):
    """What became of attempt `attempt` at page or update `page`."""

    page: str
    attempt: int
    outcome: Outcome


class ConfigFile(Struct, frozen=True, array_like=True):
    """One file of a configuration: its name as shown in faults, its whole text, and what it holds.

    `texts`: inputs that a team has validated its agents on, one a line.
    """

    name: str
    text: str
    holds: Literal["rules", "texts"] = "rules"


class Configured(Cause, frozen=True, tag="config"):
    """The configuration that holds from here on: whole text, references to secrets but never values.

    `keeps_clock`: files changed, and nothing else: the clock that is gone by stays, whatever `clock` says.
    """

    digest: str
    files: tuple[ConfigFile, ...]
    clock: Literal["wall", "events"] = "wall"
    keeps_clock: bool = False


class Wake(Cause, frozen=True, tag="wake"):
    """Time passed: timers that are due by `at` fire, each at its own due time.

    Where the clock is the events', each partition of `agent.events` tells its watermark this way:
    `partition` of `partitions`.
    """

    partition: int | None = None
    partitions: int | None = None


class Probed(Cause, frozen=True, kw_only=True, tag="probe"):
    """A probe, sent at `sent`, went through `partition` of the `partitions` of `agent.events`."""

    partition: int
    partitions: int
    sent: Time


Hand = Acknowledged | Resolved | Snoozed | Reassigned | Commented | Judged | Approved | Silenced
"""What people do."""
Housekeeping = Reported | Configured | Probed
"""What hosts and notifiers write, at times of the wall clock."""
AnyCause = Signalled | Hand | Drilled | Concluded | Reported | Configured | Wake | Probed
