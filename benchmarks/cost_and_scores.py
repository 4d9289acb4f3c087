"""Cost and scores by `MetricAnomaly`, beside the detectors that have statistics of their own.

    python benchmarks/cost_and_scores.py [--quick] [--seeds 5]

An agent that costs and is graded as ever for 14 days, in which everything is new, and then for 30: each
finding or alarm is false. Then, for twelve hours, its calls cost three times as much, or its scores fall.
The core sees each value, or the means of five minutes and of an hour; the detectors see the events.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.cost import Cost
from detectors.detector import Detector
from detectors.metric import Direction, MetricAnomaly
from detectors.quality import Quality
from detectors.settings import Watch
from schemas.event import Event
from schemas.wire import moment
from tests.detectors.agent_events import START_S, event

DAY, HOUR = 86_400.0, 3600.0
WARM_DAYS, QUIET_DAYS = 14, 30
WARM_S = START_S + WARM_DAYS * DAY
FAULT_S = WARM_S + QUIET_DAYS * DAY + 11 * HOUR
ENDS_S = FAULT_S + 12 * HOUR
GRID_S = 60.0
Value = Callable[[random.Random, float], float]
"""One value; the second argument is how bad things are: 0 as ever, 1 with the fault."""


def price(draw: random.Random, bad: float) -> float:
    """USD of a call: heavy-tailed, three times as much when bad."""
    return 0.01 * draw.lognormvariate(0.0, 1.0) * (1 + 2 * bad)


def grade(draw: random.Random, bad: float) -> float:
    """A score about 0.8, or 0.65 when bad."""
    return round(min(1.0, max(0.0, draw.gauss(0.8 - 0.15 * bad, 0.1))), 3)


def called(at: float, value: float) -> Event:
    """A call that costs so much."""
    usage = {"input_tokens": 100, "output_tokens": 100, "cost_amount": value, "cost_currency": "USD"}
    return event(at, "chat", usage=usage, request={"model": "m"}, conversation={"id": f"c{at}"})


def graded(at: float, value: float) -> Event:
    """An evaluation of so much."""
    said = {"name": "helpfulness", "score_value": value}
    return event(at, "evaluate", "agent.evaluation.v1", evaluation=said, conversation={"id": f"c{at}"})


class Series(Struct, frozen=True):
    """What is watched: values, so many an hour; the detector, and which way is worse."""

    value: Value
    per_hour: float
    kind: type[Detector]
    shown: Callable[[float, float], Event]
    worse: Direction


SERIES = {
    "cost of a call, 12 an hour": Series(price, 12, Cost, called, "up"),
    "cost of a call, 120 an hour": Series(price, 120, Cost, called, "up"),
    "score, 6 an hour": Series(grade, 6, Quality, graded, "down"),
    "score, 60 an hour": Series(grade, 60, Quality, graded, "down"),
}
HOWS = {
    "the detector": 0.0,
    "core, each value": 1.0,
    "core, means of 5 min": 300.0,
    "core, means of 1 h": HOUR,
}
"""How it is watched: by the detector, or by the core in steps of so many seconds (1: each value)."""


class Played(Struct):
    """False findings in the quiet month, and minutes until the fault was told."""

    false: int = 0
    told: float | None = None

    def at(self, now: float, begins: bool) -> None:  # noqa: FBT001 - what a comparison says
        """Something begins to hold now."""
        if begins and WARM_S <= now < FAULT_S:
            self.false += 1
        if begins and now >= FAULT_S and self.told is None:
            self.told = (now - FAULT_S) / 60


def values(of: Series, seed: int) -> Iterator[tuple[float, float]]:
    """When, and how much."""
    draw, at = random.Random(seed), START_S
    while (at := at + draw.expovariate(of.per_hour / HOUR)) < ENDS_S:
        yield at, of.value(draw, float(at >= FAULT_S))


def by_detector(of: Series, seed: int) -> Played:
    """Shown the events, and asked each minute."""
    detector, played, asked = of.kind(Watch(), {}), Played(), 0.0
    holding: frozenset[tuple[str, float]] = frozenset()
    for at, value in values(of, seed):
        if at >= asked:
            found = frozenset((each.finding, each.onset) for each in detector.findings(at))
            played.at(at, bool(found - holding))
            asked, holding = at + GRID_S, found
        detector.observe(of.shown(at, value), at)
    return played


def by_core(of: Series, seed: int, step_s: float) -> Played:
    """Scored value by value, or as means of so many seconds."""
    core, played, last, waiting = MetricAnomaly(of.worse), Played(), 0.0, list[float]()
    for at, value in values(of, seed):
        if waiting and at // step_s != last // step_s:
            ended = last // step_s * step_s + step_s
            score = core.score_one(moment(ended), statistics.fmean(waiting))
            played.at(ended, score >= core.threshold)
            waiting.clear()
        waiting.append(value)
        last = at
    return played


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--quick", action="store_true", help="one seed")
    given = ask.parse_args()
    seeds = range(1, 1 + (1 if given.quick else given.seeds))
    console = Console(width=110)
    table = Table(title=f"{len(seeds)} agents each", title_justify="left")
    for column in ("series", "by", "false in 30 days of an agent", "told after: median [least-most] min"):
        table.add_column(column, justify="right" if "30" in column else "left")
    runs = [(name, how) for name in SERIES for how in HOWS]
    for name, how in track(runs, "series", console=console, transient=True):
        of, step = SERIES[name], HOWS[how]
        found = [by_core(of, seed, step) if step else by_detector(of, seed) for seed in seeds]
        false = sum(each.false for each in found) / len(found)
        delays = sorted(each.told for each in found if each.told is not None)
        missed = f", {len(found) - len(delays)} never" if len(delays) < len(found) else ""
        told = f"{statistics.median(delays):.0f} [{delays[0]:.0f}-{delays[-1]:.0f}]" if delays else "-"
        table.add_row(name, how, f"[{'green' if false <= 1 else 'red'}]{false:.1f}[/]", f"{told}{missed}")
    console.print(table)


if __name__ == "__main__":
    main()
