"""Topics of a broker: made, and read back."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def made(bootstrap: str, name: str, partitions: int) -> str:
    """The name of a new topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1)])
    await admin.close()
    return name


async def first(bootstrap: str, name: str, count: int) -> list[bytes]:
    """The values of the first records of a topic, once there are so many."""
    consumer = AIOKafkaConsumer(name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: list[bytes] = []
    try:
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [record.value for record in records]
    finally:
        await consumer.stop()
    return found


async def read(bootstrap: str, name: str, partition: int) -> list[tuple[bytes | None, bytes]]:
    """Key and value of every record, until the fetch's highwater."""
    where = TopicPartition(name, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    consumer.assign([where])
    await consumer.start()
    found: list[tuple[bytes | None, bytes]] = []
    try:
        while not consumer.highwater(where) or await consumer.position(where) < consumer.highwater(where):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(record.key, record.value) for record in records]
    finally:
        await consumer.stop()
    return found
