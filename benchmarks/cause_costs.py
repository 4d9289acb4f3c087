"""What a cause, a restart and open incidents cost the router; its alerts a second beside Alertmanager's.

Run: python benchmarks/cause_costs.py [--quick]
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.grouping import Side, ours, theirs
from routing.router import KEY, Router
from schemas.cause import AnyCause, ConfigFile, Configured, Signalled, Wake
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import encode

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RULES = """
route: {receiver: triage, group_by: [agent], group_wait: 0s, repeat_interval: 4h}
receivers: [{name: triage, notify: [{slack: '#triage'}]}]
limits: {pages_per_person: unlimited}
"""
TIMES = 300


class Filled:
    """A router with so many open incidents, told in order."""

    def __init__(self, count: int) -> None:
        self.router = Router()
        self.offset = 0
        self.apply(Configured(at=START, digest="d", files=(ConfigFile("r.yaml", RULES),)))
        for n in track(range(count), f"{count:,} incidents", transient=True):
            self.apply(signalled(n, "firing"))

    def apply(self, cause: AnyCause) -> float:
        """Microseconds of CPU that a cause takes, read from its bytes."""
        record = Record(self.offset, encode(cause))
        self.offset += 1
        begun = time.process_time_ns()
        self.router.apply(record)
        return (time.process_time_ns() - begun) / 1_000


def signalled(n: int, state: str) -> Signalled:
    """What a detector says of one agent."""
    signal = Signal(
        id=f"s{n}", detector="error_rate", finding="sessions", state=state, labels={"agent": f"a{n}"},
        time=START, onset=START, summary="sessions fail",
    )  # fmt: skip
    return Signalled(at=START, signal=signal)


def measured(count: int) -> list[str]:
    """One row."""
    filled = Filled(count)
    said = [median(filled.apply(signalled(n % count, "firing")) for n in range(TIMES))]
    said.append(median(filled.apply(signalled(count + n, "firing")) for n in range(TIMES)))
    said.append(median(filled.apply(signalled(count + n, "resolved")) for n in range(TIMES)))
    said.append(median(filled.apply(Wake(at=START + timedelta(microseconds=n))) for n in range(TIMES)))
    saved = filled.router.save(KEY)
    size = len(saved.body) + sum(map(len, saved.parts.values()))
    begun = time.process_time()
    Router().load(KEY, saved)
    ready_s = time.process_time() - begun
    return [f"{count:,}", *(f"{each:.0f}" for each in said), f"{ready_s:.2f}", f"{size / 1e6:.1f}"]


def peak_mb(count: int) -> float:
    """The most memory that a process of its own has had, once it holds so many open incidents."""
    asked = [sys.executable, __file__, "--fill", str(count)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return float(said.split()[-1])


def fill(count: int) -> None:
    """Fills a router, saves it as its host does, and says the most memory that this process has had."""
    Filled(count).router.save(KEY)
    print(int(Path("/proc/self/status").read_text("utf-8").split("VmHWM:")[1].split()[0]) / 1024)


def pairs(count: int, rounds: int) -> Iterator[tuple[Side, Side]]:
    """The router and Alertmanager, in turn, on the same alerts."""
    for _ in track(range(rounds), "beside Alertmanager", transient=True):
        mine, labels = ours(count)
        yield mine, theirs(labels)


def beside(count: int, rounds: int) -> Table:
    """Both, and what the router does of what Alertmanager does in the same round.

    Raises:
        RuntimeError: they group differently.
    """
    title = f"{count:,} alerts from post to group, {rounds} rounds: median [min-max]"
    table = Table(title=title, title_justify="left")
    for column in ("", "alerts/s", "asserted again/s", "CPU µs an alert"):
        table.add_column(column, justify="right")
    found = list(pairs(count, rounds))
    if any(mine.groups != their.groups for mine, their in found):
        raise RuntimeError("the router groups otherwise than Alertmanager")
    rates = [[_rates(side, count) for side in each] for each in found]
    for number, name in enumerate(("router", "Alertmanager")):
        table.add_row(
            name, *(_spread(column) for column in zip(*(each[number] for each in rates), strict=True))
        )
    ratios = [[one / other for one, other in zip(*each, strict=True)] for each in rates]
    table.add_row("ratio", *(_spread(column) for column in zip(*ratios, strict=True)))
    return table


def _rates(side: Side, count: int) -> tuple[float, float, float]:
    """Alerts a second, the first time and again; µs of CPU an alert."""
    return count / side.first_s, count / side.again_s, side.cpu_s * 1e6 / (2 * count)


def _spread(values: Sequence[float]) -> str:
    digits = ",.0f" if max(values) >= 100 else ",.2f"
    return f"{median(values):{digits}} [{min(values):{digits}}-{max(values):{digits}}]"


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--quick", action="store_true", help="10 and 1,000 incidents, one round of 1,000 alerts")
    ask.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    said = ask.parse_args()
    if said.fill is not None:
        fill(said.fill)
        return
    counts = (10, 1_000) if said.quick else (10, 1_000, 10_000)
    table = Table(title="µs of CPU a cause (median), decoding included", title_justify="left")
    for column in (
        "open",
        "asserted",
        "opened, paged",
        "resolved",
        "wake",
        "restart s",
        "state MB",
        "peak MB",
    ):
        table.add_column(column, justify="right")
    for count in counts:
        table.add_row(*measured(count), f"{peak_mb(count):.0f}")
    console = Console(width=100)
    console.print(table)
    try:
        console.print(beside(1_000, 1) if said.quick else beside(10_000, 5))
    except pytest.skip.Exception as absent:
        console.print(f"[bold red]{absent}")


if __name__ == "__main__":
    main()
