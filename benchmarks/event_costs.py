"""What each detector costs, and the whole default set: without Kafka, on one core.

    python benchmarks/event_costs.py                 five rounds on recorded sessions and on a simulated fleet
    python benchmarks/event_costs.py --quick         one round on less of the fleet
    python benchmarks/event_costs.py --retail FILE   other recorded sessions

A detector's cost is the CPU time of a bank with it alone less that of a bank without any, by event of the
stream, its share of asking what holds included. Each round runs all of them, one after the other, so that
differences and ratios are of one round; the table has their medians [min-max]. `replay` is the whole way of
`oversight replay`: reading, decoding, all detectors, routing. CPU time, because cores are shared; even so
neighbours slow each other down, which the ratio to decoding shows least.

Moving and reference: bytes of saved state by agent, of the largest agent, at the end of the stream.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.agent import Body
from detectors.bank import Bank
from detectors.detector import Detector
from detectors.registry import discover
from schemas.record import Record
from schemas.wire import decode_event, encode
from streams.collector import relax
from streams.demonstration.fleet import fleet
from streams.files import lines
from streams.history import plan
from streams.hosting.settings import read_settings
from streams.replay import AT_ONCE, BUILT_IN, replay

RETAIL = Path(__file__).resolve().parents[2] / "shared" / "data" / "retail_agent_events.jsonl.gz"
AGENTS = 100
RATE_PER_S = 1000.0
"""Events a second of event time, over all agents of the fleet."""
EVENTS, FEW = 200_000, 50_000
AIM = 60_000

Kinds = Mapping[str, type[Detector]]
Run = Callable[[], object]


def banked(records: Sequence[Record], kinds: Kinds) -> Bank:
    """A bank of these detectors that has taken all records."""
    bank = Bank(read_settings, "events", kinds=kinds)
    bank.begin((BUILT_IN,))
    for at in range(0, len(records), AT_ONCE):
        bank.apply_many(records[at : at + AT_ONCE])
    return bank


def replayed(path: Path) -> None:
    """The whole way, as `oversight replay` goes it."""
    for _ in replay(lines([path]), now_s=time.time()):
        pass


def runs(path: Path, records: Sequence[Record], kinds: Kinds) -> dict[str, Run]:
    """What is measured, by name."""
    alone: dict[str, Run] = {
        name: lambda name=name, kind=kind: banked(records, {name: kind})  # type: ignore[misc] # bound early
        for name, kind in kinds.items()
    }
    return {
        "decode": lambda: [decode_event(record.value) and None for record in records],
        "bank": lambda: banked(records, {}),
        **alone,
        "all": lambda: banked(records, kinds),
        "replay": lambda: replayed(path),
    }


def cpu_us(run: Run, events: int) -> float:
    """CPU time an event, in microseconds."""
    before = time.process_time()
    run()
    return (time.process_time() - before) / events * 1e6


def sizes(records: Sequence[Record], kinds: Kinds) -> dict[str, tuple[int, int]]:
    """Bytes of the moving state and of the reference of the largest agent, by detector."""
    bank = banked(records, kinds)
    found = dict.fromkeys([*kinds, "all"], (0, 0))
    for agent in list(bank.unsaved()):
        saved = bank.save(agent)
        body = msgspec.msgpack.decode(saved.body, type=Body)
        moving = {name: len(piece) for name, (_, piece) in body.detectors.items()}
        reference = dict.fromkeys(found, 0)
        for part, piece in saved.parts.items():
            reference[part.partition("/")[0]] += len(piece)
        moving["all"], reference["all"] = len(saved.body), sum(reference.values())
        found = {name: (max(a, moving[name]), max(b, reference[name])) for name, (a, b) in found.items()}
    return found


def measure(stream: str, path: Path, rounds: int, look: Console) -> Table:
    """The table of one stream."""
    kinds = discover()
    records = [Record(at, step.value, step.key) for at, step in enumerate(plan(lines([path]), 1))]
    work = runs(path, records, kinds)
    found: dict[str, list[float]] = {name: [] for name in work}
    steps = [(name, run) for _ in range(rounds) for name, run in work.items()]
    for name, run in track(steps, description=stream, console=look, transient=True):
        found[name].append(cpu_us(run, len(records)))
    return report(f"{stream}: {len(records):,} events", found, sizes(records, kinds))


def report(title: str, found: Mapping[str, Sequence[float]], state: Mapping[str, tuple[int, int]]) -> Table:
    """Medians with their range; what lies beyond the row before it is told as such."""
    table = Table(title=title, title_justify="left")
    for column in ("part", "µs/event", "to decode", "events/s, one core", "moving kB", "reference kB"):
        table.add_column(column, justify="left" if column == "part" else "right")
    before = {"bank": "decode", **dict.fromkeys(state, "bank"), "all": None, "replay": None}
    for name, values in found.items():
        under = found[before[name]] if before.get(name) else [0.0] * len(values)  # type: ignore[index] # it is a name
        more = [value - less for value, less in zip(values, under, strict=True)]
        rates = [1e6 / each for each in values]
        whole = f"{statistics.median(rates):,.0f} [{min(rates):,.0f}-{max(rates):,.0f}]"
        rate = whole if name in {"all", "replay"} else ""
        moving, reference = (f"{each / 1000:.1f}" for each in state[name]) if name in state else ("", "")
        style = "" if name != "replay" else "green" if statistics.median(rates) >= AIM else "red"
        to_decode = statistics.median(each / one for each, one in zip(more, found["decode"], strict=True))
        spread = f"{statistics.median(more):.2f} [{min(more):.2f}-{max(more):.2f}]"
        row = (spread, f"{to_decode:.2f}", rate, moving, reference)
        table.add_row(LABELS.get(name, name), *row, style=style)
    return table


LABELS = {
    "decode": "decode",
    "bank": "bank and duplicates",
    "all": "decode, bank, all detectors",
    "replay": "replay, whole",
}


def played(events: int, home: Path) -> Path:
    """The simulated fleet, as a file."""
    path = home / "fleet.jsonl"
    cast = fleet(AGENTS, 1, RATE_PER_S, duration=timedelta(seconds=2 * events / RATE_PER_S + 60))
    with path.open("wb") as file:
        for event in islice(cast.events(), events):
            file.write(encode(event) + b"\n")
    return path


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--events", type=int, default=EVENTS, help="of the fleet")
    ask.add_argument("--quick", action="store_true")
    ask.add_argument("--retail", type=Path, default=RETAIL)
    said = ask.parse_args()
    rounds, events = (1, FEW) if said.quick else (said.rounds, said.events)
    look = Console(width=120)
    relax()
    with tempfile.TemporaryDirectory() as home:
        streams = {"simulated fleet": played(events, Path(home))}
        if said.retail.exists():
            streams["recorded sessions"] = said.retail
        else:
            look.print(f"[red]left out: {said.retail} is not there[/]")
        for stream, path in streams.items():
            look.print(measure(stream, path, rounds, look))


if __name__ == "__main__":
    main()
