"""Silences: false ones in 30 days of quiet and bursty traffic, and how soon an agent that died is told.

    python benchmarks/silence.py [--quick] [--seeds 20]

Each kind of traffic is played for six weeks, in which everything is new, and then for 30 days. Every finding
is a false one. Then the agent dies at an hour at which it is busy. Times are made up from seeds, except
`retail`: the real sessions' times over and over.
"""

import argparse
import gzip
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.settings import Watch
from detectors.silence import Silence
from tests.detectors.agent_events import event

MONDAY_S = 1_767_571_200.0
"""2026-01-05T00:00:00Z."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WARM_UP_DAYS, QUIET_DAYS = 42, 30
RETAIL = Path(__file__).resolve().parents[2] / "shared" / "data" / "retail_agent_events.jsonl.gz"

Traffic = Callable[[random.Random, float], Iterator[float]]
"""Times of events from Monday on, in POSIX seconds, without end; the second argument is where they begin."""


def poisson(rate: Callable[[float], float], most: float) -> Traffic:
    """`rate`: events an hour at a time; `most`: the highest."""

    def times(draw: random.Random, at: float) -> Iterator[float]:
        while True:
            at += draw.expovariate(most / HOUR)
            if draw.random() * most < rate(at):
                yield at

    return times


def hour(at: float) -> float:
    """Of the day, in [0, 24)."""
    return (at % DAY) / HOUR


def weekday(at: float) -> int:
    """0 is Monday."""
    return int((at - MONDAY_S) // DAY) % 7


def office(at: float) -> float:
    """40 events an hour from nine to six on weekdays, and nothing else."""
    return 40.0 if weekday(at) < 5 and 9 <= hour(at) < 18 else 0.0


def wave(at: float) -> float:
    """By day 60 events an hour, by night three, half of it at weekends."""
    share = 1.0 if 7 <= hour(at) < 22 else 0.05
    return 60.0 * share * (0.5 if weekday(at) > 4 else 1.0)


def nightly(draw: random.Random, at: float) -> Iterator[float]:
    """A batch of 20 to 40 minutes that begins within ten minutes after two o'clock, each night."""
    at = at - at % DAY
    while True:
        begins = at + 2 * HOUR + draw.uniform(0, 600)
        ends = begins + draw.uniform(20, 40) * MINUTE
        while begins < ends:
            yield begins
            begins += draw.expovariate(1 / 10)
        at += DAY


def seldom(sessions: int) -> Traffic:
    """Some sessions of six events each on weekdays from nine to five, none on about one weekday in 22."""

    def times(draw: random.Random, at: float) -> Iterator[float]:
        at = at - at % DAY
        while True:
            if weekday(at) < 5 and draw.random() > 1 / 22:
                for step in sorted(at + draw.uniform(9, 17) * HOUR for _ in range(sessions)):
                    yield from (step + 8 * each for each in range(6))
            at += DAY

    return times


def bursts(draw: random.Random, at: float) -> Iterator[float]:
    """Bursts of minutes to hours with heavy-tailed silences between them: whenever somebody runs a batch."""
    while True:
        ends = at + draw.lognormvariate(7.5, 1.0)
        while at < ends:
            yield at
            at += draw.expovariate(1 / 10)
        at += 900 * draw.paretovariate(0.9)


def sessions(draw: random.Random, at: float) -> Iterator[float]:
    """Six sessions an hour at random, each of about ten events within a minute or two."""
    while True:
        at += draw.expovariate(6 / HOUR)
        step = at
        for _ in range(10):
            yield step
            step += draw.expovariate(1 / 8)
        at = max(at, step)


def retail(draw: random.Random, at: float) -> Iterator[float]:
    """The retail agent's real times again and again, with a pause of up to a day between."""
    lines = gzip.decompress(RETAIL.read_bytes()).splitlines()
    real = sorted(datetime.fromisoformat(json.loads(line)["time"]).timestamp() for line in lines)
    while True:
        for each in real:
            yield at + each - real[0]
        at += real[-1] - real[0] + draw.uniform(0, DAY)


TRAFFIC: dict[str, tuple[Traffic, float]] = {
    "2 an hour": (poisson(lambda _: 2.0, 2.0), 14.0),
    "10 an hour": (poisson(lambda _: 10.0, 10.0), 14.0),
    "1 a minute": (poisson(lambda _: 60.0, 60.0), 14.0),
    "10 a minute": (poisson(lambda _: 600.0, 600.0), 14.0),
    "day and night": (poisson(wave, 60.0), 14.0),
    "office hours": (poisson(office, 40.0), 14.0),
    "nightly batch": (nightly, 2.2),
    "6 sessions an hour": (sessions, 14.0),
    "1 session a weekday, holidays": (seldom(1), 18.0),
    "2 sessions a weekday, holidays": (seldom(2), 18.0),
    "5 sessions a weekday, holidays": (seldom(5), 18.0),
    "10 sessions a weekday, holidays": (seldom(10), 18.0),
    "bursts, heavy tails": (bursts, 14.0),
    "retail, repeated": (retail, 14.0),
}
"""Times, and the hour at which the agent dies."""


class Played(Struct):
    """What came of one seed: false findings while all was new and later; seconds until a death was told."""

    early: int
    false: int
    delay_s: float | None


def play(name: str, seed: int, quiet_days: int = QUIET_DAYS) -> Played:
    """One agent from its first event to its death, on a Wednesday."""
    traffic, dies_at = TRAFFIC[name]
    draw = random.Random(seed)
    detector, one = Silence(Watch(), {}), event(MONDAY_S)
    ends = MONDAY_S + (WARM_UP_DAYS + quiet_days) * DAY
    ends += (2 - weekday(ends)) % 7 * DAY + dies_at * HOUR
    counted_from = MONDAY_S + WARM_UP_DAYS * DAY
    early, false, holds, last = 0, 0, False, 0.0
    for at in traffic(draw, MONDAY_S):
        if at >= ends:
            break
        due = detector.wake_at
        if due is not None and due <= at:
            told = asked(detector, at)
            if told is not None and not holds:
                false += at >= counted_from
                early += at < counted_from
            holds = told is not None
        detector.observe(one, at)
        last, holds = at, False
    told = asked(detector, ends + 15 * DAY)
    return Played(early, false, None if told is None else told - last)


def asked(detector: Silence, until: float) -> float | None:
    """When a silence is told, before `until`, or None."""
    while (due := detector.wake_at) is not None and due <= until:
        if detector.findings(due):
            return due
    return None


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=20)
    ask.add_argument("--quick", action="store_true", help="three seeds")
    ask.add_argument("--only", choices=sorted(TRAFFIC), help="one kind of traffic")
    said = ask.parse_args()
    seeds = range(1, 1 + (3 if said.quick else said.seeds))
    console = Console(width=120)
    table = Table(title=f"silence: {len(seeds)} agents of each kind", title_justify="left")
    for column in (
        "traffic",
        "false in 6 weeks of warm-up",
        "false in 30 days",
        "told after: median [least-most]",
        "never",
    ):
        table.add_column(column, justify="left" if column == "traffic" else "right")
    for name in [said.only] if said.only else TRAFFIC:
        found = [play(name, seed) for seed in track(seeds, name, console=console, transient=True)]
        delays = sorted(each.delay_s / MINUTE for each in found if each.delay_s is not None)
        false = sum(each.false for each in found) / len(found)
        told = f"{statistics.median(delays):,.0f} min [{delays[0]:,.0f}-{delays[-1]:,.0f}]" if delays else "-"
        early = sum(each.early for each in found) / len(found)
        colour = "green" if false <= 1 else "red"
        never = str(len(found) - len(delays))
        table.add_row(name, f"{early:.2f}", f"[{colour}]{false:.2f}[/]", told, never)
    console.print(table)


if __name__ == "__main__":
    main()
