"""A span as OTLP has it, whatever the encoding."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

Attributes = Mapping[str, Any]
"""Values are str, bool, int, float, bytes, and lists and mappings of them."""
DEEPEST = 12
"""Levels of lists and mappings in a value; deeper ones are left out."""


class Unreadable(ValueError):  # noqa: N818 - says what it is
    """Bytes that are no OTLP traces; the message says what was expected where."""


class RawEvent(Struct, frozen=True):
    """An event on a span."""

    name: str
    attributes: Attributes


class Raw(Struct, frozen=True, kw_only=True):
    """A span. Ids in hex as they came; times in nanoseconds since 1970. `failed`: its status is an error."""

    trace: str
    id: str
    parent: str
    name: str
    start_ns: int
    end_ns: int
    failed: bool
    message: str
    attributes: Attributes
    events: Sequence[RawEvent]
    resource: Attributes
