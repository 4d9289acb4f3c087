"""`oversight bridge` on real brokers: spans in, events out, also where it is killed in between."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from schemas.wire import decode_event
from streams.embedded import running
from streams.hosting.topics import BRIDGE_TOPICS, DEADLETTER, EVENTS, OTLP_SPANS, TOPICS, create
from tests.bridge.spans import as_json, as_proto, request, span
from tests.contract.reading import read_back
from tests.contract.workers import free_port

pytestmark = pytest.mark.timeout(120)
PARTITIONS = 2
AGENT = span(1, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="refunds")
CALL = span(2, 1, gen_ai__operation__name="chat")


def exports(count):
    """Two export requests a trace, in turn as protobuf and as JSON."""
    for n in range(1, count + 1):
        trace = {"traceId": f"{n:032x}"}
        yield (as_proto if n % 2 else as_json)(request(CALL | trace))
        yield as_json(request(AGENT | trace))


async def export(bootstrap, values):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for n, value in enumerate(values):
            await producer.send_and_wait(OTLP_SPANS, value, partition=n % PARTITIONS)


async def events(bootstrap, count):
    """Waits for events of so many spans."""
    found = {}
    while len(found) < count:
        found = {}
        for number in range(PARTITIONS):
            for record in await read_back(bootstrap, EVENTS, number):
                event = decode_event(record.value, record.headers)
                found.setdefault(event.id, event)
        await asyncio.sleep(0.1)
    return found


def bridge(bootstrap, *arguments, stderr=None, **variables):
    command = [sys.executable, "-m", "streams.cli", "bridge", "--to", bootstrap, *arguments]
    return subprocess.Popen(command, env={**os.environ, **variables}, stderr=stderr)


async def tells_of_itself(port):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/healthz")).status_code == 200
        told = (await http.get("/metrics")).text
    assert re.search(r'oversight_records_total\{topic="otlp_spans"\} [1-9]', told)
    assert re.search(r'oversight_outputs_total\{topic="agent.events"\} [1-9]', told)


async def ended(process):
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, 30)


async def test_spans_become_events_of_their_agent_though_the_bridge_is_killed(own_broker):
    bootstrap = own_broker.bootstrap
    await create({"bootstrap_servers": bootstrap}, topics=(*TOPICS, *BRIDGE_TOPICS), partitions=PARTITIONS)
    first = bridge(bootstrap)
    try:
        values = [*exports(20)]
        await export(bootstrap, values[:20])
        await events(bootstrap, 2)
    finally:
        first.kill()
        first.wait()
    port = free_port()
    second = bridge(bootstrap, OVERSIGHT_LISTEN=str(port))
    try:
        await export(bootstrap, [*values[20:], b'{"no": "spans"}'])
        found = await events(bootstrap, 40)
        assert {each.data.agent.name for each in found.values()} == {"refunds"}
        await tells_of_itself(port)
        letters = await read_back(bootstrap, DEADLETTER)
        assert {json.loads(each.value)["no"] for each in letters} == {"spans"}
        assert "otlp_json" in dict(letters[0].headers)["reason"].decode()
    finally:
        assert await ended(second) == 0


async def said(port, status):
    """Waits until both probes answer, readiness by this status."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        while (await http.get("/readyz")).status_code != status:  # noqa: ASYNC110 - it tells who asks
            await asyncio.sleep(0.1)
        assert (await http.get("/healthz")).status_code == 200
        return (await http.get("/readyz")).json()["stage"]


async def test_a_bridge_that_starts_before_its_broker_waits_for_it_and_is_not_ready_meanwhile(tmp_path):
    kafka_port, port = free_port(), free_port()
    bootstrap = f"127.0.0.1:{kafka_port}"
    made = ("--create-topics", "--partitions", str(PARTITIONS))
    log = tmp_path / "bridge.log"
    with log.open("wb") as out:
        process = bridge(bootstrap, *made, stderr=out, OVERSIGHT_LISTEN=str(port))
    try:
        while log.read_text().count("bridge.waiting") < 2:
            assert process.poll() is None
            await asyncio.sleep(0.1)
        assert await said(port, 503) == "waiting for the brokers and their topics"
        with running(kafka_port):
            assert await said(port, 200) == "working"
            await export(bootstrap, exports(1))
            assert len(await events(bootstrap, 2)) == 2
            assert await ended(process) == 0
    finally:
        process.kill()
        process.wait()
