"""What an incident of failures has hit: how many sessions, users, tenants, by which errors, with samples."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct, field

from detectors.contrast import CLASS, ERROR_TYPE, Tally, Values, values
from detectors.redaction import redact
from schemas.event import Data, Event
from schemas.signal import Blast, Sample

MOST_SESSIONS = 256
MOST_USERS = 256
MOST_TENANTS = 64
MOST_MARKS = 16
MOST_SAMPLES = 3
LONGEST_TEXT = 200


class Mark(Struct, array_like=True, frozen=True):
    """What is kept of one failure. `at`: POSIX seconds. Ids of sessions, users, tenants as 64-bit digests."""

    at: float
    kind: str
    error: str
    session: int
    user: int
    tenant: int
    values: Values


class Affected(Struct, array_like=True):
    """The failures of one incident. Distinct counts are exact up to their cap, then "at least"."""

    tally: Tally = field(default_factory=Tally)
    sessions: dict[int, int] = {}
    users: dict[int, int] = {}
    tenants: dict[int, int] = {}
    capped: bool = False

    def take(self, mark: Mark) -> None:
        """One failure."""
        self.tally.take(mark.values)
        self.tally.add(ERROR_TYPE, mark.error)
        self.tally.add(CLASS, mark.kind)
        known = (self.sessions, mark.session, MOST_SESSIONS), (self.users, mark.user, MOST_USERS)
        for seen, digest, most in (*known, (self.tenants, mark.tenant, MOST_TENANTS)):
            if digest and digest not in seen:
                self.capped |= len(seen) >= most
                if len(seen) < most:
                    seen[digest] = 1

    def blast(self, share: float) -> Blast:
        """The counts; `share` of all in the window, in [0, 1]."""
        return Blast(
            sessions=len(self.sessions),
            users=len(self.users),
            tenants=len(self.tenants),
            share=round(share, 4),
            capped=self.capped,
        )


def mark_of(event: Event, now: float, kind: str, error: str) -> Mark:
    """What to keep of a failing event."""
    data = event.data
    return Mark(
        now,
        kind,
        error[:64],
        _digest(data.conversation.id if data.conversation else None),
        _digest(data.user.id if data.user else None),
        _digest(data.tenant.id if data.tenant else None),
        _short(data),
    )


def sample_of(event: Event, patterns: Sequence[str]) -> Sample:
    """A failing event to look at: its error's type and message, redacted."""
    data, failure = event.data, event.data.error
    text = failure.type if failure else ""
    if failure and failure.message:
        text = f"{text}: {_redacted(failure.message, tuple(patterns))}"
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=text[:LONGEST_TEXT],
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )


@lru_cache(maxsize=256)
def _redacted(message: str, patterns: tuple[str, ...]) -> str:
    """Failures of an incident mostly have the same few messages."""
    return redact(message, patterns)


def _short(data: Data) -> Values:
    return tuple(value[:64] if value else None for value in values(data))


def _digest(name: str | None) -> int:
    """64 bits of BLAKE2b, never 0 for a name; 0 for none."""
    if not name:
        return 0
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
