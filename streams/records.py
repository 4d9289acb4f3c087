"""What `--json` prints: one record a line, in shapes that scripts may rely on."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from schemas.decision import Decision
from schemas.incident import Incident
from schemas.page import Notice, Page, Update
from schemas.signal import Signal
from streams.files import Line

Word = Signal | Incident | Page | Update | Decision


class DeadLetter(Struct, frozen=True):
    """A line that could not be taken, and why."""

    line: Line
    reason: str


Told = Word | DeadLetter


class SignalRecord(Struct, frozen=True, kw_only=True, tag="signal", tag_field="kind"):
    """A finding that begins to hold or no longer holds; `reason` says why it ended."""

    id: str
    time: datetime
    detector: str
    finding: str
    state: str
    labels: dict[str, str]
    onset: datetime
    summary: str
    observed: float | None
    baseline: float | None
    reason: str


class IncidentRecord(Struct, frozen=True, kw_only=True, tag="incident", tag_field="kind"):
    """An incident that opened or whose status or severity changed."""

    id: str
    time: datetime
    status: str
    severity: str
    labels: dict[str, str]
    summary: str
    receiver: str
    score: int


class PageRecord(Struct, frozen=True, kw_only=True, tag="page", tag_field="kind"):
    """A page that was sent."""

    id: str
    time: datetime
    incident: str
    severity: str
    to: str
    channel: str
    reason: str
    summary: str


class NoticeRecord(PageRecord, frozen=True, kw_only=True, tag="notice"):
    """Word of a shift that changes hands: no page."""


class UpdateRecord(Struct, frozen=True, kw_only=True, tag="update", tag_field="kind"):
    """An edit or thread reply to a page that was sent: no new page."""

    id: str
    time: datetime
    incident: str
    to: str
    channel: str
    reason: str
    summary: str


class DecisionRecord(Decision, frozen=True, kw_only=True, tag="decision", tag_field="kind"):
    """Advice for agents and gateways, as it is published."""


SHAPES: dict[type[Struct], type[Struct]] = {
    Signal: SignalRecord,
    Incident: IncidentRecord,
    Page: PageRecord,
    Notice: NoticeRecord,
    Update: UpdateRecord,
    Decision: DecisionRecord,
}


def record(word: Word) -> Struct:
    """The record of a word. A channel is told as `kind:target`, without its options."""
    shape = SHAPES[type(word)]
    values: dict[str, Any] = {name: getattr(word, name) for name in shape.__struct_fields__}
    if isinstance(word, Page | Update):
        values["channel"] = f"{word.channel.kind}:{word.channel.target}"
    return shape(**values)


class Turns:
    """Tells turns from re-assertions: a signal is re-asserted each minute, an incident is published often."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, str]] = {}

    def is_turn(self, word: Word) -> bool:
        """Whether it is new or differs from what was told last; pages and advice are always new."""
        match word:
            case Signal():
                return self._differs(word.id, (word.state, ""))
            case Incident():
                return self._differs(word.id, (word.status, word.severity))
            case _:
                return True

    def _differs(self, name: str, state: tuple[str, str]) -> bool:
        if self._seen.get(name) == state:
            return False
        self._seen[name] = state
        return True


def line(word: Word) -> bytes:
    """The record of a word as one line of JSON, without its end."""
    return msgspec.json.encode(record(word))
