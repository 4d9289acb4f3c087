"""What a fold takes and gives: log records in, outputs with their origin out."""

from collections.abc import Mapping
from typing import Literal

from msgspec import MsgspecError, Struct

from schemas.event import Event

UNREADABLE = (MsgspecError, UnicodeDecodeError, RecursionError)
"""What is raised where stored bytes are not what is expected: one damaged bit in a text is enough."""

Stream = Literal["causes", "pages", "incidents", "decisions", "deadletter", "spans", "events"]


class Origin(Struct, frozen=True, order=True, array_like=True):
    """Where an output comes from: the input partition, the offset in it, and the output's number there.

    A receiving fold keeps the highest (offset, n) per input partition and drops the rest, so an input range
    that is folded again repeats nothing.
    """

    partition: str
    """Topic and number of the input partition, as `topic/number`."""
    offset: int
    n: int


class Record(Struct, frozen=True, gc=False):
    """One record of a log, undecoded. `time_s`: the producer's wall clock, POSIX seconds, if known."""

    offset: int
    value: bytes
    key: bytes | None = None
    time_s: float | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    event: Event | None = None
    """What the value says, where whoever made the record has read it already."""
    at_s: float | None = None
    """Its time, POSIX seconds, where that is known as well."""


class Output(Struct, frozen=True):
    """One output of a fold, before its origin is known.

    `at` is event time in POSIX seconds; the host replaces it by the wall clock where that is the clock.
    """

    stream: Stream
    key: str
    value: Struct | bytes
    at: float
    headers: tuple[tuple[str, bytes], ...] = ()


class Saved(Struct, frozen=True):
    """The state of one key of a fold, as it is written to the snapshot topic.

    `applied`: the highest offset contained. `body`: the moving part. `version`: of the format of `body` and
    `parts`; older ones are migrated on loading. `wake_at`: POSIX seconds at which the key wants a tick though
    no event comes, or None. `parts`: large pieces that seldom change, by name; a piece is written again only
    when its bytes differ.
    """

    applied: int
    body: bytes
    version: int = 1
    wake_at: float | None = None
    parts: Mapping[str, bytes] = {}
