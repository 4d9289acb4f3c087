"""Kafka as a transport, by aiokafka: `pip install 'agent-oversight-sdk[kafka]'`."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import DefaultPartitioner

from agent_oversight.transport import Record, TooLarge

EVENTS = "agent.events"
BATCH_BYTES = 1_000_000
STRUCTURED = [("content-type", b"application/cloudevents+json")]


class Kafka:
    """Appends events to a topic, acknowledged by all replicas.

    `options`: whatever aiokafka's producer takes beside (`security_protocol`, `sasl_mechanism`, …).
    """

    def __init__(self, bootstrap: str, topic: str = EVENTS, **options: Any) -> None:
        self._topic = topic
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "acks": "all",
            "max_batch_size": BATCH_BYTES,
            **options,
        }
        self._place = DefaultPartitioner()
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects."""
        self._producer = AIOKafkaProducer(**self._options)
        await self._producer.start()

    async def send(self, records: Sequence[Record]) -> None:
        """Appends records in batches, one after the other within each partition."""
        producer = self._started
        partitions = sorted(await producer.partitions_for(self._topic))
        waiting: defaultdict[int, deque[Record]] = defaultdict(deque)
        for each in records:
            waiting[self._place(each.key, partitions, partitions)].append(each)
        appended = (self._append(partition, some) for partition, some in waiting.items())
        try:
            await asyncio.gather(*appended)
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise TooLarge(f"the broker refuses it: {type(error).__name__}") from error

    async def _append(self, partition: int, records: deque[Record]) -> None:
        producer = self._started
        while records:
            batch = producer.create_batch()
            while records and batch.append(
                key=records[0].key, value=records[0].value, timestamp=None, headers=STRUCTURED
            ):
                records.popleft()
            batch.close()
            await (await producer.send_batch(batch, self._topic, partition=partition))

    @property
    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("Kafka is used before it was started")
        return self._producer

    async def stop(self) -> None:
        """Disconnects."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
