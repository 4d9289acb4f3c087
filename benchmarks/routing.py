"""What the router costs by the number of open incidents: CPU time of a cause, of a restart, and its state.

Run: python benchmarks/routing.py [--quick]
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--quick", action="store_true", help="10 and 1,000 incidents only")
    counts = (10, 1_000) if ask.parse_args().quick else (10, 1_000, 10_000)
    table = Table(title="µs of CPU a cause (median), decoding included", title_justify="left")
    for column in ("open", "asserted", "opened, paged", "resolved", "wake", "restart s", "state MB"):
        table.add_column(column, justify="right")
    for count in counts:
        table.add_row(*measured(count))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
