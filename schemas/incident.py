"""Incidents: the current state of each, as published on the compacted topic."""

from collections.abc import Mapping

from schemas.decision import Offer
from schemas.deed import Deed
from schemas.page import ScorePart, Severity, Status
from schemas.signal import Time, Words


class Incident(Words, frozen=True):
    """A group of signals under one route. `id`: the route's id, the group's labels and its opening time."""

    id: str
    time: Time
    status: Status
    severity: Severity
    score: int
    labels: dict[str, str]
    summary: str
    receiver: str
    route: str
    opened: Time
    signals: tuple[str, ...]
    """Ids of the signals that fire."""
    score_parts: tuple[ScorePart, ...] = ()
    paged: tuple[str, ...] = ()
    """Who was paged so far, in order."""
    muted_by: tuple[str, ...] = ()
    """What keeps signals of it from being told: `silence ID`, `incident ID`, `time interval NAME`."""
    acknowledged_by: str = ""
    resolved: Time | None = None
    snoozed_until: Time | None = None
    assigned: str = ""
    """To whom it was handed: `user NAME` or `team NAME`."""
    deeds: tuple[Deed, ...] = ()
    """What people did, the latest last; the oldest are forgotten."""
    drill: str = ""
    """The fire drill that it belongs to, if any: then it is no real one."""
    unpaged: str = ""
    """Of a fire drill: what in the rules keeps people from being paged, apart from what mutes it."""
    waiting: tuple[Offer, ...] = ()
    """Advice that waits for a person to grant or refuse it."""
    feedback: Mapping[str, int] = {}
    """How many people found it `useful` or a `false_alarm`."""
    flapping: int = 0
    """How often it ended lately, if that is too often: it stays open until it has been quiet for long."""
    held: tuple[str, ...] = ()
    """Whom a page of it waits for, because they had as many as the limit allows."""
    folded: tuple[str, ...] = ()
    """The incidents whose storm pages speak for it."""
