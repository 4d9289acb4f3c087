"""The door of the HTTP servers: what is half sent, and what comes in crowds."""

import asyncio
from datetime import timedelta

import pytest

from streams.ingress.door import Limits
from streams.watching.server import telling
from tests.streams.test_health import HERE, health

LONG = timedelta(hours=1)
HALF = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def limits(most: int = 64, within: timedelta = LONG) -> Limits:
    return Limits(most, within, timedelta(0))


@pytest.fixture(name="sent")
async def _sent():
    """Connects and sends; the connections are let go of at the end."""
    writers = []

    async def sent(url: str, text: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writers.append(writer)
        writer.write(text)
        return reader

    yield sent
    for each in writers:
        each.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What was answered, once the other side has closed."""
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionResetError:
        return b""


async def test_a_request_that_is_half_sent_is_ended_when_its_time_is_over(sent):
    async with telling(health(), HERE, limits(within=timedelta(milliseconds=50))) as url:
        assert await ended(await sent(url, HALF)) == b""


async def test_where_too_many_wait_the_eldest_gives_way_and_a_probe_is_answered(sent):
    async with telling(health(), HERE, limits(most=2)) as url:
        crowd = [await sent(url, HALF) for _ in range(3)]
        assert await ended(crowd[0]) == b""
        assert (await ended(await sent(url, HALF + b"\r\n"))).startswith(b"HTTP/1.1 200")
        assert await ended(crowd[1]) == b""
        assert not crowd[2].at_eof()


async def test_a_connection_is_for_one_request_and_says_so(sent):
    async with telling(health(), HERE, limits()) as url:
        answer = await ended(await sent(url, HALF + b"\r\n"))
    assert b"Connection: close\r\n" in answer
