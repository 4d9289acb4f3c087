"""Breaches of one kind while they are told of: between whom, in how many sessions, at what concurrency."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field

from detectors.course import Course
from detectors.redaction import redact
from schemas.event import Event
from schemas.signal import Sample

MOST_PAIRS = 16
MOST_SESSIONS = 256
MOST_PARTIES = 64
MOST_SAMPLES = 3
LONGEST_NAME = 64

What = Literal["tenant", "user", "resource", "honeytoken"]
Sides = tuple[str, str]
"""Whose it is, and who touched it."""


class Crossing(Struct, array_like=True):
    """The state of one kind. Distinct counts are exact up to their cap, then "at least".

    `onset`, `latest`: POSIX seconds of the first and the last breach. `crowd`: sessions (or calls) at once,
    added up over the breaches. `what`: how often which boundary was crossed. `course`: breaches by minute.
    """

    onset: float
    latest: float
    count: int = 0
    crowd: float = 0.0
    pairs: dict[str, tuple[str, str, int]] = {}
    sessions: dict[int, int] = {}
    parties: dict[str, int] = {}
    what: dict[str, int] = {}
    samples: list[Sample] = []
    capped: bool = False
    course: Course = field(default_factory=Course)

    def take(self, sides: Sides, what: What, at: float, crowd: float) -> None:
        """One breach."""
        self.latest = at
        self.count += 1
        self.course.add(at)
        self.crowd += crowd
        self.what[what] = self.what.get(what, 0) + 1
        key = "\0".join(sides)
        known = self.pairs.get(key)
        if known is not None or len(self.pairs) < MOST_PAIRS:
            self.pairs[key] = (*sides, known[2] + 1 if known else 1)
        else:
            self.capped = True
        for side in sides:
            self.capped |= _note(self.parties, side, MOST_PARTIES)

    def touch(self, session: int) -> None:
        """The session, as a 64-bit digest, in which it happened."""
        self.capped |= _note(self.sessions, session, MOST_SESSIONS)

    def sample(self, event: Event, text: str) -> None:
        """Keeps an event to look at: the first of each pair, three at most."""
        if len(self.samples) >= MOST_SAMPLES or any(each.text == text for each in self.samples):
            return
        conversation = event.data.conversation
        made = Sample(
            event=f"{event.source}/{event.id}",
            time=event.time,
            text=text,
            conversation=conversation.id if conversation else None,
            trace=event.traceparent[3:35] if event.traceparent else None,
        )
        self.samples = [*self.samples, made]


def named(name: str, digest: int, patterns: Sequence[str]) -> str:
    """A party as it may be shown: what is masked keeps four digits that tell it from another.

    A long random id is no secret here; an address or a number of a person is.

    >>> named("t_7", 1, ()), named("ana@example.org", 0xABCDE, ())
    ('t_7', '[e-mail]#bcde')
    """
    masked = redact(name, patterns)
    if masked in (name, "[secret]"):
        return name[:LONGEST_NAME]
    return f"{masked[:LONGEST_NAME]}#{digest & 0xFFFF:04x}"


def _note(seen: dict[Any, int], key: int | str, most: int) -> bool:
    """Notes a key; whether there was no more room for it."""
    if key in seen:
        return False
    if len(seen) >= most:
        return True
    seen[key] = 1
    return False
