"""How often a quiet fleet pages: a month of ordinary days, with every detector and every default.

Agents of a dozen kinds (tool errors, retries, long tails of cost and latency, office hours) at three rates of
traffic. Nothing happens to them; whatever pages is a false page.

Run: python benchmarks/quiet_fleet.py [--days 30] [--seeds 3] [--quick]
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.judged import Judged, judged
from schemas.event import Event
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet, office_hours

START = datetime(2026, 3, 2, tzinfo=UTC)
RATES_PER_H = {"low": 2.0, "middle": 10.0, "high": 40.0}
"""Sessions an hour at noon; about ten events each."""
BUDGET = 1.0
"""Pages an agent may cause in 30 quiet days, in expectation."""


def quiet(rate_per_h: float, days: int, seed: int) -> Iterator[Event]:
    """The events of one quiet fleet: one agent of each kind."""
    profiles = [structs.replace(each, rate_per_h=rate_per_h) for each in CAST]
    end = START + timedelta(days=days)
    return Fleet(profiles=profiles, start=START, end=end, seed=seed, day=office_hours).events()


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--days", type=int, default=30)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--first-seed", type=int, default=500)
    ask.add_argument("--quick", action="store_true", help="three days, one seed")
    said = ask.parse_args()
    days, seeds = (3, 1) if said.quick else (said.days, said.seeds)
    console = Console(width=110)
    table = Table(title=f"quiet fleets: {len(CAST)} agents, {days} days, {seeds} seeds", title_justify="left")
    for column in ("traffic", "events", "pages", "pages per agent in 30 days", "findings (none pages)"):
        table.add_column(column, justify="left" if "findings" in column else "right")
    runs = [(name, seed) for name in RATES_PER_H for seed in range(said.first_seed, said.first_seed + seeds)]
    results: dict[str, list[Judged]] = {}
    for name, seed in track(runs, "fleets", console=console):
        results.setdefault(name, []).append(judged(quiet(RATES_PER_H[name], days, seed)))
    for name, found in results.items():
        pages = sum(len(each.pages) for each in found)
        a_month = pages / (len(CAST) * len(found)) * 30 / days
        findings: Counter[str] = sum((each.findings for each in found), Counter())
        told = ", ".join(f"{finding} {times}" for finding, times in findings.most_common()) or "-"
        colour = "green" if a_month <= BUDGET else "red"
        events = sum(each.events for each in found)
        table.add_row(name, f"{events:,}", str(pages), f"[{colour}]{a_month:.2f}[/]", told)
    console.print(table)
    for each in (page for found in results.values() for one in found for page in one.pages):
        console.print(f"  {each.time:%m-%d %H:%M} {each.severity} {each.summary}", soft_wrap=True)


if __name__ == "__main__":
    main()
