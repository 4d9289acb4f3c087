"""The bridge on Kafka: spans of OpenTelemetry in, agent events out, and signals of what was lost.

Two folds: one takes export requests apart and puts each span under its trace id, the other joins traces. What
the second puts out twice, because it was restarted, has the same id: detectors tell duplicates.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from bridge.traces import Traces
from bridge.unpacking import Unpacking
from schemas.record import Stream
from streams.fold import Fold
from streams.hosting.clock import Clock
from streams.hosting.emission import Destination, Emission
from streams.hosting.host import Host, Hosting
from streams.hosting.kafka import KafkaLog
from streams.hosting.pace import Pace
from streams.hosting.partition import Cadence, Partition, Surroundings
from streams.hosting.snapshots import Snapshots
from streams.hosting.topics import CAUSES, DEADLETTER, EVENTS, OTLP_SPANS, OTLP_STATE, SPANS, SPANS_STATE
from streams.watching.figures import Figures


class Bridge:
    """Both folds, each with its host."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        kafka: KafkaLog,
        clock: Clock,
        name: str = "oversight",
        session: timedelta = timedelta(seconds=10),
        *,
        figures: Figures | None = None,
    ) -> None:
        """`name`: what the consumer groups are called."""
        self._kafka = kafka
        self._clock = clock
        self._owner = uuid4().hex
        self._count = 0
        self._figures = figures or Figures()
        self._destinations: dict[Stream, Destination] = {}
        self._paces = {state: Pace() for state in (OTLP_STATE, SPANS_STATE)}
        unpack = Hosting[Partition](
            topic=OTLP_SPANS,
            group=f"{name}-bridge-unpack",
            make=self._unpack,
            owned=_settled,
            session=session,
        )
        join = Hosting[Partition](
            topic=SPANS, group=f"{name}-bridge-join", make=self._join, owned=_settled, session=session
        )
        self.hosts: list[Host[Partition]] = [Host(each, connection, clock) for each in (unpack, join)]

    async def run(self) -> None:
        """Runs both, until `stop`."""
        spread: tuple[tuple[Stream, str], ...] = (
            ("spans", SPANS),
            ("events", EVENTS),
            ("deadletter", DEADLETTER),
        )
        self._destinations["causes"] = Destination(CAUSES)
        for stream, topic in spread:
            self._destinations[stream] = Destination(topic, await self._kafka.partitions(topic))
        async with asyncio.TaskGroup() as group:
            for host in self.hosts:
                group.create_task(host.run())

    async def stop(self) -> None:
        """Hands everything over."""
        for host in self.hosts:
            await host.stop()

    def _unpack(self, number: int) -> Partition:
        return self._partition(Unpacking(where=f"{OTLP_SPANS}/{number}"), (OTLP_SPANS, number), OTLP_STATE)

    def _join(self, number: int) -> Partition:
        return self._partition(Traces(where=f"{SPANS}/{number}"), (SPANS, number), SPANS_STATE)

    def _partition(self, fold: Fold, source: tuple[str, int], state: str) -> Partition:
        self._count += 1
        emission = Emission(self._kafka, self._destinations, self._clock, "wall", self._figures)
        snapshots = Snapshots(self._kafka, state, source[1], f"{self._owner}-{self._count}")
        surroundings = Surroundings(
            self._kafka, emission, snapshots, self._clock, Cadence(), self._figures, self._paces[state]
        )
        return Partition(fold, source, surroundings, lambda: None)


async def _settled(_: Partition) -> None:
    """Nothing is to be told to a new owner."""
