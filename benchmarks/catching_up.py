"""Catching up after an outage: an hour of events waits, producers go on meanwhile, and a worker begins.

    python benchmarks/catching_up.py                      an hour at 1,000 events a second, Apache Kafka
    python benchmarks/catching_up.py --minutes 10 --rate 500
    python benchmarks/catching_up.py --quick              five minutes on the embedded broker

Told are the lag as the worker's own /metrics has it, its memory, and for how long the condition of the alert
`OversightBehind` held (a record of more than two minutes ago was the newest read, and more waited).
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from aiokafka import AIOKafkaProducer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contenders import RULES, SESSION_S
from benchmarks.filling import PARTITIONS
from benchmarks.hour import MINUTE_S, Minute
from benchmarks.running import Running, running
from streams.hosting.topics import EVENTS, create_topics
from tests.contract.brokers import BROKERS

AGENTS = 200
EVERY_S = 1.0
BEHIND_S = 120.0
ROWS = 12
PATIENCE_S = 4 * 3600.0


class Moment(Struct, frozen=True):
    """How the worker stood, so many seconds after it began to read."""

    after_s: float
    read: float
    lag: float
    old_s: float
    memory_mb: float
    cpu_s: float


class Producers:
    """Everybody who publishes: what waits, and then what comes by the clock."""

    def __init__(self, producer: AIOKafkaProducer, minute: Minute, began_s: float) -> None:
        self._producer = producer
        self._minute = minute
        self._began_s = began_s
        self.sent = 0

    async def send(self, records: Iterable[tuple[int, bytes, bytes, float]]) -> None:
        """Publishes records that count as written when their events happened."""
        open_ = {each: self._producer.create_batch() for each in range(PARTITIONS)}
        for partition, key, value, at_s in records:
            if open_[partition].append(key=key, value=value, timestamp=int(at_s * 1000)) is None:
                await self._producer.send_batch(open_[partition], EVENTS, partition=partition)
                open_[partition] = self._producer.create_batch()
                open_[partition].append(key=key, value=value, timestamp=int(at_s * 1000))
            self.sent += 1
        for partition, batch in open_.items():
            if batch.record_count():
                await self._producer.send_batch(batch, EVENTS, partition=partition)
        await self._producer.flush()

    async def go_on(self, number: int) -> None:
        """Publishes by the clock from this minute on, until it is cancelled."""
        while True:
            waiting: list[tuple[int, bytes, bytes, float]] = []
            for each in self._minute.at(number, self._began_s + number * MINUTE_S):
                if each[3] > time.time():
                    await self.send(waiting)
                    waiting = []
                    await asyncio.sleep(min(EVERY_S, max(0.2, each[3] - time.time())))
                waiting.append(each)
            await self.send(waiting)
            number += 1


async def observed(worker: Running, enough: float) -> Sequence[Moment]:
    """Moments until it is less than so many records behind."""
    found: list[Moment] = []
    began_s: float | None = None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        figures = await asyncio.to_thread(worker.figures)
        mine = {name: each for name, each in figures.items() if f'topic="{EVENTS}"' in name}
        read = _of(mine, "oversight_records_total")
        if read:
            now_s = time.monotonic()
            began_s = began_s or now_s
            newest = [each for name, each in mine.items() if name.startswith("oversight_newest")]
            lag, old_s = _of(mine, "oversight_lag_records"), time.time() - min(newest, default=time.time())
            found.append(Moment(now_s - began_s, read, lag, old_s, worker.memory_mb(), worker.cpu_s))
            if len(newest) == PARTITIONS and lag <= enough:
                return found
        await asyncio.sleep(EVERY_S)
    raise SystemExit(f"not caught up within {PATIENCE_S:.0f} s")


def _of(figures: dict[str, float], name: str) -> float:
    return sum(each for what, each in figures.items() if what.split("{")[0] == name)


async def measure(bootstrap: str, home: Path, minutes: int, rate: float) -> Sequence[Moment]:
    """Fills, and watches one worker while producers go on."""
    await create_topics(bootstrap, PARTITIONS)
    began_s = time.time() - minutes * MINUTE_S
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=262_144, max_request_size=2_000_000
    )
    await producer.start()
    try:
        minute = Minute(rate, AGENTS, PARTITIONS)
        producers = Producers(producer, minute, began_s)
        with Progress(console=Console(stderr=True)) as bar:
            for number in bar.track(range(minutes), description="filling the minutes of the outage"):
                await producers.send(minute.at(number, began_s + number * MINUTE_S))
        rules = home / "rules.yml"
        rules.write_text(RULES)
        going = asyncio.create_task(producers.go_on(minutes))
        with running(rules, kafka=bootstrap, session_s=SESSION_S) as worker:
            try:
                return await observed(worker, enough=rate)
            finally:
                going.cancel()
                with suppress(asyncio.CancelledError):
                    await going
    finally:
        await producer.stop()


def report(title: str, found: Sequence[Moment], look: Console) -> None:
    """The curve, and what it comes to."""
    table = Table(title=title, title_justify="left")
    for column in ("after", "read", "lag, records", "newest is old", "memory MB"):
        table.add_column(column, justify="right")
    step = max(1, len(found) // ROWS)
    for each in [*found[:-1:step], found[-1]]:
        table.add_row(
            f"{each.after_s:,.0f} s",
            f"{each.read:,.0f}",
            f"{each.lag:,.0f}",
            f"{each.old_s:,.0f} s",
            f"{each.memory_mb:.0f}",
        )
    look.print(table)
    first, last = found[0], found[-1]
    held = [each.after_s for each in found if each.old_s > BEHIND_S and each.lag]
    cpu_us = (last.cpu_s - first.cpu_s) / max(1.0, last.read - first.read) * 1e6
    rate = (last.read - first.read) / max(0.001, last.after_s - first.after_s)
    most_mb = max(each.memory_mb for each in found)
    look.print(
        f"caught up after [bold]{last.after_s:,.0f} s[/]: {rate:,.0f} events/s, {cpu_us:.1f} µs of CPU each; "
        f"memory [bold]{most_mb:.0f} MB[/] at most; OversightBehind's condition "
        f"held for {max(held, default=0.0):,.0f} s (it fires after 300)"
    )


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--minutes", type=int, default=60)
    ask.add_argument("--rate", type=float, default=1_000.0)
    ask.add_argument("--quick", action="store_true")
    said = ask.parse_args()
    if said.quick:
        said.broker, said.minutes = "tansu", 5
    with tempfile.TemporaryDirectory() as home:
        node = BROKERS[said.broker](Path(home) / "node")
        node.start()
        try:
            found = asyncio.run(measure(node.bootstrap, Path(home), said.minutes, said.rate))
        finally:
            node.stop()
    title = (
        f"{said.broker}: {said.minutes} minutes at {said.rate:,.0f} events/s wait, and as many go on coming"
    )
    report(title, found, Console(width=110))


if __name__ == "__main__":
    main()
