"""Notifying in workers of its own, on real brokers: one page, one delivery, whatever stops."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.cause import Reported
from schemas.identity import derived
from schemas.outcome import Delivered
from schemas.page import Channel
from schemas.wire import decode_cause, encode
from streams.delivering.deliveries import MARK_EVERY
from tests.contract.conftest import create
from tests.fakes import page
from tests.fakes_http import Sink, Slow

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
WITHIN = timedelta(seconds=60)
MARKED = 2 * MARK_EVERY
pytestmark = pytest.mark.timeout(180)


class Stage:
    """A broker, a webhook, and the workers of one test."""

    def __init__(self, bootstrap: str, prefix: str, home: Path, sink: Sink) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.home = home
        self.sink = sink
        self.reports: list[Reported] = []
        self.buried: list[bytes] = []
        self._workers: list[asyncio.subprocess.Process] = []

    @property
    def sent(self) -> Counter[str]:
        """How often each page reached the webhook."""
        return Counter(each.headers["idempotency-key"] for each in self.sink.received)

    async def worker(self) -> asyncio.subprocess.Process:
        program = Path(__file__).with_name("notify_worker.py")
        with (self.home / f"worker-{len(self._workers)}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *[sys.executable, program, self.bootstrap, self.prefix],
                env=os.environ | {"HOOK": self.sink.url, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        self._workers.append(process)
        return process

    async def publish(self, numbers: Sequence[int]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for n in numbers:
                incident = f"inc-{n % 8}"
                channel = Channel(kind="webhook", target="env:HOOK")
                message = page(id=f"pag-{n}", incident=incident, channel=channel)
                await producer.send_and_wait(f"{self.prefix}.pages", encode(message), key=incident.encode())

    async def publish_raw(self, value: bytes) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            await producer.send_and_wait(f"{self.prefix}.pages", value, key=b"x")

    async def reported(self, pages: int, *, buried: int = 0, times: int = 1) -> None:
        """Waits until so many pages are reported and records buried, from the first on.

        `times`: of reports of each page; a page that Kafka delivers again is reported again.
        """
        self.reports.clear()
        self.buried.clear()
        topics = [f"{self.prefix}.causes", f"{self.prefix}.deadletter"]
        reading = {"bootstrap_servers": self.bootstrap, "auto_offset_reset": "earliest"}
        async with asyncio.timeout(WITHIN.total_seconds()), AIOKafkaConsumer(*topics, **reading) as consumer:
            told: Counter[str] = Counter()
            while sum(told[page] >= times for page in told) < pages or len(self.buried) < buried:
                record = await consumer.getone()
                if record.topic == topics[0]:
                    self.reports.append(decode_cause(record.value))
                    told[self.reports[-1].page] += 1
                else:
                    self.buried.append(record.value)

    async def begun(self, count: int) -> None:
        """Waits until so many requests reached the webhook."""
        async with asyncio.timeout(WITHIN.total_seconds()):
            while len(self.sink.received) < count:  # noqa: ASYNC110 - the sink is a plain list
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        for process in self._workers:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
async def stage(broker, tmp_path, request) -> AsyncIterator[Stage]:
    prefix = derived("notify", request.node.nodeid)
    for topic, partitions in (
        ("pages", PARTITIONS),
        ("outcomes", PARTITIONS),
        ("causes", 1),
        ("deadletter", 1),
    ):
        await create(broker.bootstrap, f"{prefix}.{topic}", partitions, {})
    async with _staged(broker.bootstrap, prefix, tmp_path) as one:
        yield one


@asynccontextmanager
async def _staged(bootstrap: str, prefix: str, home: Path) -> AsyncIterator[Stage]:
    async with Sink().running() as sink:
        one = Stage(bootstrap, prefix, home, sink)
        try:
            yield one
        finally:
            await one.end()


async def test_pages_are_delivered_and_reported_and_junk_is_buried(stage):
    await stage.publish_raw(b"junk")
    await stage.publish(range(20))
    await stage.worker()
    await stage.reported(20, buried=1)
    assert stage.sent == Counter({f"pag-{n}": 1 for n in range(20)})
    assert {report.page for report in stage.reports} == set(stage.sent)
    assert all(isinstance(report.outcome, Delivered) for report in stage.reports)
    assert stage.buried == [b"junk"]


async def test_a_worker_that_is_told_to_stop_finishes_what_it_began_and_leaves_the_rest(stage):
    stage.sink.schedule = [Slow(2)] * 8
    await stage.publish(range(40))
    first = await stage.worker()
    await stage.begun(8)
    first.terminate()
    assert await first.wait() == 0
    assert len(stage.sink.received) == 8
    await stage.reported(8)
    await stage.worker()
    await stage.reported(40)
    assert stage.sent == Counter({f"pag-{n}": 1 for n in range(40)})


async def test_a_page_that_comes_again_after_a_restart_is_reported_again_and_not_sent(stage):
    await stage.publish(range(8))
    first = await stage.worker()
    await stage.reported(8)
    first.terminate()
    await first.wait()
    await stage.publish(range(8))
    await stage.worker()
    await stage.reported(8, times=2)
    assert stage.sent == Counter({f"pag-{n}": 1 for n in range(8)})


async def test_a_worker_that_is_killed_loses_no_page_and_repeats_only_what_it_had_begun(stage):
    await stage.publish(range(8))
    first = await stage.worker()
    await stage.reported(8)
    stage.sink.schedule = [Slow(30)] * 8
    await stage.publish(range(8, 40))
    await stage.begun(16)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    begun = {each.headers["idempotency-key"] for each in stage.sink.received[8:]}
    await stage.worker()
    async with asyncio.timeout(WITHIN.total_seconds()):
        while len(stage.sent) < 40 or any(stage.sent[page] < 2 for page in begun):  # noqa: ASYNC110 - a plain list
            await asyncio.sleep(0.05)
    await stage.reported(40)
    assert len(begun) == 8
    assert {page for page, times in stage.sent.items() if times > 1} <= begun | {f"pag-{n}" for n in range(8)}


async def test_a_page_that_was_overtaken_by_others_is_not_forgotten_when_the_worker_is_killed(stage):
    stage.sink.schedule = [Slow(30)]
    await stage.publish([0])
    first = await stage.worker()
    await stage.begun(1)
    await stage.publish(range(1, 32))
    overtaking = [n for n in range(1, 32) if n % 8]
    await stage.reported(len(overtaking))
    await asyncio.sleep(MARKED.total_seconds())
    first.kill()
    await first.wait()
    await stage.worker()
    async with asyncio.timeout(WITHIN.total_seconds()):
        while len(stage.sent) < 32 or stage.sent["pag-0"] < 2:  # noqa: ASYNC110 - the sink is a plain list
            await asyncio.sleep(0.05)


async def test_a_second_worker_takes_over_its_share_and_nothing_is_sent_twice(stage):
    stage.sink.schedule = [Slow(0.2)] * 400
    await stage.publish(range(200))
    await stage.worker()
    await stage.begun(20)
    await stage.worker()
    await stage.reported(200)
    assert stage.sent == Counter({f"pag-{n}": 1 for n in range(200)})
