"""Outputs of a fold on their way into the log: origin, clock, destination.

What the log refuses for ever (too large) must not hold up the rest: it goes to the dead letters, cut short.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import structlog
from aiokafka.partitioner import murmur2
from msgspec import Struct

from schemas.cause import Cause, Signalled
from schemas.record import Origin, Output, Stream
from schemas.wire import encode
from streams.deadletters.letter import REASON, first, kind_of
from streams.hosting.clock import Clock
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.watching.figures import Figures
from streams.watching.names import DEADLETTERS, OUTPUTS, REFUSED, SIGNALS

log = structlog.get_logger(__name__)
MOST_DEAD_BYTES = 65_536
"""Bytes that are kept of an output which is refused for its size."""


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
        log_: Log,
        destinations: Mapping[Stream, Destination],
        clock: Clock,
        mode: Literal["wall", "events"],
        figures: Figures | None = None,
    ) -> None:
        self._log = log_
        self._destinations = destinations
        self._clock = clock
        self._mode = mode
        self._figures = figures or Figures()
        self.refused = 0
        """Outputs that the log refused for ever, so far."""
        self.dropped = 0
        """Those of them that the dead letters refused, too."""

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
            await self._append(topic, partition, records)
            self._figures.count(OUTPUTS, topic, by=len(records))
        for _, output in outputs:
            self._count(output)

    def _count(self, output: Output) -> None:
        if isinstance(output.value, Signalled):
            signal = output.value.signal
            self._figures.count(SIGNALS, signal.detector, signal.state)
        elif output.stream == "deadletter":
            self._figures.count(DEADLETTERS, kind_of(first(output.headers, REASON)))

    async def _append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> None:
        try:
            await self._log.append(topic, partition, records)
        except AppendFailed as error:
            if not error.lasting:
                raise
            await self._one_by_one(topic, partition, records)

    async def _one_by_one(self, topic: str, partition: int, records: Sequence[Outgoing]) -> None:
        """In the same order; each that is refused by itself is buried."""
        for record in records:
            try:
                await self._log.append(topic, partition, [record])
            except AppendFailed as error:
                if not error.lasting:
                    raise
                self.refused += 1
                self._figures.count(REFUSED, topic)
                size = len(record.value or b"")
                log.warning("output.refused", topic=topic, size=size, reason=error.lasting)
                await self._bury(topic, record, error)

    async def _bury(self, topic: str, record: Outgoing, error: AppendFailed) -> None:
        value = record.value or b""
        reason = f"{topic} refused it, {len(value):,} bytes: {error.lasting}"
        headers = (("reason", reason.encode()), *(each for each in record.headers if each[0] == "origin"))
        destination = self._destinations["deadletter"]
        where = destination.topic, destination.partition("")
        try:
            await self._log.append(*where, [Outgoing(record.key, value[:MOST_DEAD_BYTES], headers)])
            self._figures.count(DEADLETTERS, "cut")
        except AppendFailed as again:
            if not again.lasting:
                raise
            self.dropped += 1
            log.warning("deadletter.refused", topic=topic, reason=again.lasting)

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
