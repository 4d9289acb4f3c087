"""Events a second: the worker, paired with the limit of its client and with a plain Faust agent.

    python benchmarks/throughput.py                Apache Kafka and the embedded broker, three rounds each
    python benchmarks/throughput.py --broker tansu --rounds 1 --events 100000

Each round starts a fresh broker, fills `agent.events` (4 partitions) with the simulated fleet, and lets the
contenders read it from the beginning, one after the other, each in a process of its own:

limit    aiokafka getmany and the typed decode of each event, nothing else
worker   `oversight worker` with `error_rate`, `cost` and `input_shift` alone, routing, snapshots, event time
         as the clock: what figures are compared by over time
default  the same with every detector there is, as it comes
faust    a plain Faust agent doing the same work per event: decode and the same three, no snapshots

Time runs from a contender's first event to its last. Compare ratios of one round: machines are noisy.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.filling import fill
from tests.contract.brokers import BROKERS

HERE = Path(__file__).parent
CONTENDERS = ("limit", "worker", "default", "faust")
FAUST_SHARE = 0.1
"""Faust reads so much less, for it takes so much longer."""


def contend(name: str, bootstrap: str, events: int) -> dict[str, float]:
    """Runs one contender in a process of its own; events a second, CPU µs an event, peak MB."""
    command = [sys.executable, str(HERE / "contenders.py"), name, bootstrap, str(events)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ, timeout=600)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def rounds(broker: str, count: int, events: int, agents: int) -> list[dict[str, dict[str, float]]]:
    """One round after the other, each on a fresh broker."""
    found = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as home:
            node = BROKERS[broker](Path(home) / "node")
            node.start()
            try:
                asyncio.run(fill(node.bootstrap, events, agents))
                each = {}
                for name in CONTENDERS:
                    amount = int(events * FAUST_SHARE) if name == "faust" else events
                    each[name] = contend(name, node.bootstrap, amount)
                    print(f"{broker} round {number + 1}: {name} {each[name]}", file=sys.stderr)
                found.append(each)
            finally:
                node.stop()
    return found


def report(broker: str, found: list[dict[str, dict[str, float]]], look: Console) -> None:
    """Medians with their range, and ratios paired by round."""
    table = Table(title=f"{broker}: events a second, one worker, {len(found)} rounds", title_justify="left")
    for column in (
        "contender",
        "events/s: median [min-max]",
        "to the limit",
        "to Faust",
        "CPU µs/event",
        "peak MB",
    ):
        table.add_column(column)
    for name in CONTENDERS:
        rates = [each[name]["rate"] for each in found]
        limits = [each[name]["rate"] / each["limit"]["rate"] for each in found]
        fausts = [each[name]["rate"] / each["faust"]["rate"] for each in found]
        table.add_row(
            name,
            f"{statistics.median(rates):,.0f} [{min(rates):,.0f}-{max(rates):,.0f}]",
            f"{statistics.median(limits):.2f} [{min(limits):.2f}-{max(limits):.2f}]",
            f"{statistics.median(fausts):.1f} [{min(fausts):.1f}-{max(fausts):.1f}]",
            f"{statistics.median(each[name]['cpu_us'] for each in found):.1f}",
            f"{max(each[name]['peak_mb'] for each in found):.0f}",
        )
    look.print(table)


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", action="append", choices=sorted(BROKERS))
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--events", type=int, default=400_000)
    ask.add_argument("--agents", type=int, default=200)
    said = ask.parse_args()
    look = Console(width=140)
    for broker in said.broker or sorted(BROKERS):
        report(broker, rounds(broker, said.rounds, said.events, said.agents), look)


if __name__ == "__main__":
    main()
