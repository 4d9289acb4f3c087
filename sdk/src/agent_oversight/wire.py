"""From what an agent said to a CloudEvent's bytes: names, times, and limits of length.

This runs beside the agent, never in its calls.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from agent_oversight.transport import Record
from agent_oversight.words import EventType, Parts

LONGEST = 256
LONGER: Mapping[tuple[str, str], int] = {
    ("error", "message"): 512,
    ("evaluation", "explanation"): 512,
    ("release", "summary"): 512,
    ("input", "text"): 4000,
}
"""Characters of a text that may be longer than others."""
MOST: Mapping[tuple[str, str], int] = {
    ("input", "features"): 32,
    ("input", "embedding"): 128,
    ("isolation", "resources"): 64,
    ("isolation", "honeytokens"): 16,
}
"""Entries of a list or a map."""
COUNTED = frozenset({"operation", "request", "response", "server", "usage", "error", "limits", "approval"})
"""Parts whose numbers are counts, durations and amounts: below 0, or no number at all, there are none."""
BEYOND = 2**63
MOST_ATTRIBUTES = 32
MOST_BYTES = 900_000
"""Kafka refuses records above about 1 MiB by default."""

_encoder = msgspec.json.Encoder(enc_hook=str)


class Said(NamedTuple):
    """What an agent said, as it waits to be sent. `time_s`: POSIX seconds, the end of the operation."""

    number: int
    type: EventType
    time_s: float
    here: Parts
    parts: Parts
    traceparent: str | None


class Refused(Exception):  # noqa: N818 - says what became of the event
    """An event that cannot be written, or is too large for a record."""


class Envelope(NamedTuple):
    """What all events of one publisher have in common. `prefix`: told apart from every other's."""

    source: str
    prefix: str
    key: bytes
    own: Mapping[str, Any]
    partitionkey: str | None = None


def record(said: Said, envelope: Envelope) -> Record:
    """An event in the structured binding of CloudEvents.

    Raises:
        Refused: where it cannot be written.
    """
    try:
        event = {
            "specversion": "1.0",
            "id": f"{envelope.prefix}-{said.number:x}",
            "source": envelope.source,
            "type": said.type,
            "time": datetime.fromtimestamp(said.time_s, UTC),
            "data": _data({**envelope.own, **said.here, **said.parts}),
        }
        if envelope.partitionkey is not None:
            event["partitionkey"] = envelope.partitionkey
        if said.traceparent is not None:
            event["traceparent"] = said.traceparent
        value = _encoder.encode(event)
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    if len(value) > MOST_BYTES:
        raise Refused(f"{len(value):,} bytes")
    return Record(envelope.key, value)


def _data(parts: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, fields in parts.items():
        if part == "attributes":
            known = [(name, value) for name, value in fields.items() if value is not None]
            found[part] = dict(known[:MOST_ATTRIBUTES])
        elif fields:
            found[part] = {
                name: _fitting(part, name, value)
                for name, value in fields.items()
                if value is not None and (part not in COUNTED or _is_possible(value))
            }
    return found


def _is_possible(value: Any) -> bool:
    """Whether a number can be one of what is counted; the pipeline would refuse the whole event for it."""
    return not isinstance(value, int | float) or 0 <= value < BEYOND


def _fitting(part: str, name: str, value: Any) -> Any:
    """A value, cut to what the contract allows."""
    match value:
        case str():
            return value[: LONGER.get((part, name), LONGEST)]
        case dict() if (part, name) in MOST:
            return dict(list(value.items())[: MOST[part, name]])
        case list() | tuple() if (part, name) in MOST:
            return value[: MOST[part, name]]
    return value
