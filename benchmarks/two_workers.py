"""What a million events cost two workers, beside one: CPU-seconds, from a topic that was filled before.

Run: python benchmarks/two_workers.py [--rounds 3] [--events 300000] [--broker tansu] [--quick]

Each round lets one worker, and then two on a fresh broker, read the same events with every detector. Measured
are nine tenths of the events, after the first twentieth. CPU time does not depend on the number of cores;
what the clock says would.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contenders import RULES
from benchmarks.filling import PARTITIONS, fill_with
from benchmarks.history import History, history
from benchmarks.running import Running, running, until
from streams.hosting.topics import EVENTS, create_topics
from tests.contract.brokers import BROKERS

PATIENCE_S = 3600.0
SESSION_S = "180"
"""Workers that are stopped while the topic is filled keep their partitions."""
FROM, TO = 0.05, 0.95


def cost(broker: str, told: History, workers: int) -> float:
    """CPU µs an event of so many workers together.

    They share the partitions of an empty topic, are stopped where they are while it is filled, and go on.
    """
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        node = BROKERS[broker](Path(home) / "node")
        node.start()
        stack.callback(node.stop)
        asyncio.run(create_topics(node.bootstrap, PARTITIONS))
        rules = Path(home) / "rules.yml"
        rules.write_text(RULES)
        told_by = {"kafka": node.bootstrap, "clock": "events", "session_s": SESSION_S}
        each = [stack.enter_context(running(rules, **told_by)) for _ in range(workers)]
        until(lambda: _shared(each), PATIENCE_S)
        for one in each:
            one.pause()
        asyncio.run(fill_with(node.bootstrap, told.lines))
        for one in each:
            one.go_on()
        until(lambda: _read(each) >= FROM * told.whole, PATIENCE_S)
        began, cpu_s = _read(each), sum(one.cpu_s for one in each)
        until(lambda: _read(each) >= TO * told.whole, PATIENCE_S)
        ended, cpu_s = _read(each), sum(one.cpu_s for one in each) - cpu_s
        if not _shared(each):
            raise SystemExit("the partitions moved: measure again")
        return cpu_s / (ended - began) * 1e6


def _shared(workers: Sequence[Running]) -> bool:
    owned = [each.sum("oversight_partitions_owned", EVENTS) for each in workers]
    return sum(owned) == 4 and max(owned) - min(owned) <= 1


def _read(workers: Sequence[Running]) -> float:
    return sum(each.sum("oversight_records_total", EVENTS) for each in workers)


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--events", type=int, default=300_000)
    ask.add_argument("--quick", action="store_true", help="one round of 60,000 events")
    said = ask.parse_args()
    if said.quick:
        said.rounds, said.events = 1, 60_000
    told = history(said.events, 200, 20_000.0)
    found: list[tuple[float, float]] = []
    with Progress(console=Console(stderr=True)) as bar:
        for number in bar.track(range(said.rounds), description="one worker, then two"):
            found.append((cost(said.broker, told, 1), cost(said.broker, told, 2)))
            bar.console.print(f"round {number + 1}: {found[-1][0]:.1f} and {found[-1][1]:.1f} µs an event")
    table = Table(title=f"{said.broker}: CPU-seconds a million events, every detector", title_justify="left")
    for column in ("one worker", "two workers", "two to one: median [min-max]"):
        table.add_column(column, justify="right")
    ratios = [two / one for one, two in found]
    one, two = (median(each) for each in zip(*found, strict=True))
    table.add_row(
        f"{one:.1f}", f"{two:.1f}", f"[bold]{median(ratios):.2f}[/] [{min(ratios):.2f}-{max(ratios):.2f}]"
    )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
