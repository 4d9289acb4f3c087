"""What the host relies on, of any broker: order, bytes, offsets, partitions, a topic read to its end."""

import asyncio
import os
import struct
import time

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.record.util import calc_crc32c

from streams.history import partition_of
from streams.hosting.fetching import Fetching
from streams.hosting.unpacking import bound
from tests.contract.reading import consuming, producing, read_back

TOPIC_EXISTS = 36
BIG = 900_000
MANY = 5_000
CRC_AT = 17
"""Where a batch has its checksum, of all that follows it."""


async def test_a_record_comes_back_as_it_was_sent(broker, make_topic):
    topic = await make_topic()
    headers = [("content-type", b"application/json"), ("trace", b"\x00\xff"), ("trace", b"")]
    sent_ms = int(time.time() * 1000) - 5000
    async with producing(broker.bootstrap) as producer:
        await producer.send_and_wait(topic, b"\x00value\xff", b"key", headers=headers, timestamp_ms=sent_ms)
    [record] = await read_back(broker.bootstrap, topic)
    assert (record.key, record.value, record.offset) == (b"key", b"\x00value\xff", 0)
    assert list(record.headers) == headers
    assert record.timestamp == sent_ms, "the time is the producer's"


async def test_a_tombstone_and_a_record_without_a_key_come_back_as_such(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap) as producer:
        await producer.send_and_wait(topic, None, b"key")
        await producer.send_and_wait(topic, b"value", None)
    found = await read_back(broker.bootstrap, topic)
    assert [(record.key, record.value) for record in found] == [(b"key", None), (None, b"value")]


async def test_thousands_of_records_keep_their_order_and_their_offsets(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap, linger_ms=5, max_batch_size=65_536) as producer:
        sent = [await producer.send(topic, b"%d" % n, partition=0) for n in range(MANY)]
        written = await asyncio.gather(*sent)
    assert [record.offset for record in written] == list(range(MANY))
    found = await read_back(broker.bootstrap, topic)
    assert [int(record.value) for record in found] == list(range(MANY))
    assert [record.offset for record in found] == list(range(MANY))


async def test_reading_begins_at_the_offset_that_is_asked_for(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap, linger_ms=5) as producer:
        await asyncio.gather(*[await producer.send(topic, b"%d" % n, partition=0) for n in range(100)])
    found = await read_back(broker.bootstrap, topic, offset=41)
    assert [record.offset for record in found] == list(range(41, 100)), "the middle of a batch too"


async def test_reading_to_the_highwater_misses_nothing_of_the_last_batch(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap) as producer:
        await producer.send_and_wait(topic, b"first")
        batch = producer.create_batch()
        for n in range(10):
            batch.append(key=None, value=b"%d" % n, timestamp=None)
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))
    assert len(await read_back(broker.bootstrap, topic)) == 11


async def test_an_empty_topic_is_read_to_its_end_at_once(broker, make_topic):
    assert await read_back(broker.bootstrap, await make_topic()) == []


@pytest.mark.needs("exact_end_offsets")
async def test_the_end_offset_is_the_offset_after_the_last_record(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap, linger_ms=50) as producer:
        await asyncio.gather(*[await producer.send(topic, b"x", partition=0) for _ in range(11)])
    async with consuming(broker.bootstrap) as consumer:
        where = TopicPartition(topic, 0)
        assert await consumer.end_offsets([where]) == {where: 11}


async def test_a_key_goes_where_the_products_own_arithmetic_says(broker, make_topic):
    topic = await make_topic(partitions=4)
    keys = [f"agent-{n}".encode() for n in range(40)]
    async with producing(broker.bootstrap) as producer:
        written = [await producer.send_and_wait(topic, b"x", key) for key in keys]
    assert [record.partition for record in written] == [partition_of(key, 4) for key in keys]
    found = [await read_back(broker.bootstrap, topic, partition) for partition in range(4)]
    assert sorted(record.key for records in found for record in records) == sorted(keys)
    assert all(found), "every partition has its share"


async def test_making_a_topic_twice_changes_nothing_and_is_told_in_the_reply(broker, make_topic):
    topic = await make_topic(partitions=2)
    async with producing(broker.bootstrap) as producer:
        await producer.send_and_wait(topic, b"kept", partition=1)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        reply = await admin.create_topics([NewTopic(topic, 3, 1)])
        [described] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    assert [error[1] for error in reply.topic_errors] == [TOPIC_EXISTS]
    assert len(described["partitions"]) == 2
    assert [record.value for record in await read_back(broker.bootstrap, topic, 1)] == [b"kept"]


async def test_a_record_just_below_the_limit_passes(broker, make_topic):
    topic = await make_topic()
    value = os.urandom(BIG)
    async with producing(broker.bootstrap, max_request_size=2 * BIG) as producer:
        await producer.send_and_wait(topic, value)
    [record] = await read_back(broker.bootstrap, topic)
    assert record.value == value


async def test_a_record_above_the_clients_limit_is_refused_before_it_is_sent(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, b"x" * 2_000_000)
        await producer.send_and_wait(topic, b"the next one")
    assert [record.value for record in await read_back(broker.bootstrap, topic)] == [b"the next one"]


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_records_come_back_plain(broker, make_topic, compression):
    topic = await make_topic()
    async with producing(broker.bootstrap, compression_type=compression, linger_ms=20) as producer:
        await asyncio.gather(*[await producer.send(topic, b"x" * 500, partition=0) for _ in range(100)])
    assert [record.value for record in await read_back(broker.bootstrap, topic)] == [b"x" * 500] * 100


def illegible(batch):
    """The batch with a header's name that is no UTF-8, as some clients write what they are given."""
    batch.close()
    raw = bytearray(batch._build())
    at = raw.index(b"NAME")
    raw[at : at + 4] = b"\xff\xfe\xff\xfe"
    struct.pack_into(">I", raw, CRC_AT, calc_crc32c(bytes(raw[CRC_AT + 4 :])))
    batch._buffer = bytes(raw)
    return batch


async def test_what_the_client_cannot_read_is_passed_over_with_the_rest_of_its_batch_and_all_else_is_read(
    broker, make_topic
):
    topic = await make_topic()
    place = TopicPartition(topic, 0)
    async with producing(broker.bootstrap) as producer:
        await producer.send_and_wait(topic, b"first", partition=0)
        batch = producer.create_batch()
        for value, headers in ((b"before", []), (b"bad", [("NAME", b"")]), (b"after", [])):
            batch.append(key=None, value=value, timestamp=None, headers=headers)
        await (await producer.send_batch(illegible(batch), topic, partition=0))
        await producer.send_and_wait(topic, b"last", partition=0)
    values, missed, given = [], [], 0
    async with consuming(broker.bootstrap) as consumer, asyncio.timeout(30):
        consumer.assign([place])
        consumer.seek(place, given)
        while given < 5:
            got = await Fetching(consumer, 200, MANY).fetched({place: given})
            values += [each.value for each in got.records.get(place, ())]
            missed += [(each.offset, each.count) for each in got.unread.values()]
            given = await consumer.position(place)
    assert (values, missed) == ([b"first", b"before", b"last"], [(2, 2)])


@pytest.fixture
def _within():
    """Batches unpack to a tenth of a megabyte at most."""
    bound(100_000)
    yield
    bound()


@pytest.mark.usefixtures("_within")
@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_batch_that_unpacks_to_too_much_is_passed_over_and_all_else_is_read(
    broker, make_topic, compression
):
    topic = await make_topic()
    place = TopicPartition(topic, 0)
    settings = {"compression_type": compression, "max_batch_size": 1_000_000}
    async with producing(broker.bootstrap, **settings) as producer:
        await producer.send_and_wait(topic, b"x" * 50_000, partition=0)
        batch = producer.create_batch()
        for _ in range(3):
            assert batch.append(key=None, value=b"0" * 50_000, timestamp=None)
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))
        await producer.send_and_wait(topic, b"last", partition=0)
    values, missed, given = [], [], 0
    async with consuming(broker.bootstrap) as consumer, asyncio.timeout(30):
        consumer.assign([place])
        consumer.seek(place, given)
        while given < 5:
            got = await Fetching(consumer, 200, MANY).fetched({place: given})
            values += [each.value for each in got.records.get(place, ())]
            missed += [(each.offset, each.count) for each in got.unread.values()]
            given = await consumer.position(place)
    assert (values, missed) == ([b"x" * 50_000, b"last"], [(1, 3)])


async def test_a_group_gets_every_partition_and_its_committed_offset_stays(broker, make_topic):
    topic = await make_topic(partitions=2)
    async with producing(broker.bootstrap) as producer:
        for n in range(10):
            await producer.send_and_wait(topic, b"x", partition=n % 2)
    seen = 0
    async with consuming(broker.bootstrap, topic, group_id=f"group-{topic}") as consumer:
        while seen < 10:
            seen += sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))
        await consumer.commit()
        assert len(consumer.assignment()) == 2
        assert [await consumer.committed(TopicPartition(topic, n)) for n in range(2)] == [5, 5]


@pytest.mark.needs("more_partitions")
async def test_partitions_can_be_added(broker, make_topic):
    topic = await make_topic()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(3)})
        for _ in range(200):
            [described] = await admin.describe_topics([topic])
            if len(described["partitions"]) > 1:
                break
            await asyncio.sleep(0.1)  # a broker learns of them when its controller tells it
    finally:
        await admin.close()
    assert len(described["partitions"]) == 3


@pytest.mark.needs("idempotence")
async def test_an_idempotent_producer_is_taken(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"once")
    assert len(await read_back(broker.bootstrap, topic)) == 1


@pytest.mark.needs("transactions")
async def test_what_a_transaction_takes_back_is_not_read(broker, make_topic):
    topic = await make_topic()
    async with producing(broker.bootstrap, transactional_id=f"writes-{topic}") as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"kept", partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"taken back", partition=0)
        await producer.abort_transaction()
    found = await read_back(broker.bootstrap, topic, isolation_level="read_committed")
    assert [record.value for record in found] == [b"kept"]


@pytest.mark.needs("compaction")
async def test_a_compacted_topic_keeps_the_last_of_a_key(broker, make_topic):
    topic = await make_topic(
        cleanup_policy="compact",
        segment_ms="100",
        min_cleanable_dirty_ratio="0.01",
        delete_retention_ms="100",
    )
    async with producing(broker.bootstrap) as producer:
        for n in range(50):
            await producer.send_and_wait(topic, b"%d" % n, b"key")
        for _ in range(200):
            await asyncio.sleep(0.15)  # past segment.ms, so that the next write closes the segment
            await producer.send_and_wait(topic, b"last", b"other")
            values = [
                record.value for record in await read_back(broker.bootstrap, topic) if record.key == b"key"
            ]
            if values == [b"49"]:
                return
    pytest.fail(f"still {len(values)} records of one key")


@pytest.mark.needs("restart")
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_was_acknowledged_is_there_after_a_restart(own_broker, end):
    admin = AIOKafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with producing(own_broker.bootstrap) as producer:
        for n in range(100):
            await producer.send_and_wait("kept", b"%d" % n)
    await asyncio.to_thread(getattr(own_broker, end))
    await asyncio.to_thread(own_broker.start)
    found = await read_back(own_broker.bootstrap, "kept")
    assert [int(record.value) for record in found] == list(range(100))
