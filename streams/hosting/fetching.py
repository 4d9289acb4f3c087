"""Reading what comes next, past records that the client of Kafka itself cannot read.

Brokers look at the frame of a batch and not at what is in it: a header's name that is no UTF-8 is taken, and
raises in the client, which by then has gone on behind the records that it read beside it. So all places are
gone back to, and what raises is read record by record; what cannot be read is passed over, and told. That is
the rest of its batch, too, for a batch is always read from its beginning; a batch is of one producer.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

FAULTS = (ValueError, EOFError, zlib.error)
"""What the bytes of a record raise. Nothing else is taken for their fault: what is passed over is lost."""
MOST_PASSED = 500
"""Records passed over at once; each is asked for."""


class Unread(Struct, frozen=True):
    """Records from an offset on that cannot be read, and why; those before them were."""

    offset: int
    count: int
    reason: str


class Fetched(Struct, frozen=True):
    """What was read of each place, and what could not be read behind it."""

    records: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    unread: Mapping[TopicPartition, Unread] = {}


class Fetching:
    """Reads with a consumer: `most` records at once, waiting `patience_ms` where there is none."""

    def __init__(self, consumer: Any, patience_ms: int, most: int) -> None:
        self._consumer = consumer
        self._how = {"timeout_ms": patience_ms}
        self._most = most

    async def fetched(self, given: Mapping[TopicPartition, int | None]) -> Fetched:
        """The next records. `given`: the offset to go on from, of each place that is read; None: unknown.

        Raises:
            OSError: a record cannot be read, and a place cannot be gone back to.
            KafkaError: no broker answers.
        """
        try:
            return Fetched(await self._consumer.getmany(**self._how, max_records=self._most))
        except FAULTS as fault:
            if None in given.values():
                raise OSError(f"a record cannot be read: {fault!r}") from fault
        for place, offset in given.items():
            self._consumer.seek(place, offset)
        found = await asyncio.gather(*(self._of(place, offset) for place, offset in given.items()))
        return Fetched(
            {place: records for place, (records, _) in zip(given, found, strict=True) if records},
            {place: unread for place, (_, unread) in zip(given, found, strict=True) if unread is not None},
        )

    async def _of(
        self, place: TopicPartition, offset: int | None
    ) -> tuple[Sequence[ConsumerRecord], Unread | None]:
        try:
            return await self._next(place, self._most), None
        except FAULTS:
            self._consumer.seek(place, offset)
        records: list[ConsumerRecord] = []
        while len(records) < self._most:
            try:
                some = await self._next(place, 1)
            except FAULTS as fault:
                return records, await self._passed(place, f"{type(fault).__name__}: {fault}")
            if not some:
                break
            records += some
        return records, None

    async def _next(self, place: TopicPartition, most: int) -> Sequence[ConsumerRecord]:
        got = await self._consumer.getmany(place, **self._how, max_records=most)
        some: Sequence[ConsumerRecord] = got.get(place, ())
        return some

    async def _passed(self, place: TopicPartition, reason: str) -> Unread:
        """Goes to the next record that can be read, or of which it is not known."""
        at = await self._consumer.position(place)
        for count in range(1, MOST_PASSED):
            self._consumer.seek(place, at + count)
            try:
                await self._next(place, 1)
            except FAULTS:
                continue
            self._consumer.seek(place, at + count)
            return Unread(at, count, reason)
        return Unread(at, MOST_PASSED - 1, reason)
