"""Publishing lines to a topic: acknowledged by all replicas, tried again while the broker is away."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, KafkaTimeoutError, SaslAuthenticationFailed, UnknownError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.metadata import MetadataRequest
from msgspec import Struct

from streams.history import Step

REACHED_WITHIN = timedelta(seconds=5)
READY_WITHIN = timedelta(seconds=20)
OUTLAST = timedelta(minutes=10)
"""How long a broker may be away in the middle before records are given up."""
BATCH_BYTES = 256_000
MOST_BYTES = 1_000_000
"""Kafka refuses records above about 1 MiB by default."""


class Unreachable(Exception):  # noqa: N818 - says what the broker is
    """There is no broker, or it does not have the topic; the message says which and what to do."""


class Unacknowledged(Exception):  # noqa: N818 - says what the records are
    """The broker did not acknowledge everything; publishing the same again repeats no event."""


class Publication(Struct):
    """Counts of what was acknowledged. `refused`: places of lines that are too large for a record."""

    events: int = 0
    malformed: int = 0
    ticks: int = 0
    refused: list[str] = []

    def tally(self, step: Step) -> None:
        """Counts one."""
        if step.line is None:
            self.ticks += 1
        elif step.key is None:
            self.malformed += 1
        else:
            self.events += 1


class Publisher:
    """Appends steps to a topic, in order within each partition."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int) -> None:
        self.topic = topic
        self.partitions = partitions
        self._producer = producer
        self._open: dict[int, BatchBuilder] = {}
        self._sent: set[asyncio.Future[object]] = set()

    async def publish(self, steps: Iterable[Step]) -> Publication:
        """Appends all steps and returns once everything is acknowledged.

        Raises:
            Unacknowledged: the broker refused something, or was away for too long.
        """
        published = Publication()
        for step in fitting(steps, published):
            await self._append(step)
            published.tally(step)
        for partition in sorted(self._open):
            await self._send(partition)
        while self._sent:
            await self._settle(asyncio.ALL_COMPLETED)
        return published

    async def _append(self, step: Step) -> None:
        builder = self._open.get(step.partition)
        if builder is None:
            builder = self._open[step.partition] = self._producer.create_batch()
        if builder.append(key=step.key, value=step.value, timestamp=None) is None:
            await self._send(step.partition)
            await self._append(step)

    async def _send(self, partition: int) -> None:
        """Hands a batch over; waits while an earlier one of this partition has not left yet."""
        builder = self._open.pop(partition)
        builder.close()
        try:
            future = await self._producer.send_batch(builder, self.topic, partition=partition)
        except KafkaTimeoutError as error:
            raise Unacknowledged(f"{self.topic}/{partition}: the broker was away for {OUTLAST}") from error
        self._sent.add(future)
        if len(self._sent) > self.partitions:
            await self._settle(asyncio.FIRST_COMPLETED)

    async def _settle(self, when: str) -> None:
        done, self._sent = await asyncio.wait(self._sent, return_when=when)
        for future in done:
            try:
                future.result()
            except KafkaError as error:
                raise Unacknowledged(f"{self.topic}: {type(error).__name__}: {error}") from error


def fitting(steps: Iterable[Step], published: Publication) -> Iterator[Step]:
    """Steps that fit into a record; the places of the others are noted."""
    for step in steps:
        if len(step.value) > MOST_BYTES:
            published.refused.append(str(step.line))
        else:
            yield step


@asynccontextmanager
async def publisher(connection: Mapping[str, Any], topic: str) -> AsyncIterator[Publisher]:
    """A publisher to one topic of the brokers that `connection` reaches; closes what is open when it ends.

    Raises:
        Unreachable: nobody answers there, or there is no such topic.
    """
    await reach(connection)
    producer = await _started(connection)
    try:
        yield Publisher(producer, topic, await _partitions(producer, topic))
    finally:
        await producer.stop()


async def reach(connection: Mapping[str, Any]) -> None:
    """Looks whether any broker lets us in, so that a wrong address, or password, is told at once.

    Raises:
        Unreachable: none does, at any of the addresses.
    """
    reasons = []
    for address in connection["bootstrap_servers"].split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            async with asyncio.timeout(REACHED_WITHIN.total_seconds()):
                await _greet(host.strip("[]"), int(port), connection)
        except (OSError, ValueError, KafkaError) as error:
            reasons.append(f"{address.strip()}: {_told(error)}")
        else:
            return
    raise Unreachable(f"no Kafka broker at {'; '.join(reasons)}")


async def _greet(host: str, port: int, connection: Mapping[str, Any]) -> None:
    """Connects and, where the broker wants to know who it is, says so."""
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    security = {name: said for name, said in connection.items() if name != "bootstrap_servers"}
    if not security:
        return
    connected = await create_conn(host, port, **security)
    try:
        # Who shows a token that is refused hears of it only in the answer to the next question: an empty one.
        if not (await connected.send(MetadataRequest([]))).brokers:
            raise SaslAuthenticationFailed("it knows no broker that we might ask")
    finally:
        connected.close()


def _told(error: Exception) -> str:
    match error:
        case KafkaError():
            return f"it does not let us in: {error}"
        case ssl.SSLError():
            return f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
        case TimeoutError():
            return f"no answer within {REACHED_WITHIN.seconds} s"
        case OSError():
            return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        case _:
            return "expected host:port"


async def _started(connection: Mapping[str, Any]) -> AIOKafkaProducer:
    """A producer, idempotent where the broker can: a batch that is tried again is then written once."""
    try:
        return await _start(connection, "idempotent")
    except UnknownError:  # what a broker answers that gives no producer ids
        return await _start(connection, "plain")


async def _start(connection: Mapping[str, Any], kind: Literal["idempotent", "plain"]) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        **connection,
        client_id="oversight-publish",
        acks="all",
        enable_idempotence=kind == "idempotent",
        max_batch_size=BATCH_BYTES,
        max_request_size=MOST_BYTES + BATCH_BYTES,
        request_timeout_ms=int(OUTLAST.total_seconds() * 1000),
    )
    try:
        async with asyncio.timeout(READY_WITHIN.total_seconds()):
            await producer.start()
    except UnknownError:
        await producer.stop()
        raise
    except (KafkaError, TimeoutError) as error:
        await producer.stop()
        raise Unreachable(
            f"{connection['bootstrap_servers']} does not answer as a Kafka broker: {type(error).__name__}"
        ) from error
    return producer


async def _partitions(producer: AIOKafkaProducer, topic: str) -> int:
    """How many partitions a topic has. Asks for all topics: asking for one might make it."""
    metadata = await producer.client.fetch_all_metadata()
    numbers = metadata.partitions_for_topic(topic)
    if not numbers:
        raise Unreachable(
            f"there is no topic {topic!r} on this broker: `oversight topics` creates what is needed"
        )
    return len(numbers)
