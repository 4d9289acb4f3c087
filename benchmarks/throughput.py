"""Events a second of one process on one core: the worker, the limit of its client, and peers.

    python benchmarks/throughput.py                Apache Kafka, three rounds
    python benchmarks/throughput.py --broker tansu --quick
    python benchmarks/throughput.py --keep rounds.jsonl --rounds 1    one more, reported with the earlier

Each round fills `agent.events` (4 partitions) of a fresh broker with the simulated fleet and lets the
contenders read it from the beginning, one after the other, each in a process of its own on one core:

limit             aiokafka getmany and the typed decode of each event, nothing else
oversight worker  `oversight worker` as it is: duplicates told apart, detectors, routing, snapshots
Faust, Quix, Bytewax  the same decode and the same detectors in each one's own idiom (`benchmarks/peers`)

`three` are `error_rate`, `cost` and `input_shift`, what figures are compared by over time; `all` is every
detector there is. Time runs from a contender's first event to its last. **Each must find what a replay of the
same events finds, signal by signal, or the benchmark fails.** Peers need `make peers`; where they are not
installed the table says so. Compare ratios of one round: machines are noisy; where one is busy, trust those
of CPU time.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contest import CONTENDERS, PEERS, Contender, Figures, contending, is_here
from benchmarks.filling import fill_with
from benchmarks.findings import to_find, written
from benchmarks.history import History, history
from benchmarks.peers.watcher import SETS
from benchmarks.table import table
from tests.contract.brokers import BROKERS

Round = dict[str, Figures]
"""Figures by label."""


class Contest(Struct, frozen=True):
    """`expected`: what is to be found, by set of detectors."""

    broker: str
    history: History
    expected: Mapping[str, frozenset[str]]
    contenders: Sequence[Contender]
    peers: Path


class Differs(Exception):  # noqa: N818 - what a contender does
    """A contender has not found what was to be found: its figures say nothing."""


def run(contest: Contest, contender: Contender, bootstrap: str) -> Figures:
    """One contender's figures.

    Raises:
        Differs: it has found something else than a replay.
    """
    told = contest.history
    events = told.windowed if contender.windowed else told.whole
    with contending(contender, bootstrap, events, contest.peers) as figures:
        if contender.set:
            expected = contest.expected[contender.set]
            found = {each for each, at_s in figures.found.items() if at_s <= told.until_s}
            if contender.ours:
                found = asyncio.run(written(bootstrap, told, expected))
            if found != expected:
                less, more = len(expected - found), len(found - expected)
                raise Differs(
                    f"{contender.label}: of {len(expected)} signals {less} are missing; {more} are too many"
                )
        figures.found = {}
        return figures


@contextmanager
def filled(broker: str, told: History) -> Iterator[str]:
    """The address of a fresh broker that has the history."""
    with tempfile.TemporaryDirectory() as home:
        node = BROKERS[broker](Path(home) / "node")
        node.start()
        try:
            asyncio.run(fill_with(node.bootstrap, told.lines))
            yield node.bootstrap
        finally:
            node.stop()


def measured(contest: Contest, done: Callable[[str], object]) -> Iterator[Round]:
    """All contenders, one after the other.

    A worker leaves its state behind, so the next one has a fresh broker.
    """
    ours = [one for one in contest.contenders if one.ours]
    rest = [one for one in contest.contenders if not one.ours]
    for some in ([*rest, *ours[:1]], *([one] for one in ours[1:])):
        if some:
            with filled(contest.broker, contest.history) as bootstrap:
                for contender in some:
                    done(contender.label)
                    yield {contender.label: run(contest, contender, bootstrap)}


def merged(parts: Iterable[Round]) -> list[Round]:
    """Rounds of what was measured in turn: the first of each contender with the others'."""
    found: list[Round] = []
    for part in parts:
        for label, figures in part.items():
            mine = next((each for each in found if label not in each), None)
            if mine is None:
                found.append({})
                mine = found[-1]
            mine[label] = figures
    return found


def rounds(contest: Contest, count: int, keep: Path | None) -> list[Round]:
    """Those that were kept, and so many more."""
    parts: list[Round] = []
    if keep is not None and keep.exists():
        parts = [msgspec.json.decode(line, type=Round) for line in keep.read_bytes().splitlines()]
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=count * len(contest.contenders))
        for number in range(count):

            def done(name: str, number: int = number) -> None:
                bar.update(task, advance=1, description=f"{contest.broker} round {number + 1}: {name}")

            for part in measured(contest, done):
                parts.append(part)
                if keep is not None:
                    with keep.open("ab") as file:
                        file.write(msgspec.json.encode(part) + b"\n")
    return merged(parts)


def main() -> None:
    """Reads the command line and runs."""
    said = _asked()
    look = Console(width=150)
    wanted = [each for each in CONTENDERS if not said.only or each.name in said.only]
    there = [each for each in wanted if is_here(each, said.peers)]
    with look.status(f"making {said.events:,} events, and what is to be found in them"):
        told = history(said.events, said.agents, said.density)
        expected = {each: to_find(told, each) for each in SETS}
    if not all(expected.values()):
        raise SystemExit("nothing is to be found in so few events, so nobody's findings could be compared")
    found = rounds(Contest(said.broker, told, expected, there, said.peers), said.rounds, said.keep)
    signals = ", ".join(f"{len(ids)} signals ({name})" for name, ids in expected.items())
    title = (
        f"{said.broker}: one process on one core, {len(found)} rounds of {said.events:,} events of "
        f"{said.agents} agents at {said.density:,.0f} a second of event time; "
        f"found by each as by a replay: {signals}"
    )
    look.print(table(title, found, [each for each in wanted if each not in there]))


def _asked() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--broker", choices=sorted(BROKERS), default="kafka")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--events", type=int, default=200_000)
    ask.add_argument("--agents", type=int, default=200)
    ask.add_argument("--density", type=float, default=20_000.0, help="events a second of event time")
    ask.add_argument("--peers", type=Path, default=PEERS, help="the Python that has the peers")
    ask.add_argument("--keep", type=Path, help="a file of rounds: earlier ones are reported too")
    ask.add_argument("--only", action="append", help="a contender's name; may be repeated")
    ask.add_argument("--quick", action="store_true", help="one round of 20,000 events")
    said = ask.parse_args()
    if said.quick:
        said.rounds, said.events, said.density = 1, 20_000, 2_000.0
    return said


if __name__ == "__main__":
    main()
