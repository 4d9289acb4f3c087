"""Causes: whatever moves routing, in one order on `oversight.causes`."""

from typing import Literal

from msgspec import Struct

from schemas.outcome import Outcome
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


class Acknowledged(Cause, frozen=True, tag="acknowledge"):
    """Somebody took the incident. `id` is derived from the delivery: a repeated callback changes nothing."""

    id: str
    incident: str
    by: str


class Resolved(Cause, frozen=True, tag="resolve"):
    """Somebody closed the incident by hand."""

    id: str
    incident: str
    by: str


class Silenced(Cause, frozen=True, tag="silence"):
    """Somebody silenced what matches, until `until`."""

    id: str
    matchers: tuple[str, ...]
    by: str
    until: Time
    comment: str = ""


class Approved(Cause, frozen=True, tag="approve"):
    """Somebody granted or refused `decision`, advice of `incident` that waits for a person."""

    id: str
    incident: str
    decision: str
    by: str
    verdict: Literal["granted", "refused"]


class Reported(Cause, frozen=True, tag="outcome"):
    """What became of attempt `attempt` at page or update `page`."""

    page: str
    attempt: int
    outcome: Outcome


class ConfigFile(Struct, frozen=True, array_like=True):
    """One file of a configuration: its name as shown in faults, and its whole text."""

    name: str
    text: str


class Configured(Cause, frozen=True, tag="config"):
    """The configuration that holds from here on: whole text, references to secrets but never values."""

    digest: str
    files: tuple[ConfigFile, ...]
    clock: Literal["wall", "events"] = "wall"


class Wake(Cause, frozen=True, tag="wake"):
    """Time passed: timers that are due by `at` fire, each at its own due time.

    Where the clock is the events', each partition of `agent.events` tells its watermark this way:
    `partition` of `partitions`.
    """

    partition: int | None = None
    partitions: int | None = None


AnyCause = Signalled | Acknowledged | Resolved | Silenced | Approved | Reported | Configured | Wake
