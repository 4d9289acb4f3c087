"""Outputs of a fold on their way into the log: origin, clock, destination."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from aiokafka.partitioner import murmur2
from msgspec import Struct

from schemas.cause import Cause
from schemas.record import Origin, Output, Stream
from schemas.wire import encode
from streams.clock import Clock
from streams.log import Log, Outgoing


class Destination(Struct, frozen=True):
    """A topic and how many partitions it has. One partition: everything in one order."""

    topic: str
    partitions: int = 1

    def partition(self, key: str) -> int:
        """The partition of a key, as every Kafka client's default partitioner has it (murmur2)."""
        if self.partitions == 1:
            return 0
        return int(murmur2(key.encode("utf-8", "surrogatepass")) & 0x7FFFFFFF) % self.partitions


class Emission:
    """Appends outputs in order, each with its origin; says done only when all are acknowledged.

    `mode`: `wall` stamps causes with the wall clock, `events` leaves their event time.
    """

    def __init__(
        self,
        log: Log,
        destinations: Mapping[Stream, Destination],
        clock: Clock,
        mode: Literal["wall", "events"],
    ) -> None:
        self._log = log
        self._destinations = destinations
        self._clock = clock
        self._mode = mode

    async def put(self, outputs: Sequence[tuple[Origin, Output]]) -> None:
        """Appends all outputs.

        Raises:
            AppendFailed: some are not known to be written; putting them all again repeats nothing for a
                receiver that keeps the highest origin.
        """
        now = self._clock.now() if outputs else None
        queues: dict[tuple[str, int], list[Outgoing]] = {}
        for origin, output in outputs:
            destination = self._destinations[output.stream]
            where = (destination.topic, destination.partition(output.key))
            queues.setdefault(where, []).append(self._outgoing(origin, output, now))
        for (topic, partition), records in queues.items():
            await self._log.append(topic, partition, records)

    def _outgoing(self, origin: Origin, output: Output, now: datetime | None) -> Outgoing:
        value = output.value
        headers = output.headers
        if isinstance(value, Cause):
            at = now if self._mode == "wall" and now is not None else value.at
            value = msgspec.structs.replace(value, at=at, origin=origin)
        else:
            headers = (*headers, ("origin", f"{origin.partition}:{origin.offset}:{origin.n}".encode()))
        key = output.key.encode("utf-8", "surrogatepass") if output.key else None
        return Outgoing(key, encode(value), headers)
