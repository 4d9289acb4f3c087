"""Peak memory of one worker by number of agents, after 50 events of each agent at least.

Run: python benchmarks/memory.py [--broker tansu]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contest import OURS, contend
from benchmarks.filling import fill
from tests.contract.brokers import BROKERS

AGENTS = (100, 1_000, 10_000)
EVENTS = 500_000


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    said = ask.parse_args()
    table = Table(title=f"{said.broker}: one worker, {EVENTS:,} events", title_justify="left")
    for column in ("agents", "peak MB", "events/s", "CPU µs/event"):
        table.add_column(column, justify="right")
    for agents in AGENTS:
        with tempfile.TemporaryDirectory() as home:
            node = BROKERS[said.broker](Path(home) / "node")
            node.start()
            try:
                asyncio.run(fill(node.bootstrap, EVENTS, agents))
                found = contend(OURS["all"], node.bootstrap, EVENTS)
            finally:
                node.stop()
        rate, cpu_us = f"{found['rate']:,.0f}", f"{found['cpu_us']:.1f}"
        table.add_row(f"{agents:,}", f"{found['peak_mb']:,.0f}", rate, cpu_us)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
