"""Publish to page: from an agent's last lost session to the page of its on-call person at (loopback) Slack.

    python benchmarks/latency.py                         Apache Kafka, at 1,000 and 10,000 events a second
    python benchmarks/latency.py --broker tansu --rate 1000 --victims 20

A worker by the wall clock watches 200 healthy agents at that rate; every half second one of the victims,
agents that had gone well so far, loses six sessions at once. `group_wait` is 0, so what remains is the way
through Kafka, detect (findings are asked for on a grid of five seconds of event time), route and notify.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.hosting.topics import EVENTS, create_topics
from tests.contract.brokers import BROKERS
from tests.fakes_http import BOT, Slack

RULES = """\
route: {receiver: on-call, group_by: [agent, detector, finding], group_wait: 0s}
receivers: [{name: on-call, notify: [{slack: '#on-call'}]}]
"""
HEALTHY = 200
EVERY_S = 0.02
VICTIM_EVERY_S = 0.5
SETTLE_S = 15.0


def event(number: int, agent: str, **data: object) -> bytes:
    """One event of now."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "bench",
            "type": "agent.session.v1" if "error" in data or "conversation" in data else "agent.operation.v1",
            "time": datetime.now(UTC),
            "data": {
                "operation": {"name": "invoke_agent" if "conversation" in data else "chat"},
                "agent": {"name": agent},
                **data,
            },
        }
    )


class Traffic:
    """Healthy agents at a steady rate, and victims one after the other."""

    def __init__(self, producer: AIOKafkaProducer, rate: float, victims: int) -> None:
        self.producer = producer
        self.rate = rate
        self.victims = victims
        self.lost_at: dict[str, float] = {}
        self.sent = 0
        self.behind_s = 0.0

    async def healthy(self, until_s: float) -> None:
        """Sends in small steps, as many as are due by the clock."""
        began_s = time.monotonic()
        usage = {"input_tokens": 900, "output_tokens": 120, "cost_amount": 0.003, "cost_currency": "USD"}
        mine = 0
        while (now_s := time.monotonic()) < until_s:
            for _ in range(int((now_s - began_s) * self.rate) - mine):
                mine += 1
                self.sent += 1
                agent = f"agent-{mine % HEALTHY:03}"
                value = event(self.sent, agent, request={"model": "m"}, usage=usage)
                await self.producer.send(EVENTS, value, key=agent.encode())
            self.behind_s = max(self.behind_s, time.monotonic() - now_s - EVERY_S)
            await asyncio.sleep(EVERY_S)

    async def _session(self, agent: str, **data: object) -> None:
        self.sent += 1
        ended = {"id": f"c{self.sent}", "state": "ended"}
        await self.producer.send(
            EVENTS, event(self.sent, agent, conversation=ended, **data), key=agent.encode()
        )

    async def lose(self) -> None:
        """Each victim had ten good sessions; then six fail."""
        names = [f"victim-{number:03}" for number in range(self.victims)]
        for agent in names:
            for _ in range(10):
                await self._session(agent)
        await asyncio.sleep(SETTLE_S)
        for agent in names:
            for _ in range(6):
                await self._session(agent, error={"type": "agent_error", "class": "non_retryable"})
            await self.producer.flush()
            self.lost_at[agent] = time.time()
            await asyncio.sleep(VICTIM_EVERY_S)


async def measure(bootstrap: str, rate: float, victims: int, home: Path) -> tuple[list[float], int]:
    """Seconds from the last loss to the page, of those paged; and how many were not."""
    await create_topics(bootstrap, 4)
    (home / "rules.yml").write_text(RULES)
    slack = Slack()
    arrived: dict[str, float] = {}
    async with slack.running():
        worker = _worker(bootstrap, home, slack.url)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=262_144)
        await producer.start()
        try:
            traffic = Traffic(producer, rate, victims)
            until_s = time.monotonic() + 2 * SETTLE_S + victims * VICTIM_EVERY_S + 10
            watching = asyncio.create_task(_watch(slack, arrived))
            await asyncio.gather(traffic.healthy(until_s), traffic.lose())
            watching.cancel()
        finally:
            await producer.stop()
            worker.terminate()
            worker.wait(20)
    print(
        f"{traffic.sent / (2 * SETTLE_S + victims * VICTIM_EVERY_S + 10):,.0f} events/s sent", file=sys.stderr
    )
    found = [arrived[name] - at for name, at in traffic.lost_at.items() if name in arrived]
    return found, victims - len(found)


def _worker(bootstrap: str, home: Path, slack: str) -> "subprocess.Popen[bytes]":
    told = {
        "OVERSIGHT_KAFKA": bootstrap,
        "OVERSIGHT_CONFIG": str(home / "rules.yml"),
        "SLACK_BOT_TOKEN": BOT,
        "SLACK_API_URL": slack,
    }
    with (home / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            env={**os.environ, **told},
            stderr=log,
            stdout=log,
        )


async def _watch(slack: Slack, arrived: dict[str, float]) -> None:
    """Notes when Slack was first told of each victim."""
    done = 0
    while True:
        for each in slack.received[done:]:
            text = each.body.decode()
            at = text.find("victim-")
            if at >= 0:
                arrived.setdefault(text[at : at + 10], time.time())
        done = len(slack.received)
        await asyncio.sleep(0.005)


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--rate", action="append", type=float)
    ask.add_argument("--victims", type=int, default=60)
    said = ask.parse_args()
    table = Table(
        title=f"{said.broker}: seconds from the last lost session to the page at Slack", title_justify="left"
    )
    for column in ("events/s", "pages", "missing", "p50", "p99", "largest"):
        table.add_column(column, justify="right")
    for rate in said.rate or [1000.0, 10_000.0]:
        with tempfile.TemporaryDirectory() as home:
            node = BROKERS[said.broker](Path(home) / "node")
            node.start()
            try:
                found, missing = asyncio.run(measure(node.bootstrap, rate, said.victims, Path(home)))
            finally:
                node.stop()
        if len(found) < 2:
            raise SystemExit(f"only {len(found)} of {said.victims} victims were paged for")
        ranked = statistics.quantiles(found, n=100, method="inclusive")
        row = (f"{ranked[49]:.2f}", f"{ranked[98]:.2f}", f"{max(found):.2f}")
        table.add_row(f"{rate:,.0f}", str(len(found)), str(missing), *row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
