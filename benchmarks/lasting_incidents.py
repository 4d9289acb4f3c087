"""`error_rate` alone before faults that last for a day: how many incidents, and how soon told and over.

    python benchmarks/lasting_incidents.py [--quick]

Sessions come at random times, of which one in 500 is lost; after a day a share of them, for a day; then one
in 500 again, for a day. It is the stream of tests/detectors/test_lasting_faults.py; `lasting_faults.py` plays
the like with every detector and routing, and counts pages.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.detectors.test_lasting_faults import Days

HOUR_S = 3600.0
DAY_H, USUALLY_LOST = 24.0, 0.002
FIRST_SEED = 10
FAULTS = (
    (30.0, 0.3), (60.0, 0.1), (120.0, 0.08), (20.0, 1.0), (8.0, 1.0), (8.0, 0.2), (4.0, 1.0), (4.0, 0.5),
    (4.0, 0.2), (2.0, 0.5), (2.0, 0.2), (1.0, 1.0), (1.0, 0.5), (1.0, 0.2),
)  # fmt: skip
"""Sessions an hour, and the share of them that is lost."""


class Lasted(Struct):
    """Of one fault: incidents that it opened, those before it, and seconds; None: never within a day."""

    opened: int
    false: int
    told_s: float | None
    ended_s: float | None


def lasted(per_hour: float, lost: float, seed: int) -> Lasted:
    """One agent through three days."""
    days = Days(seed).go_on(DAY_H, per_hour, USUALLY_LOST)
    began, false = days.at, len(days.opened)
    days.go_on(DAY_H, per_hour, lost)
    over, opened = days.at, days.opened[false:]
    days.go_on(DAY_H, per_hour, USUALLY_LOST)
    ends = [at - over for at in days.ended if at > over]
    return Lasted(len(opened), false, opened[0] - began if opened else None, ends[0] if ends else None)


def span(seconds: Sequence[float]) -> str:
    """Median [least-most], in minutes or hours."""
    if not seconds:
        return "-"
    middle = statistics.median(seconds)
    unit, name = (60, "min") if middle < 2 * HOUR_S else (HOUR_S, "h")
    return f"{middle / unit:.0f} {name} [{min(seconds) / unit:.0f}-{max(seconds) / unit:.0f}]"


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=4)
    ask.add_argument("--quick", action="store_true", help="one seed")
    given = ask.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + (1 if given.quick else given.seeds))
    console = Console(width=120)
    columns = (
        "sessions an hour",
        "lost",
        "incidents in the day",
        "told after",
        "its end after",
        "false before",
    )
    table = Table(*columns, title=f"{len(seeds)} seeds", title_justify="left")
    for per_hour, lost in track(FAULTS, "faults", console=console, transient=True):
        found = [lasted(per_hour, lost, seed) for seed in seeds]
        opened = [each.opened for each in found]
        table.add_row(
            f"{per_hour:g}",
            f"{lost:.0%}",
            f"{statistics.mean(opened):.1f} [{min(opened)}-{max(opened)}]",
            span([each.told_s for each in found if each.told_s is not None]),
            span([each.ended_s for each in found if each.ended_s is not None]),
            str(sum(each.false for each in found)),
        )
    console.print(table)


if __name__ == "__main__":
    main()
