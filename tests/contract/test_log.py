"""The product's own log on real brokers: what is appended is read back, whole and in order, up to the end."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka.errors import KafkaConnectionError

from schemas.record import Record
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.standing import look
from streams.hosting.topics import TOPICS, create

WITHIN_S = 30.0


async def read_until(log: KafkaLog, topic: str, last: int) -> list[Record]:
    """All records up to the one at the offset `last`, which the reader must reach."""
    found: list[Record] = []
    async with asyncio.timeout(WITHIN_S):
        async for batch in _closing(log.read(topic, 0)):
            found += batch
            if found and found[-1].offset >= last:
                return found
    raise AssertionError("the reader ended by itself")


async def _closing(batches: AsyncIterator[Sequence[Record]]) -> AsyncIterator[Sequence[Record]]:
    try:
        async for batch in batches:
            yield batch
    finally:
        await batches.aclose()


async def test_what_is_appended_is_read_back_in_order_up_to_the_last(broker, make_topic):
    topic = await make_topic()
    records = [Outgoing(b"key-%d" % n, b"%d" % n, (("n", b"%d" % n),)) for n in range(3_000)]
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        assert await log.append(topic, 0, records[:1]) == 0
        assert await log.append(topic, 0, records[1:]) == len(records) - 1
        found = await read_until(log, topic, len(records) - 1)
    assert [record.offset for record in found] == list(range(len(records)))
    assert [(record.key, record.value, record.headers) for record in found] == [
        (record.key, record.value, record.headers) for record in records
    ]


async def test_what_is_kept_is_read_to_its_end_and_there_the_reader_ends(broker, make_topic):
    topic = await make_topic()
    records = [Outgoing(b"%d" % n, bytes(1_000)) for n in range(6_000)]
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log, asyncio.timeout(WITHIN_S):
        assert [batch async for batch in log.read_to_end(topic, 0)] == []
        await log.append(topic, 0, records)
        found = [record.offset async for batch in log.read_to_end(topic, 0) for record in batch]
    assert found == list(range(len(records)))


async def test_more_than_fits_one_batch_is_appended_in_several_without_a_gap(broker, make_topic):
    topic = await make_topic(max_message_bytes="3500000")
    records = [Outgoing(b"%d" % n, bytes(700_000)) for n in range(9)]
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        assert await log.append(topic, 0, records) == 8
        found = await read_until(log, topic, 8)
    assert [int(record.key) for record in found] == list(range(9))


@pytest.mark.parametrize("large", [{"key": bytes(2_500_000)}, {"headers": (("h", bytes(2_500_000)),)}])
async def test_a_record_large_by_its_key_or_headers_is_written_or_refused_but_never_left_out(
    broker, make_topic, large
):
    topic = await make_topic(max_message_bytes="3500000")
    small = Outgoing(b"small", b"value")
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        odd = Outgoing(**{"key": b"odd", "value": b"value"} | large)
        last = await log.append(topic, 0, [Outgoing(b"first", bytes(800_000)), odd, small])
        found = await read_until(log, topic, last)
    assert [record.key for record in found] == [b"first", odd.key, b"small"]


async def test_tombstones_and_keyless_records_are_appended_too(broker, make_topic):
    topic = await make_topic()
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        await log.append(topic, 0, [Outgoing(b"gone", None), Outgoing(None, b"value")])
        found = await read_until(log, topic, 1)
    assert [(record.key, record.value) for record in found] == [(b"gone", b""), (None, b"value")]


@pytest.mark.needs("record_limit")
async def test_a_record_above_the_topics_limit_is_refused_for_good(broker, make_topic):
    topic = await make_topic()
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        with pytest.raises(AppendFailed) as failed:
            await log.append(topic, 0, [Outgoing(b"key", bytes(4_000_000))])
        assert failed.value.lasting
        assert await log.append(topic, 0, [Outgoing(b"key", b"the next one")]) == 0


async def test_the_topics_are_made_once_and_then_left_as_they_are(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    names = tuple(topic.name for topic in TOPICS)
    first = await create(connection, partitions=3, work=2)
    again = await create(connection, partitions=5, work=5)
    assert (sorted(first.made), first.there) == (sorted(names), ())
    assert (again.made, sorted(again.there)) == ((), sorted(names))
    async with KafkaLog(connection) as log:
        counts = {topic.spread: await log.partitions(topic.name) for topic in TOPICS}
    assert counts == {"events": 3, "one": 1, "work": 2}


@pytest.mark.needs("restart")
async def test_the_log_goes_on_after_the_broker_was_away(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    await create(connection)
    topic = "oversight.causes"
    async with KafkaLog(connection) as log:
        assert await log.append(topic, 0, [Outgoing(b"1", b"before")]) == 0
        await asyncio.to_thread(own_broker.kill)
        with pytest.raises(AppendFailed) as failed:
            await log.append(topic, 0, [Outgoing(b"2", b"while it is away")])
        assert not failed.value.lasting
        await asyncio.to_thread(own_broker.start)
        last = await log.append(topic, 0, [Outgoing(b"3", b"after")])
        found = await read_until(log, topic, last)
    values = [record.value for record in found]
    assert values[0] == b"before"
    assert values[-1] == b"after", "whether the one in the middle arrived, nobody knows"


async def test_who_stops_waits_little_for_a_broker_that_is_away(own_broker):
    connection = {"bootstrap_servers": own_broker.bootstrap}
    await create(connection)
    async with KafkaLog(connection) as log:
        await log.append("oversight.causes", 0, [Outgoing(b"1", b"before")])
        await asyncio.to_thread(own_broker.kill)
        waiting = asyncio.create_task(log.append("oversight.causes", 0, [Outgoing(b"2", b"too late")]))
        await asyncio.sleep(0)
        log.hurry()
        for again in (waiting, log.append("oversight.causes", 0, [Outgoing(b"3", b"too late")])):
            with pytest.raises(AppendFailed) as failed:
                await again
            assert not failed.value.lasting


async def test_hundreds_who_append_at_once_stand_in_line_and_all_arrive(broker, make_topic):
    topic = await make_topic()
    async with KafkaLog({"bootstrap_servers": broker.bootstrap}) as log:
        appends = [log.append(topic, 0, [Outgoing(b"key", b"%d" % n)]) for n in range(500)]
        offsets = await asyncio.gather(*appends)
        found = await read_until(log, topic, 499)
    assert sorted(offsets) == list(range(500))
    assert sorted(int(record.value) for record in found) == list(range(500))


async def test_a_reader_that_finds_no_broker_leaves_nothing_open():
    left = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: left.append(what["message"]))
    log = KafkaLog({"bootstrap_servers": "127.0.0.1:1"})
    for reading in (log.read, log.read_to_end):
        with pytest.raises(KafkaConnectionError):
            await anext(reading("topic", 0))
    for asking in (look, create):
        with pytest.raises(KafkaConnectionError):
            await asking({"bootstrap_servers": "127.0.0.1:1"})
    gc.collect()
    assert left == []
