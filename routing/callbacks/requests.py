"""What the HTTP API and the command line ask for: an action and its particulars become a cause."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from routing.callbacks.refused import Refused
from routing.matchers import Matcher, MatcherSyntax, matches_anything, parse_matchers
from routing.oncall.instants import utc
from routing.rules.durations import parse_duration
from schemas.cause import (
    Acknowledged,
    Approved,
    Commented,
    Hand,
    Judged,
    Reassigned,
    Resolved,
    Silenced,
    Snoozed,
)
from schemas.deed import Verdict

USUAL = timedelta(hours=1)
MOST = timedelta(days=90)
LONGEST_TEXT = 4_000


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"lasts": "for"}):
    """The particulars of an action; each action takes some of them. `for` is a duration such as `1h30m`."""

    by: str = ""
    lasts: str = ""
    until: datetime | None = None
    user: str = ""
    team: str = ""
    text: str = ""
    verdict: Verdict | None = None
    matchers: tuple[str, ...] = ()
    comment: str = ""
    decision: str = ""


class Delivery(Struct, frozen=True):
    """What is known of a request beside what it says. `id`: the same for a request that comes again."""

    id: str
    incident: str
    now: datetime
    via: str


_request = msgspec.json.Decoder(Request)


def read(body: bytes) -> Request:
    """The particulars, from JSON.

    Raises:
        Refused: with the place and what was expected there.
    """
    try:
        return _request.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason, _, place = str(error).partition(" - at `")
        raise Refused(reason, place.rstrip("`") or "$") from error


def cause(action: str, said: Request, delivery: Delivery) -> Hand:
    """The cause that an action is. `action`: one of ACTIONS.

    Raises:
        Refused: something lacks or cannot be.
    """
    if not said.by.strip():
        raise Refused("expected who does this", "$.by")
    for name in ("by", "user", "team", "text", "comment", "decision"):
        if len(getattr(said, name)) > LONGEST_TEXT:
            raise Refused(f"expected at most {LONGEST_TEXT:,} characters", f"$.{name}")
    known = {
        "at": delivery.now,
        "id": delivery.id,
        "incident": delivery.incident,
        "by": said.by.strip(),
        "via": delivery.via,
    }
    return ACTIONS[action](said, known)


def _until(said: Request, now: datetime) -> datetime:
    """`until`, or now and `for`; an hour, where neither is said."""
    if said.until is not None and said.lasts:
        raise Refused("expected either for or until", "$.until")
    if said.until is not None and said.until.tzinfo is None:
        raise Refused("expected a time with its offset from UTC, such as 2026-03-02T10:00:00Z", "$.until")
    try:
        lasts = parse_duration(said.lasts) if said.lasts else USUAL
    except ValueError as error:
        raise Refused(str(error), "$.for") from error
    place = "$.until" if said.until else "$.for"
    until = said.until or now + min(lasts, MOST + USUAL)
    if not now < until <= now + MOST:
        raise Refused("expected a time to come, at most 90 days ahead", place)
    return utc(until)


def _silenced(said: Request, known: Mapping[str, Any]) -> Hand:
    matchers: list[Matcher] = []
    for number, text in enumerate(said.matchers):
        try:
            matchers += parse_matchers(text)
        except MatcherSyntax as fault:
            raise Refused(str(fault), f"$.matchers[{number}]") from fault
    if not (said.matchers or known["incident"]):
        raise Refused("expected at least one matcher", "$.matchers")
    if said.matchers and matches_anything(matchers):
        raise Refused("this would silence everything: expected a label that must have a value", "$.matchers")
    return Silenced(
        **known, until=_until(said, known["at"]), matchers=said.matchers, comment=said.comment or said.text
    )


def _reassigned(said: Request, known: Mapping[str, Any]) -> Hand:
    if bool(said.user) == bool(said.team):
        raise Refused("expected either a user or a team", "$.user")
    return Reassigned(**known, user=said.user, team=said.team)


def _commented(said: Request, known: Mapping[str, Any]) -> Hand:
    if not said.text.strip():
        raise Refused("expected the text of the comment", "$.text")
    return Commented(**known, text=said.text.strip())


def _judged(said: Request, known: Mapping[str, Any]) -> Hand:
    if said.verdict is None:
        raise Refused("expected useful or false_alarm", "$.verdict")
    return Judged(**known, verdict=said.verdict)


def _granted(said: Request, known: Mapping[str, Any]) -> Hand:
    return Approved(**known, decision=_decision(said), verdict="granted")


def _refused(said: Request, known: Mapping[str, Any]) -> Hand:
    return Approved(**known, decision=_decision(said), verdict="refused")


def _decision(said: Request) -> str:
    if not said.decision:
        raise Refused("expected the id of a decision", "$.decision")
    return said.decision


ACTIONS: Mapping[str, Callable[[Request, Mapping[str, Any]], Hand]] = MappingProxyType(
    {
        "acknowledge": lambda _, known: Acknowledged(**known),
        "resolve": lambda _, known: Resolved(**known),
        "snooze": lambda said, known: Snoozed(**known, until=_until(said, known["at"])),
        "silence": _silenced,
        "reassign": _reassigned,
        "comment": _commented,
        "feedback": _judged,
        "grant": _granted,
        "refuse": _refused,
    }
)
AFTERWARDS = frozenset({"comment", "feedback"})
"""What may be said of an incident that is over."""
