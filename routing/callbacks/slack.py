"""What somebody pressed in Slack: the payload of `block_actions` becomes causes.

The buttons are those of `routing.words.blocks`: their action id is `oversight.NAME`, their value the
incident and, of advice that waits, a space and the decision.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from routing.callbacks.refused import Ignored, Refused
from schemas.cause import Acknowledged, Approved, Hand, Judged, Resolved, Silenced, Snoozed
from schemas.identity import derived

VIA = "slack"
PREFIX = "oversight."
PRESSED_LASTS = timedelta(hours=1)
"""How long a silence and a snooze from a button last."""


class User(Struct, frozen=True):
    """Who pressed it."""

    id: str
    username: str = ""
    name: str = ""


class Pressed(Struct, frozen=True):
    """One button. `action_ts`: when it was pressed, which tells two presses apart."""

    action_id: str
    action_ts: str
    value: str = ""


class Container(Struct, frozen=True):
    """The message with the button."""

    channel_id: str = ""
    message_ts: str = ""


class Interaction(Struct, frozen=True):
    """What Slack sends, as far as it matters here."""

    type: str
    user: User | None = None
    actions: tuple[Pressed, ...] = ()
    container: Container = Container()


_interaction = msgspec.json.Decoder(Interaction)
Making = Callable[[Mapping[str, Any], datetime], Hand]
MEANING: Mapping[str, Making] = MappingProxyType(
    {
        "acknowledge": lambda said, _: Acknowledged(**said),
        "resolve": lambda said, _: Resolved(**said),
        "snooze": lambda said, now: Snoozed(**said, until=now + PRESSED_LASTS),
        "silence": lambda said, now: Silenced(**said, until=now + PRESSED_LASTS),
        "useful": lambda said, _: Judged(**said, verdict="useful"),
        "false_alarm": lambda said, _: Judged(**said, verdict="false_alarm"),
        "grant": lambda said, _: Approved(**said, verdict="granted"),
        "refuse": lambda said, _: Approved(**said, verdict="refused"),
    }
)
RULINGS = frozenset({"grant", "refuse"})
"""What is said to a decision."""


def pressed(payload: bytes, now: datetime) -> tuple[Hand, ...]:
    """What the buttons that were pressed mean. The same press gives the same ids.

    Raises:
        Refused: it is no interaction of Slack's.
        Ignored: it is about something else.
    """
    try:
        said = _interaction.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"this is no interaction: {error}") from error
    if said.type != "block_actions" or said.user is None:
        raise Ignored(f"an interaction of type {said.type[:40]!r}")
    ours = [
        each
        for each in said.actions
        if each.action_id.startswith(PREFIX) and each.action_id.removeprefix(PREFIX) in MEANING
    ]
    if not ours:
        raise Ignored("no button of ours was pressed")
    return tuple(_cause(each, said.user, said.container, now) for each in ours)


def _cause(button: Pressed, user: User, where: Container, now: datetime) -> Hand:
    parts = (
        VIA,
        user.id,
        where.channel_id,
        where.message_ts,
        button.action_id,
        button.action_ts,
        button.value,
    )
    name = button.action_id.removeprefix(PREFIX)
    incident, _, decision = button.value.partition(" ")
    if (name in RULINGS) != bool(decision):
        raise Refused(f"the button {name} does not say what it should", "$.actions")
    said = {
        "at": now,
        "id": derived("hand", *parts),
        "incident": incident,
        "by": user.username or user.name or user.id,
        "via": VIA,
        "account": user.id,
    }
    return MEANING[name](said | ({"decision": decision} if decision else {}), now)
