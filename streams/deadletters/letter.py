"""A dead letter: where it comes from, why it is one, and whether putting it back can help."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from schemas.record import Record
from streams.hosting.log import Outgoing

Kind = Literal["unread", "judged", "cut", "complaint"]
"""`unread`: nothing of the record was taken; `judged`: it was taken, but a detector failed of it; `cut`: an
output too large for its topic, cut short; `complaint`: words of the pipeline to the owners of its rules."""
State = Literal["waiting", "failed again", "put back"]

REASON = "reason"
ORIGIN = "origin"
REPLAYED = "oversight-replayed"
"""The header of a record that was put back: how often, and where it lay at first."""
MARK = "oversight-mark"
"""The header of a record among the dead letters that says that another one was put back."""
LONGEST_NAME = 128
_RAISED = re.compile(r"[A-Za-z_]\w*: ")
"""How the host begins the reason of a record that it could not fold: with the name of the exception alone."""
_JSON_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Origin(Struct, frozen=True):
    """Where the record lay. `n`: the number of the output there."""

    topic: str
    partition: int
    offset: int
    n: int = 0

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}:{self.offset}"


class Letter(Struct, frozen=True, kw_only=True):
    """One dead letter, without the record itself.

    `id`: its own place, as `offset` or, of a topic with several partitions, `partition/offset`. `at`: when it
    was written. `agent`: as far as it is legible. `bytes`: of the record. `replays`: how often the record had
    been put back before; `first`: where it lay the very first time.
    """

    id: str
    at: datetime
    kind: Kind
    reason: str
    agent: str
    origin: Origin | None
    bytes: int
    replays: int = 0
    first: str = ""
    state: State = "waiting"

    @property
    def can_return(self) -> bool:
        """Whether the record may be put back: whole, and nothing of it was taken."""
        return self.kind == "unread" and self.origin is not None


class Mark(Struct, frozen=True, kw_only=True):
    """Says among the dead letters that one of them was put back, by whom, and where it lies now."""

    letter: str
    by: str
    at: datetime
    put: str


class _Rough(Struct):
    """What may be legible of a record that is none."""

    data: Any = None
    reason: Any = None
    about: Any = None


def letter_of(name: str, record: Record) -> Letter:
    """The letter at a place among the dead letters."""
    said = first(record.headers, REASON)
    rough = _rough(record.value)
    reason = said if said is not None else _text(rough.reason) or "no reason was given"
    count, _, where = (first(record.headers, REPLAYED) or "").partition(" ")
    origin = _origin(last(record, ORIGIN) or "")
    replays = int(count) if count.isdecimal() and len(count) < 10 else 0  # noqa: PLR2004 - nobody did that
    return Letter(
        id=name,
        at=datetime.fromtimestamp(record.time_s or 0.0, UTC),
        kind=kind_of(said),
        reason=reason,
        agent=_agent(rough, record),
        origin=origin,
        bytes=len(record.value),
        replays=replays,
        first=where or str(origin or ""),
        state="failed again" if replays else "waiting",
    )


def returning(letter: Letter, record: Record) -> tuple[Origin, Outgoing]:
    """Where the record lay, and the record as it was, with the mark that it was put back.

    Raises:
        ValueError: it cannot be put back.
    """
    if not letter.can_return or letter.origin is None:
        raise ValueError(f"letter {letter.id} cannot be put back: {why_not(letter)}")
    mark = (REPLAYED, f"{letter.replays + 1} {letter.first}".encode())
    headers = tuple(each for each in own_headers(record) if each[0] != REPLAYED)
    return letter.origin, Outgoing(record.key or None, record.value, (*headers, mark))


def why_not(letter: Letter) -> str:
    """Why putting it back would do harm, or cannot be."""
    match letter.kind:
        case "judged":
            return "the pipeline took the record, and would count it twice"
        case "cut":
            return "it is an output that was too large, and only its beginning is kept"
        case "complaint":
            return "it is no record, but says what is wrong with the rules"
    return "it does not say where it comes from"


def own_headers(record: Record) -> tuple[tuple[str, bytes], ...]:
    """The headers that the record itself had: without the reason, the first, and the origin, the last."""
    headers = list(record.headers)
    if headers and headers[0][0] == REASON:
        del headers[0]
    if headers and headers[-1][0] == ORIGIN:
        del headers[-1]
    return tuple(headers)


def first(headers: Sequence[tuple[str, bytes]], header: str) -> str | None:
    """What the first header of this name says."""
    return next((_text(value) for name, value in headers if name == header), None)


def last(record: Record, header: str) -> str | None:
    """What the last header of this name says."""
    return next((_text(value) for name, value in reversed(record.headers) if name == header), None)


def kind_of(reason: str | None) -> Kind:
    """What kind of letter has this reason; None: it has none among its headers."""
    if reason is None:
        return "complaint"
    if _RAISED.match(reason):
        return "unread"
    return "cut" if " refused it, " in reason else "judged"


def _rough(value: bytes) -> _Rough:
    try:
        return msgspec.json.decode(value, type=_Rough)
    except _JSON_FAULTS:
        return _Rough()


def _agent(rough: _Rough, record: Record) -> str:
    """From the data as the contract has it, else from the key, by which events are laid out."""
    match rough.data:
        case {"agent": {"name": str(name)}}:
            return name[:LONGEST_NAME]
    return (record.key or b"").decode("utf-8", "replace")[:LONGEST_NAME]


def _origin(text: str) -> Origin | None:
    place, _, rest = text.partition(":")
    topic, _, partition = place.rpartition("/")
    offset, _, n = rest.partition(":")
    if not topic or not all(each.isdecimal() for each in (partition, offset, n)):
        return None
    return Origin(topic, int(partition), int(offset), int(n))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
