"""`approvals` and `telemetry`: findings in 30 quiet days, and how soon what goes wrong is told.

    python benchmarks/thirty_days.py [--quick]

Plays the ordinary part of the detectors' own streams (tests/detectors/streams_*.py) for 30 days from three
seeds, and then their positive streams.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.approvals import Approvals
from detectors.detector import Detector
from detectors.settings import Watch
from detectors.telemetry import Telemetry
from schemas.event import Event
from tests.detectors import streams_approvals, streams_telemetry

GRID_S = 5.0
DAY_S = 86400

Stream = Callable[[int, int], Iterator[Event]]
"""So many days of ordinary events, from a seed."""


def told(detector: Detector, stream: Iterator[Event]) -> dict[str, tuple[float, float]]:
    """What was found first of each finding: its onset, and when it was told. POSIX seconds."""
    found: dict[str, tuple[float, float]] = {}
    grid = 0.0
    for event in stream:
        now = event.time.timestamp()
        if now >= grid:
            for at in (grid, now):
                for each in detector.findings(at):
                    found.setdefault(each.finding, (each.onset, at))
            grid = now // GRID_S * GRID_S + GRID_S
        detector.observe(event, now)
    return found


KINDS: dict[str, tuple[type[Detector], Stream, Callable[[], Iterator[Event]]]] = {
    "approvals": (
        Approvals,
        lambda days, seed: streams_approvals.rounds(288 * days, seed),
        streams_approvals.positive,
    ),
    "telemetry": (
        Telemetry,
        lambda days, seed: streams_telemetry.calls(days * DAY_S // 5, seed, days * DAY_S),
        streams_telemetry.positive,
    ),
}


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="three days from one seed")
    said = ask.parse_args()
    days, seeds = (3, 1) if said.quick else (30, 3)
    console = Console(width=110)
    table = Table(title=f"{seeds} agents, {days} days each", title_justify="left")
    for column in ("detector", "false findings", "told after their onset"):
        table.add_column(column)
    for name, (kind, quiet, positive) in KINDS.items():
        false = sum(
            len(told(kind(Watch(), {}), quiet(days, seed)))
            for seed in track(range(1, 1 + seeds), name, console=console, transient=True)
        )
        delays = told(kind(Watch(), {}), positive())
        words = ", ".join(f"{finding} {at - onset:.0f} s" for finding, (onset, at) in delays.items())
        table.add_row(name, f"[{'red' if false else 'green'}]{false}[/]", words)
    console.print(table)


if __name__ == "__main__":
    main()
