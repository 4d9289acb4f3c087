"""Reading whole topics without joining a group: every partition of each, by one consumer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.hosting.unpacking import bound


class NoTopic(KafkaError):  # type: ignore[misc] # noqa: N818 - aiokafka is untyped; says what is missing
    """A topic is not there."""

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.args[0])


@asynccontextmanager
async def looking(
    connection: Mapping[str, Any], topics: Sequence[str], start: Literal["first", "end"] = "first"
) -> AsyncIterator[tuple[AIOKafkaConsumer, Sequence[TopicPartition]]]:
    """A consumer of all partitions of these topics, and which they are: by topic, then by number.

    Raises:
        NoTopic: one of them is not there.
        KafkaError: no broker answers.
    """
    bound()
    places = await partitions(connection, topics)
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign(places)
        await (consumer.seek_to_beginning if start == "first" else consumer.seek_to_end)(*places)
        yield consumer, places
    finally:
        await consumer.stop()


async def partitions(connection: Mapping[str, Any], topics: Sequence[str]) -> Sequence[TopicPartition]:
    """The partitions of topics.

    All topics are asked for: many brokers make one that is asked for by name, and a consumer that has not
    named any is told of none.

    Raises:
        NoTopic: one of them is not there.
        KafkaError: no broker answers.
    """
    client = AIOKafkaClient(**connection)
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    found = {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    absent = [topic for topic, numbers in found.items() if not numbers]
    if absent:
        raise NoTopic(f"there is no topic {', '.join(absent)}: `oversight topics` makes what is needed")
    return [TopicPartition(topic, number) for topic, numbers in found.items() for number in numbers]
