"""What people do in PagerDuty: its webhooks of version 3 become causes.

PagerDuty's `incident_key` is the dedup key that our pages carry: our incident's id, with the page's own
behind it where it is not the incident's first. An alert that speaks for several incidents is answered for all
of them; who resolves it there takes them, for incidents are closed one by one. What our own
events do there comes back as well, with an integration as its agent: only what a person did counts. What is
handed over there is paged there: here it is only noted. A note of PagerDuty's names no incident key, so it
cannot be told what it is about.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from routing.callbacks.refused import Ignored, Refused
from schemas.cause import Acknowledged, Commented, Hand, Resolved
from schemas.identity import derived
from schemas.signal import Time

VIA = "pagerduty"
OLDEST = timedelta(days=1)
"""PagerDuty tries a delivery again for minutes, not for days."""
OURS = re.compile(r"(inc-[0-9a-f]{20})(?:\.(page|storm)-[0-9a-f]{20})?\Z")
ANSWERED = frozenset({"incident.acknowledged", "incident.resolved"})
HANDED = frozenset({"incident.reassigned", "incident.delegated", "incident.escalated"})


class Reference(Struct, frozen=True):
    """Somebody or something in PagerDuty."""

    id: str = ""
    type: str = ""
    summary: str = ""


class Subject(Struct, frozen=True):
    """The incident, as far as it matters here."""

    incident_key: str | None = None
    assignees: tuple[Reference, ...] = ()


class Event(Struct, frozen=True):
    """What happened. `agent`: who did it."""

    id: str
    event_type: str
    occurred_at: Time | None = None
    agent: Reference | None = None
    data: Subject = Subject()


class Delivery(Struct, frozen=True):
    """What PagerDuty sends."""

    event: Event


_delivery = msgspec.json.Decoder(Delivery)


def done(body: bytes, now: datetime) -> Hand:
    """What a person did in PagerDuty. The same event gives the same id.

    Raises:
        Refused: it is no webhook of version 3.
        Ignored: it asks for nothing here.
    """
    try:
        event = _delivery.decode(body).event
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"this is no webhook of version 3: {error}") from error
    if event.occurred_at is not None and event.occurred_at < now - OLDEST:
        # Its signature has no time of its own: a delivery that was recorded must not count for ever.
        raise Refused(f"this happened on {event.occurred_at:%Y-%m-%d}: expected something of the last day")
    agent = event.agent
    if agent is None or agent.type != "user_reference":
        raise Ignored(f"{event.event_type[:60]} was done by no person")
    ours = OURS.match(event.data.incident_key or "")
    if ours is None:
        raise Ignored(f"{event.event_type[:60]} is about no incident of ours")
    said: dict[str, Any] = {
        "at": now,
        "id": derived("hand", VIA, event.id),
        "incident": ours[1],
        "by": agent.summary or agent.id,
        "via": VIA,
        "account": agent.id,
        "alert": ours[0],
    }
    if event.event_type in ANSWERED:
        is_taken = event.event_type == "incident.acknowledged" or ours[2] == "storm"
        return Acknowledged(**said) if is_taken else Resolved(**said)
    if event.event_type in HANDED:
        names = ", ".join(each.summary or each.id for each in event.data.assignees) or "somebody else"
        return Commented(**said, text=f"{event.event_type.removeprefix('incident.')} to {names} in PagerDuty")
    raise Ignored(f"{event.event_type[:60]} changes nothing here")
