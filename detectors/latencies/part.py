"""A part of an agent whose durations are watched: an operation with its tool or model."""

from collections.abc import Iterator

from msgspec import Struct, field

from detectors.latencies.slow_series import SlowSeries

SLOW, FIRST_CHUNK, QUEUE_WAIT = "slow", "first_chunk", "queue_wait"


class Part(Struct, array_like=True):
    """`kind`: what `name` is of, `tool` or `model`. What is not sent is not watched."""

    operation: str
    kind: str
    name: str
    slow: SlowSeries = field(default_factory=SlowSeries)
    first_chunk: SlowSeries | None = None
    queue_wait: SlowSeries | None = None

    def all(self) -> Iterator[tuple[str, SlowSeries]]:
        """What is watched, by the name of its finding."""
        yield SLOW, self.slow
        if self.first_chunk is not None:
            yield FIRST_CHUNK, self.first_chunk
        if self.queue_wait is not None:
            yield QUEUE_WAIT, self.queue_wait

    @property
    def labels(self) -> dict[str, str]:
        """What tells it from the agent's other parts."""
        labels = {"operation": self.operation}
        return {**labels, self.kind: self.name} if self.name else labels

    @property
    def words(self) -> str:
        """As people call it."""
        if not self.name:
            return self.operation
        return f"{self.operation} with {self.name}" if self.kind == "model" else self.name
