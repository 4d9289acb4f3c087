"""Whom slow operations have hit, and what they have in common."""

from msgspec import Struct, field

from detectors.contrast import Tally, values
from schemas.event import Event, Identified
from schemas.identity import derived
from schemas.signal import Blast, Sample

MOST_SESSIONS, MOST_OTHERS = 64, 32
MOST_SAMPLES = 3
LONGEST_ID = 40


class Touched(Struct, array_like=True):
    """Slow operations: `count` of `total`. Sessions, users and tenants are exact up to their cap."""

    count: int = 0
    total: int = 0
    tally: Tally = field(default_factory=Tally)
    sessions: dict[str, int] = {}
    users: dict[str, int] = {}
    tenants: dict[str, int] = {}
    capped: bool = False
    samples: list[tuple[float, Sample]] = []

    def take(self, event: Event, seconds: float) -> None:
        """One slow operation, looked at closely."""
        data = event.data
        self.tally.take(values(data))
        conversation = data.conversation.id if data.conversation else None
        self._see(self.sessions, conversation, MOST_SESSIONS)
        self._see(self.users, _id(data.user), MOST_OTHERS)
        self._see(self.tenants, _id(data.tenant), MOST_OTHERS)
        if len(self.samples) < MOST_SAMPLES or seconds > self.samples[-1][0]:
            sample = (seconds, _sample(event, seconds))
            self.samples = sorted([*self.samples, sample], key=lambda each: -each[0])[:MOST_SAMPLES]

    def _see(self, seen: dict[str, int], name: str | None, most: int) -> None:
        if not name:
            return
        short = name if len(name) <= LONGEST_ID else derived("id", name)
        if short not in seen:
            self.capped |= len(seen) >= most
            if len(seen) < most:
                seen[short] = 1

    def blast(self) -> Blast:
        """The counts; the share is that of slow operations."""
        share = min(1.0, self.count / self.total) if self.total else 0.0
        return Blast(
            sessions=len(self.sessions),
            users=len(self.users),
            tenants=len(self.tenants),
            share=round(share, 4),
            capped=self.capped,
        )


def _id(who: Identified | None) -> str | None:
    return who.id if who is not None else None


def _sample(event: Event, seconds: float) -> Sample:
    conversation = event.data.conversation
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=f"{event.data.operation.name[:64]}: {seconds:.3g} s",
        conversation=conversation.id if conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
