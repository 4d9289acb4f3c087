"""What each detector keeps of an agent: kB as it saves it, and as it stands compressed in the snapshot topic.

    python benchmarks/states.py [--quick]

Two agents: an ordinary one (100,000 events, three days and a half) and one of which every label is new
(8,000 events). Moving state and references, which are written seldom, are apart.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.detector import State
from detectors.registry import discover
from schemas.event import Event
from streams.hosting.packing import packed
from tests.detectors.conformance import Run, fresh
from tests.detectors.hostile_events import hostile
from tests.detectors.ordinary_events import ordinary

KB = 1000.0
AGENTS: dict[str, tuple[Callable[[int], Iterable[Event]], int, int]] = {
    "ordinary": (ordinary, 100_000, 10_000),
    "endless labels": (hostile, 4000, 400),
}
"""Streams by agent, how long they are, and how long with `--quick`."""


class Size(Struct):
    """Bytes of a state: of its moving part, of that as the snapshot topic has it, of its references."""

    moving: int = 0
    compressed: int = 0
    references: int = 0

    def add(self, other: "Size") -> None:
        """Two detectors together."""
        self.moving += other.moving
        self.compressed += other.compressed
        self.references += other.references

    @property
    def cells(self) -> tuple[str, ...]:
        """In kB."""
        return tuple(f"{each / KB:.1f}" for each in (self.moving, self.compressed, self.references))


def size(state: State) -> Size:
    """Of one state."""
    return Size(len(state.body), len(packed(state.body)), sum(map(len, state.parts.values())))


def kept(name: str, stream: Iterable[Event]) -> Size:
    """What a detector keeps at the end of a stream."""
    return size(Run(fresh(name)).feed(stream).detector.save())


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="a tenth of the events")
    quick = ask.parse_args().quick
    console = Console(width=120)
    table = Table("detector", title="kB of an agent's state", title_justify="left")
    for agent in AGENTS:
        for part in ("moving", "compressed", "references"):
            table.add_column(f"{agent}: {part}", justify="right")
    totals = {agent: Size() for agent in AGENTS}
    for name in track(discover(), "detectors", console=console, transient=True):
        row: list[str] = []
        for agent, (stream, whole, few) in AGENTS.items():
            found = kept(name, stream(few if quick else whole))
            totals[agent].add(found)
            row += found.cells
        table.add_row(name, *row)
    table.add_section()
    table.add_row("together", *(cell for total in totals.values() for cell in total.cells))
    console.print(table)


if __name__ == "__main__":
    main()
