"""Links in letters and cards that do something: signed, for one action on one incident, for a day.

Whoever has a link may use it, as whoever has the letter may read it. Programs that look through mail follow
links: opening one changes nothing, only what is pressed there does.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from routing.callbacks.refused import Forged
from schemas.cause import Acknowledged, Hand, Resolved, Silenced
from schemas.identity import derived

VIA = "link"
PATH = "/links"
ACTIONS = ("acknowledge", "silence", "resolve")
LASTS = timedelta(days=1)
SILENCED_FOR = timedelta(hours=1)
MINUTE_S = 60
LEAST_SECRET = 16
"""Characters of a secret: what is shorter can be guessed."""
LONGEST_NAME = 80
LONGEST_TIME = 12
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Wanted(Struct, frozen=True):
    """What a link does, for whom it was made, and until when it holds, in seconds since 1970."""

    action: str
    incident: str
    by: str
    until: int


def address(base: str, secret: str, wanted: Wanted) -> str:
    """The link. `base`: where `oversight serve` is reached from outside."""
    place = f"{PATH}/{wanted.action}/{_escaped(wanted.incident)}"
    query = f"by={_escaped(wanted.by)}&until={wanted.until}&sig={_signature(secret, wanted)}"
    return f"{base.rstrip('/')}{place}?{query}"


def prove_link(
    secrets: Sequence[str], action: str, incident: str, query: Mapping[str, str], now: datetime
) -> Wanted:
    """What is wanted, where one of the secrets signed it and it still holds.

    Raises:
        Forged: nobody signed this, or it is too old.
    """
    until = query.get("until", "")
    if not (until.isascii() and until.isdecimal() and len(until) <= LONGEST_TIME):
        raise Forged("the link is not whole")
    wanted = Wanted(action, incident, query.get("by", ""), int(until))
    said = query.get("sig", "").encode("utf-8", "replace")
    matches = [hmac.compare_digest(said, _signature(each, wanted).encode()) for each in secrets]
    if action not in ACTIONS or not any(matches):
        raise Forged("the link is not ours")
    if now.timestamp() > wanted.until:
        raise Forged("the link is too old")
    return wanted


def pressed(wanted: Wanted, now: datetime) -> Hand:
    """The cause that a link is; the same link gives the same id within a minute of the clock.

    Pressed twice, it does one thing; pressed again later, when things have changed, it does it again.
    """
    minute = int(now.timestamp()) // MINUTE_S
    parts = (VIA, wanted.action, wanted.incident, wanted.by, str(wanted.until), str(minute))
    said: dict[str, Any] = {"at": now, "id": derived("hand", *parts), "via": VIA}
    said |= {"incident": wanted.incident, "by": wanted.by}
    if wanted.action == "acknowledge":
        return Acknowledged(**said)
    if wanted.action == "resolve":
        return Resolved(**said)
    return Silenced(**said, until=now + SILENCED_FOR)


def _escaped(text: str) -> str:
    """As RFC 3986 wants a part of a path or of a query."""
    return "".join(chr(each) if each in PLAIN else f"%{each:02X}" for each in text.encode())


def _signature(secret: str, wanted: Wanted) -> str:
    fields = ["link 1", wanted.action, wanted.incident, wanted.by, wanted.until]
    return hmac.new(secret.encode(), msgspec.json.encode(fields), hashlib.sha256).hexdigest()
