"""Calls that began and have not ended, and sessions whose required calls are remembered until they end."""

from collections.abc import Iterator
from math import inf

from msgspec import Struct, structs
from xxhash import xxh3_64_intdigest

from schemas.event import Data, Event, Failure, Operation

MOST_CALLS = 128
MOST_ENDED = 64
MOST_SESSIONS = 128
MOST_REQUIRED = 8
"""Dependencies remembered of a session."""

Place = tuple[str, str]
"""Kind (`provider`, `tool`) and name of a dependency."""


class Call(Struct, array_like=True, frozen=True):
    """A call that began: to which dependency, and by when it must have ended (POSIX seconds)."""

    place: Place
    due: float
    event: Event


class OpenCalls(Struct, array_like=True):
    """Calls by operation id, in order of beginning; `dropped`: those that the cap cost.

    `ended`: digests (XXH3, 64 bits) of the last ids that ended before it was heard that they began.
    """

    calls: dict[str, Call] = {}
    due: float = inf
    dropped: int = 0
    ended: dict[int, int] = {}

    def end(self, name: str) -> int:
        """A call ends; returns 1 if it was known to have begun, else 0."""
        if self.calls.pop(name, None) is not None:
            return 1
        if len(self.ended) >= MOST_ENDED:
            del self.ended[next(iter(self.ended))]
        self.ended[_digest(name)] = 1
        return 0

    def begin(self, name: str, call: Call) -> None:
        """A call begins; at the cap, the one that began first is no longer waited for.

        Events overtake each other: one whose end was heard of already is not waited for.
        """
        if self.ended and self.ended.pop(_digest(name), None) is not None:
            return
        self.calls.pop(name, None)
        if len(self.calls) >= MOST_CALLS:
            del self.calls[next(iter(self.calls))]
            self.dropped += 1
        self.calls[name] = call
        self.due = min(self.due, call.due)

    def overdue(self, now: float) -> Iterator[Call]:
        """Takes out the calls that should have ended by now."""
        late = [name for name, call in self.calls.items() if call.due <= now]
        for name in late:
            yield self.calls.pop(name)
        self.due = min((call.due for call in self.calls.values()), default=inf)


class Required(Struct, array_like=True):
    """By session: dependencies of its required calls, each with the last call if that failed."""

    sessions: dict[str, dict[str, tuple[Place, Event | None]]] = {}

    def note(self, session: str, place: Place, failed: Event | None) -> None:
        """A required call of a session has ended."""
        calls = self.sessions.get(session)
        if calls is None:
            if len(self.sessions) >= MOST_SESSIONS:
                del self.sessions[next(iter(self.sessions))]
            calls = self.sessions[session] = {}
        name = "/".join(place)
        if name in calls or len(calls) < MOST_REQUIRED:
            calls[name] = (place, failed)


def slim(event: Event, failure: Failure) -> Event:
    """The event with this error, and only what is told of it."""
    data = event.data
    operation = Operation(name=data.operation.name)
    kept = Data(
        operation=operation,
        agent=data.agent,
        conversation=data.conversation,
        tenant=data.tenant,
        user=data.user,
        provider=data.provider,
        request=data.request,
        tool=data.tool,
        error=failure,
    )
    return structs.replace(event, data=kept)


def _digest(name: str) -> int:
    return xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))
