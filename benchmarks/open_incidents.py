"""Memory of one whole worker that has many open incidents, by how many; and of the next one that takes over.

Whole signals (blast, contributors, a sample, history) are written to `oversight.causes`; the worker opens an
incident for each, pages, and saves. Then it is killed, and another one restores what it saved.

Run: python benchmarks/open_incidents.py [--quick] [--broker kafka]
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from routing.words.sample import SIGNAL
from schemas.cause import Signalled
from schemas.wire import encode
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, INCIDENTS, PAGES, create_topics
from tests.contract.brokers import BROKERS

AT_ONCE = 500
SETTLED_S = 25.0
"""Twice the time after which state is written, and some."""
PATIENCE_S = 600.0
REPORTED = b'"cause":"outcome"'
RULES = {
    "one channel, a page for each": """
route: {receiver: all, group_by: [agent], group_wait: 0s}
receivers: [{name: all, notify: [{terminal: screen}]}]
""",
    "a person, two pages an hour (none is critical)": """
route: {receiver: all, group_by: [agent], group_wait: 0s}
receivers: [{name: all, notify: [{escalation: all}]}]
users: {ana: {terminal: ana}, bo: {terminal: bo}}
severity: {burn_rate: [[1h, 5m, 14.4, 60]]}
escalations:
  all: {steps: [{notify: [user: ana], via: [terminal], wait: 5m}, {notify: [user: bo], via: [terminal]}]}
""",
}


class Figures(Struct):
    """What one worker took, in MB, and how long until the next one followed."""

    idle: float
    held: float
    peak: float
    pages: int
    next_s: float = 0.0
    next_held: float = 0.0
    next_peak: float = 0.0


class Seen:
    """What a topic has had: the keys of its records, and how many there were."""

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self.count = 0
        self.news = asyncio.Event()


@contextmanager
def working(bootstrap: str, home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as people start it."""
    told = {"OVERSIGHT_KAFKA": bootstrap, "OVERSIGHT_CONFIG": str(home / "rules.yml")}
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            env={**os.environ, **told},
            stderr=log,
            stdout=log,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


@asynccontextmanager
async def following(bootstrap: str, topic: str, mark: bytes = b"") -> AsyncIterator[Seen]:
    """What there is of a topic, and what comes; of it what bears a mark."""
    seen = Seen()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()

    async def read() -> None:
        async for record in consumer:
            if mark in record.value:
                seen.keys.add(record.key)
                seen.count += 1
                seen.news.set()

    reading = asyncio.create_task(read())
    try:
        yield seen
    finally:
        reading.cancel()
        await consumer.stop()


def megabytes(process: "subprocess.Popen[bytes]", field: str) -> float:
    """VmRSS or VmHWM of a process."""
    text = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(text.split(f"{field}:")[1].split()[0]) / 1024


async def until(seen: Seen, count: int) -> None:
    """Waits for so many incidents.

    Raises:
        TimeoutError: they did not come.
    """
    async with asyncio.timeout(PATIENCE_S):
        while len(seen.keys) < count:
            await seen.news.wait()
            seen.news.clear()


async def settled(pages: Seen, reported: Seen) -> None:
    """Waits until of every page it is known what became of it, and then until state is written.

    Raises:
        TimeoutError: it did not become known.
    """
    async with asyncio.timeout(PATIENCE_S):
        while reported.count < pages.count:
            await reported.news.wait()
            reported.news.clear()
    await asyncio.sleep(SETTLED_S)


async def asserted(log: KafkaLog, numbers: Sequence[int]) -> None:
    """What detectors say of so many agents, now."""
    now = datetime.now(UTC)
    causes = [
        Signalled(
            at=now,
            signal=replace(
                SIGNAL, id=f"s{n}", labels={**SIGNAL.labels, "agent": f"a{n}"}, time=now, onset=now
            ),
        )
        for n in numbers
    ]
    await log.append(CAUSES, 0, [Outgoing(each.signal.id.encode(), encode(each)) for each in causes])


async def measured(bootstrap: str, home: Path, count: int, bar: Progress) -> Figures:
    """One row."""
    await create_topics(bootstrap, 1)
    task = bar.add_task(f"{count:,} incidents", total=count)
    async with (
        KafkaLog({"bootstrap_servers": bootstrap}) as log,
        following(bootstrap, INCIDENTS) as incidents,
        following(bootstrap, PAGES) as pages,
        following(bootstrap, CAUSES, REPORTED) as reported,
    ):
        with working(bootstrap, home) as worker:
            await asserted(log, [0])
            await until(incidents, 1)
            await settled(pages, reported)
            found = Figures(idle=megabytes(worker, "VmRSS"), held=0, peak=0, pages=0)
            for first in range(1, count, AT_ONCE):
                await asserted(log, range(first, min(first + AT_ONCE, count)))
                await until(incidents, min(first + AT_ONCE, count))
                bar.update(task, completed=len(incidents.keys))
            await settled(pages, reported)
            found.held, found.peak = megabytes(worker, "VmRSS"), megabytes(worker, "VmHWM")
            found.pages = pages.count
        with working(bootstrap, home) as worker:
            begun = time.monotonic()
            await asserted(log, [count])
            await until(incidents, count + 1)
            found.next_s = time.monotonic() - begun
            await settled(pages, reported)
            found.next_held, found.next_peak = megabytes(worker, "VmRSS"), megabytes(worker, "VmHWM")
    bar.remove_task(task)
    return found


def row(broker: str, rules: str, count: int) -> list[str]:
    """Runs a broker and a worker for it."""
    with tempfile.TemporaryDirectory() as home, Progress(transient=True) as bar:
        Path(home, "rules.yml").write_text(RULES[rules], "utf-8")
        node = BROKERS[broker](Path(home) / "node")
        node.start()
        try:
            found = asyncio.run(measured(node.bootstrap, Path(home), count, bar))
        finally:
            node.stop()
    memory = (found.idle, found.held, found.peak, found.next_held, found.next_peak)
    return [
        rules,
        f"{count:,}",
        f"{found.pages:,}",
        *(f"{each:.0f}" for each in memory),
        f"{found.next_s:.0f}",
    ]


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="tansu")
    ask.add_argument("--quick", action="store_true", help="100 incidents, one channel")
    said = ask.parse_args()
    table = Table(title=f"{said.broker}: one worker's process, MB", title_justify="left")
    for column in (
        "rules",
        "open",
        "page records",
        "before",
        "with them",
        "peak",
        "next",
        "its peak",
        "after s",
    ):
        table.add_column(column, justify="right")
    for rules in list(RULES)[: 1 if said.quick else None]:
        for count in (100,) if said.quick else (1_000, 10_000):
            table.add_row(*row(said.broker, rules, count))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
