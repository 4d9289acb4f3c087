"""Writing and reading a topic the way the host does: acknowledged writes, reads to the fetch's highwater."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition


@asynccontextmanager
async def producing(bootstrap: str, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A producer whose writes are acknowledged by every replica."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **settings)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(bootstrap: str, *topics: str, **settings: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that commits nothing by itself and begins with the oldest record."""
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False} | settings
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, **settings)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_back(
    bootstrap: str, topic: str, partition: int = 0, offset: int = 0, **settings: Any
) -> Sequence[ConsumerRecord]:
    """All records of a partition from an offset on, as far as the highwater that the first fetch tells."""
    where = TopicPartition(topic, partition)
    async with consuming(bootstrap, **settings) as consumer:
        consumer.assign([where])
        consumer.seek(where, offset)
        found = await _fetched(consumer, where)
        end = consumer.highwater(where)
        while await consumer.position(where) < end:
            found += await _fetched(consumer, where)
        return found


async def _fetched(consumer: AIOKafkaConsumer, where: TopicPartition) -> list[ConsumerRecord]:
    while True:
        records = (await consumer.getmany(where, timeout_ms=200)).get(where, [])
        if records or consumer.highwater(where) is not None:
            return records
