"""Answers that get worse: false findings in 30 quiet days, and how soon a fault that is put in is told.

    python benchmarks/quality.py [--quick] [--seeds 20]

Agents are made up from seeds: so many answers a day, of which a share is cut short or refused, and scores
from a beta distribution. Over 31 days every finding is a false one; then the fault begins.
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

from detectors.quality import Quality
from detectors.settings import Watch
from schemas.event import Event
from tests.detectors.agent_events import START_S, event

DAY_S = 86400.0
SHOWN = 400
"""Events made for each kind of answer: their sessions, over and over."""


class Kind(Struct, frozen=True):
    """An agent. `usual` and `fault` draw, by the day, what kind of answer is `made`."""

    a_day: float
    made: Callable[[int, int], Event]
    usual: Callable[[random.Random, float], int]
    fault: Callable[[random.Random, float], int]


def ended(reason: str) -> Callable[[int, int], Event]:
    """Answers that end well, or for this reason."""

    def made(which: int, at: int) -> Event:
        response = {"model": ("small", "large")[at % 2], "finish_reasons": [("stop", reason)[which]]}
        return event(
            START_S + at, response=response, usage={"output_tokens": 9}, conversation={"id": f"c{at}"}
        )

    return made


def scored(which: int, at: int) -> Event:
    """A score of so many hundredths."""
    said = {"name": "helpfulness", "score_value": which / 100}
    return event(
        START_S + at, "evaluate", "agent.evaluation.v1", evaluation=said, conversation={"id": f"c{at}"}
    )


def share(usual: float, wobble: float = 0.0) -> Callable[[random.Random, float], int]:
    """1 with this chance, which is by so much higher or lower from day to day."""

    def drawn(draw: random.Random, day: float) -> int:
        swing = 1 + wobble * (random.Random(int(day)).random() * 2 - 1)
        return int(draw.random() < usual * swing)

    return drawn


def beta(mean: float, size: float = 4.0) -> Callable[[random.Random, float], int]:
    """Hundredths of a score."""
    return lambda draw, _: int(100 * draw.betavariate(mean * size, (1 - mean) * size))


def passes(share_: float) -> Callable[[random.Random, float], int]:
    """1.00 with this chance, else 0."""
    return lambda draw, _: 100 * (draw.random() < share_)


KINDS = {
    "cut short 2 % -> 20 %, 200 a day": Kind(200, ended("length"), share(0.02), share(0.2)),
    "cut short 2 % -> 20 %, 5,000 a day": Kind(5000, ended("length"), share(0.02), share(0.2)),
    "cut short 2 % -> 4 %, 5,000 a day": Kind(5000, ended("length"), share(0.02), share(0.04)),
    "5 % wobbling by half, -> 20 %, 5,000 a day": Kind(5000, ended("length"), share(0.05, 0.5), share(0.2)),
    "refused 0.1 % -> 5 %, 5,000 a day": Kind(5000, ended("content_filter"), share(0.001), share(0.05)),
    "score 0.80 -> 0.60, 200 a day": Kind(200, scored, beta(0.8), beta(0.6)),
    "score 0.80 -> 0.75, 2,000 a day": Kind(2000, scored, beta(0.8), beta(0.75)),
    "passed 58 % -> 40 %, 400 a day": Kind(400, scored, passes(0.58), passes(0.40)),
}


class Played(Struct):
    """What came of one seed: false findings; answers and seconds from the fault to its finding."""

    false: int
    answers: int | None = None
    delay_s: float | None = None


def arrivals(draw: random.Random, a_day: float) -> Iterator[float]:
    """Seconds, at random."""
    at = 0.0
    while True:
        at += draw.expovariate(a_day / DAY_S)
        yield at


def play(kind: Kind, seed: int, days: int = 30) -> Played:
    """One agent through its quiet days and into the fault."""
    draw, detector = random.Random(seed), Quality(Watch(), {})
    events: dict[tuple[int, int], Event] = {}
    played, holds, fault_at, asked, answers = Played(0), False, (days + 1) * DAY_S, 0.0, 0
    for at in arrivals(draw, kind.a_day):
        if at >= fault_at + 14 * DAY_S:
            return played
        if at >= asked:
            found = bool(detector.findings(START_S + at))
            asked = at + 5
            if found and not holds:
                if at >= fault_at:
                    played.answers, played.delay_s = answers, at - fault_at
                    return played
                played.false += 1
            holds = found
        faulty = at >= fault_at
        answers += faulty
        which = (kind.fault if faulty else kind.usual)(draw, at // DAY_S)
        place = which, draw.randrange(SHOWN)
        one = events.get(place) or events.setdefault(place, kind.made(*place))
        detector.observe(one, START_S + at)
    return played


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=20)
    ask.add_argument("--quick", action="store_true", help="two seeds")
    said = ask.parse_args()
    seeds = range(1, 1 + (2 if said.quick else said.seeds))
    console = Console(width=120)
    table = Table(title=f"quality: {len(seeds)} agents of each kind", title_justify="left")
    for column in ("agent", "false in 30 days", "answers to a finding: median [range]", "minutes", "never"):
        table.add_column(column, justify="left" if column == "agent" else "right")
    for name, kind in KINDS.items():
        found = [play(kind, seed) for seed in track(seeds, name, console=console, transient=True)]
        answers = sorted(each.answers for each in found if each.answers is not None)
        minutes = [each.delay_s / 60 for each in found if each.delay_s is not None]
        false = sum(each.false for each in found) / len(found)
        told = f"{statistics.median(answers):,.0f} [{answers[0]:,}-{answers[-1]:,}]" if answers else "-"
        delay = f"{statistics.median(minutes):,.0f}" if minutes else "-"
        colour = "green" if false <= 1 else "red"
        never = str(len(found) - len(answers))
        table.add_row(name, f"[{colour}]{false:.2f}[/]", told, delay, never)
    console.print(table)


if __name__ == "__main__":
    main()
