"""The log on Kafka, by aiokafka: appends whole batches in order, reads a partition from its beginning.

Nothing here needs transactions, an idempotent producer or exact end offsets: what must hold rests on offsets
inside the log itself (`streams.hosting.snapshots`), so that every broker that keeps an order will do.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from schemas.record import Record
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.reading import READ_AT_ONCE, TURN_MS, to_end

LARGEST_BYTES = 3_000_000
"""Largest record that is sent at all: above the largest that any topic of ours takes."""
BATCH_BYTES = 900_000
"""Batches are closed before they grow beyond this: brokers measure a whole batch as they do a record."""
TURN_WITHIN_S = 10.0
HURRY_S = 4.0
"""How long an append may take while we stop; in good order it takes some hundredths of that."""
HURRIED_S = 0.5
"""How long others may take after one that failed: the brokers are away, or some of them."""
CLOSED_WITHIN_S = 1.0
_LASTING = (MessageSizeTooLargeError, RecordListTooLargeError)


class KafkaLog:
    """Appends and reads. `connection`: what aiokafka takes to reach the brokers."""

    def __init__(self, connection: dict[str, Any]) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._turns: dict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: set[asyncio.Timeout] = set()
        self._hurry_s: float | None = None

    def hurry(self) -> None:
        """We stop: from here on an append has four seconds, and after one that failed, half a second."""
        self._hurry_s = HURRY_S
        for each in self._under_way:
            each.reschedule(asyncio.get_running_loop().time() + HURRY_S)

    async def __aenter__(self) -> Self:
        producer = AIOKafkaProducer(
            **self._connection,
            acks="all",
            linger_ms=0,
            max_batch_size=LARGEST_BYTES,
            max_request_size=LARGEST_BYTES,
            request_timeout_ms=10_000,
            retry_backoff_ms=100,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._producer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(
                    self._producer.stop(), None if self._hurry_s is None else CLOSED_WITHIN_S
                )

    async def append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        """Appends batch by batch, each acknowledged before the next is sent, so that no gap can arise."""
        try:
            async with asyncio.timeout(self._hurry_s) as limit:
                self._under_way.add(limit)
                try:
                    return await self._append(topic, partition, records)
                finally:
                    self._under_way.discard(limit)
        except TimeoutError as error:
            self._hurry_s = HURRIED_S
            raise AppendFailed(f"{topic}/{partition}: not written before the end") from error
        except AppendFailed as error:
            if self._hurry_s is not None and not error.lasting:
                self._hurry_s = HURRIED_S
            raise

    async def _append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        if self._producer is None:
            raise AppendFailed("the log is closed")
        last = -1
        try:
            builder = self._producer.create_batch()
            count = 0
            for record in records:
                size = _size(record)
                if size > LARGEST_BYTES:
                    raise MessageSizeTooLargeError(f"a record of {size:,} bytes")
                if count and builder.size() + size > BATCH_BYTES:
                    last = await self._send(builder, count, topic, partition)
                    builder, count = self._producer.create_batch(), 0
                _add(builder, record)
                count += 1
            if count:
                last = await self._send(builder, count, topic, partition)
        except _LASTING as error:
            raise AppendFailed(f"{topic}/{partition}: {error!r}", type(error).__name__) from error
        except KafkaError as error:
            raise AppendFailed(f"{topic}/{partition}: {error!r}") from error
        return last

    async def _send(self, builder: Any, count: int, topic: str, partition: int) -> int:
        if self._producer is None or not count:
            return -1
        builder.close()
        try:
            # The producer's own queue starves those who wait in it, and fails them, once they are dozens.
            async with asyncio.timeout(TURN_WITHIN_S), self._turns[topic, partition]:
                future = await self._producer.send_batch(builder, topic, partition=partition)
        except TimeoutError as error:
            raise AppendFailed(f"{topic}/{partition}: no turn within {TURN_WITHIN_S} s") from error
        metadata = await future
        return int(metadata.offset) + count - 1

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        """Every record that is kept, from the first on; an empty batch: nothing more is there yet."""
        async with self._at_beginning(topic, partition) as (consumer, place):
            while True:
                got = await consumer.getmany(place, timeout_ms=TURN_MS, max_records=READ_AT_ONCE)
                yield [record_of(each) for each in got.get(place, ())]

    async def read_to_end(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        """Every record that is kept, from the first to the last that stood there when it was asked."""
        async with self._at_beginning(topic, partition) as (consumer, place):
            async for batch in to_end(consumer, place):
                yield [record_of(each) for each in batch]

    @asynccontextmanager
    async def _at_beginning(
        self, topic: str, partition: int
    ) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
        place = TopicPartition(topic, partition)
        consumer = AIOKafkaConsumer(
            **self._connection, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            yield consumer, place
        finally:
            await consumer.stop()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        if self._producer is None:
            raise AppendFailed("the log is closed")
        return len(await self._producer.partitions_for(topic))


def _size(record: Outgoing) -> int:
    """Bytes of what it holds. A batch that has no room takes no record, without a word."""
    headers = sum(len(name.encode("utf-8", "replace")) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _add(builder: Any, record: Outgoing) -> None:
    headers = list(record.headers)
    # A tombstone needs a key; a keyless, empty record would be refused, and says nothing.
    key = record.key if record.key is not None or record.value is not None else b""
    builder.append(timestamp=None, key=key, value=record.value, headers=headers)


def record_of(message: ConsumerRecord) -> Record:
    """A Kafka message as the fold sees it; a tombstone's value is empty."""
    return Record(
        message.offset,
        message.value or b"",
        message.key,
        message.timestamp / 1000 if message.timestamp >= 0 else None,
        message.headers,
    )
