"""A Bytewax dataflow with recovery: with_bytewax.py SET HOST:PORT EVENTS.

Batches are decoded at once, keyed by agent, and given to a stateful step as they come; every ten seconds, as
is its default and the worker's, what changed goes into SQLite.
"""

import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.peers.watcher import Told, Watcher, kinds_of
from benchmarks.stopwatch import Stopwatch, ready
from detectors.detector import Detector
from schemas.event import Event
from schemas.wire import decode_event
from streams.hosting.topics import EVENTS

BATCH = 5_000
EPOCH = timedelta(seconds=10)


def decoded(messages: list[KafkaSourceMessage[bytes, bytes]]) -> Iterable[tuple[str, Event]]:
    """Events with their agents' names; what the host tells itself is left out."""
    for message in messages:
        event = decode_event(message.value)
        if isinstance(event, Event):
            yield event.data.agent.name, event


class Watching(StatefulBatchLogic[Event, Told, bytes]):
    """One agent's watcher."""

    def __init__(self, kinds: Mapping[str, type[Detector]], watch: Stopwatch, saved: bytes | None) -> None:
        self._kinds = kinds
        self._watch = watch
        self._watcher = Watcher.load(saved, kinds) if saved is not None else None

    def on_batch(self, values: list[Event]) -> tuple[Iterable[Told], bool]:
        """Shows it what came for its agent."""
        if self._watcher is None:
            self._watcher = Watcher(values[0].data.agent.name, self._kinds)
        told = self._watcher.see_many(values)
        self._watch.found.update(told)
        self._watch.took(len(values))
        return told, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes | None:
        """What recovery keeps."""
        return self._watcher.save() if self._watcher is not None else None


class Nowhere(DynamicSink[object], StatelessSinkPartition[object]):
    """Findings are few; where they go costs nothing."""

    def build(self, *_: object) -> StatelessSinkPartition[object]:
        """Itself."""
        return self

    def write_batch(self, items: list[object]) -> None:
        """They have been noted."""


def main() -> None:
    """Ends when the stopwatch has seen all events."""
    ready()
    kinds, watch = kinds_of(sys.argv[1]), Stopwatch(int(sys.argv[3]))
    flow = Dataflow("bench")
    messages = op.input("events", flow, KafkaSource([sys.argv[2]], [EVENTS], batch_size=BATCH))
    events = op.flat_map_batch("decode", messages, decoded)
    told = op.stateful_batch("watch", events, partial(Watching, kinds, watch))
    op.output("out", told, Nowhere())
    home = Path(tempfile.mkdtemp(prefix="bytewax-"))
    init_db_dir(home, 1)
    cli_main(flow, epoch_interval=EPOCH, recovery_config=RecoveryConfig(str(home)))


if __name__ == "__main__":
    main()
