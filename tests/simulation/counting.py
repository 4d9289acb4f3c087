"""A detector that shows each event it saw, and each it saw twice."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import msgspec

from detectors.detector import Finding, State
from detectors.settings import Watch
from schemas.event import EVENT_TYPES, Event


class Counter:
    """Counts; finds something while the count is odd; keeps a part that seldom changes."""

    name: ClassVar[str] = "counter"
    version: ClassVar[int] = 1
    warm_up: ClassVar[str] = "none"
    watches: ClassVar[frozenset[str]] = frozenset(EVENT_TYPES)
    takes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, watch: Watch, options: Mapping[str, Any]) -> None:
        del watch, options
        self.count = 0
        self.since = 0.0
        self.wake_at: float | None = None

    def observe(self, event: Event, now: float) -> None:
        self.count += 1
        if self.count % 2:
            self.since = now
        self.wake_at = now + 20 if self.count % 5 == 0 else None
        if event.id.endswith("13"):
            raise ValueError("an unlucky event")

    def findings(self, now: float) -> Sequence[Finding]:
        assert now
        if self.count % 2 == 0:
            return []
        return [
            Finding(finding="odd", onset=self.since, summary=f"{self.count} seen", observed=float(self.count))
        ]

    def configure(self, watch: Watch, options: Mapping[str, Any]) -> None:
        pass

    def rebase(self, now: float) -> None:
        assert now
        self.count = 0

    def save(self) -> State:
        body = msgspec.msgpack.encode((self.count, self.since, self.wake_at))
        return State(body, {"tens": str(self.count // 10).encode()})

    @classmethod
    def load(cls, watch: Watch, options: Mapping[str, Any], state: State, version: int) -> Self:
        assert version == cls.version
        made = cls(watch, options)
        made.count, made.since, made.wake_at = msgspec.msgpack.decode(state.body)
        assert state.parts["tens"] == str(made.count // 10).encode()
        return made
