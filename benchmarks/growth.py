"""Whether an event costs the same however many agents there are, and however long it goes on. Without Kafka.

    python benchmarks/growth.py                 10 to 10,000 agents with 100 events each; then 10⁶ events
    python benchmarks/growth.py --quick         a tenth of it, in about a minute
    python benchmarks/growth.py --events 1e7    a longer run of time (an hour and more)

All default detectors of a bank read encoded events of the simulated fleet, one a second of each agent in
event time; each line is a process of its own, and making the events is not measured. CPU time, because cores
are shared; even so neighbours slow what needs memory. Resident memory is that of the process, the libraries
(`begun with`) and one batch of events included. Per agent: what came on top of that, over the agents.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.bank import Bank
from schemas.record import Record
from schemas.wire import encode
from streams.collector import relax
from streams.demonstration.fleet import fleet
from streams.hosting.settings import read_settings
from streams.replay import AT_ONCE, BUILT_IN

AGENTS = (10, 100, 1_000, 10_000)
EVENTS_EACH = 100
EVENTS, OVER = 1_000_000, 100
"""Of the long run, and the agents that it is of."""
A_SECOND = 1.0
"""Events of one agent."""
QUICK = 10
PARTS = 10
FLAT = 1.5
"""What is told in red costs so many times as much as the first."""

Part = tuple[float, float]
"""CPU time an event in µs, and resident memory in MB at the end of it."""


def resident_mb() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def played(agents: int, events: int) -> Iterator[list[Record]]:
    """So many events of so many agents, in batches."""
    rate = agents * A_SECOND
    cast = fleet(agents, 1, rate, duration=timedelta(seconds=2 * events / rate + 60))
    values = (encode(event) for event in islice(cast.events(), events))
    records = (Record(offset, value) for offset, value in enumerate(values))
    return iter(lambda: list(islice(records, AT_ONCE)), [])


def run(agents: int, events: int) -> list[Part]:
    """What each tenth costs; the first entry is what the process began with."""
    bank = Bank(read_settings, "events")
    bank.begin((BUILT_IN,))
    relax()
    found: list[Part] = [(0.0, resident_mb())]
    taken, measured, used_s = 0, 0, 0.0
    for batch in played(agents, events):
        before_s = time.process_time()
        bank.apply_many(batch)
        used_s += time.process_time() - before_s
        taken, measured = taken + len(batch), measured + len(batch)
        if taken * PARTS >= len(found) * events:
            found.append((used_s / measured * 1e6, resident_mb()))
            measured, used_s = 0, 0.0
    return found


def apart(agents: int, events: int) -> list[Part]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--one", str(agents), str(events)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    parts: list[Part] = [(us, mb) for us, mb in json.loads(done.stdout)]
    return parts


def whole(parts: list[Part]) -> float:
    """µs an event, over all parts."""
    return sum(us for us, _ in parts[1:]) / len(parts[1:])


def style(us: float, first: float) -> str:
    """How a line is shown."""
    return "green" if us < FLAT * first else "red"


def by_agents(each: int, look: Console) -> Table:
    """The table of how many agents there are."""
    table = Table(title=f"{each:,} events of each agent", title_justify="left")
    for column in ("agents", "events", "CPU µs/event", "begun with MB", "MB at the end", "kB an agent"):
        table.add_column(column, justify="right")
    found = {
        agents: apart(agents, agents * each)
        for agents in track(AGENTS, description="agents", console=look, transient=True)
    }
    first = whole(found[AGENTS[0]])
    for agents, parts in found.items():
        us, begun_mb, end_mb = whole(parts), parts[0][1], parts[-1][1]
        more = f"{(end_mb - begun_mb) * 1e3 / agents:,.0f}"
        row = (f"{agents * each:,}", f"{us:.1f}", f"{begun_mb:.0f}", f"{end_mb:.0f}", more)
        table.add_row(f"{agents:,}", *row, style=style(us, first))
    return table


def by_time(events: int, look: Console) -> Table:
    """The table of how long it goes on."""
    hours = events / (OVER * A_SECOND) / 3600
    table = Table(
        title=f"{events:,} events of {OVER} agents, {hours:.1f} hours of event time", title_justify="left"
    )
    for column in ("tenth", "CPU µs/event", "MB"):
        table.add_column(column, justify="right")
    with look.status("a long run"):
        parts = apart(OVER, events)
    for tenth, (us, mb) in enumerate(parts[1:], 1):
        table.add_row(str(tenth), f"{us:.1f}", f"{mb:.0f}", style=style(us, parts[1][0]))
    return table


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true")
    ask.add_argument("--each", type=int, default=EVENTS_EACH, help="events of an agent")
    ask.add_argument("--events", type=float, default=EVENTS, help="of the long run")
    ask.add_argument("--one", nargs=2, type=int, metavar=("AGENTS", "EVENTS"), help=argparse.SUPPRESS)
    said = ask.parse_args()
    if said.one:
        print(json.dumps(run(*said.one)))
        return
    less = QUICK if said.quick else 1
    look = Console(width=100)
    look.print(by_agents(max(1, said.each // less), look))
    look.print(by_time(int(said.events) // less, look))


if __name__ == "__main__":
    main()
