"""Traffic: false findings in quiet weeks, and how soon it is told that sessions stay away or come in crowds.

    python benchmarks/traffic.py [--quick] [--seeds 3] [--only WORD]

Each kind of traffic is played for four weeks, in which everything is new, and then for 30 days; each finding
is a false one. Then, on a Wednesday at eleven, for six hours: nothing is heard any more; none begin, but
those that go on are heard; nine of ten stay away; ten times as many come. Beside the detector stand
`MetricAnomaly` alone, on the counts of five minutes, on their roots and on those of fifteen minutes; the
detector without `MetricAnomaly`; and `silence`. They see the same sessions.
"""

import argparse
import gzip
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from functools import cache
from itertools import cycle
from math import sqrt
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.real_traffic import rows
from benchmarks.silence import DAY, HOUR, MINUTE, MONDAY_S, RETAIL, hour, nightly, weekday
from detectors.metric import MetricAnomaly
from detectors.settings import Watch
from detectors.silence import Silence
from detectors.traffic import Traffic
from detectors.volumes.flow import NEVER, Flow
from detectors.volumes.tide import Tide
from schemas.event import Event
from schemas.wire import moment
from tests.detectors.agent_events import event

WARM_UP_DAYS, QUIET_DAYS = 28, 30
WARM_S = MONDAY_S + WARM_UP_DAYS * DAY
FAULT_S = MONDAY_S + (WARM_UP_DAYS + QUIET_DAYS) * DAY + 11 * HOUR
"""A Wednesday at eleven."""
LASTS_S = 6 * HOUR
LATER_S = MONDAY_S + 365 * DAY
"""What the events say of their time: ahead of all that is played, so that none is told of late."""
SESSIONS: tuple[Event, ...] = tuple(event(LATER_S, conversation={"id": f"c{at}"}) for at in range(16_384))
"""Again and again: by then each is forgotten."""
GOING_ON = event(MONDAY_S, "chat", "agent.session.v1", conversation={"id": "old", "state": "running"})
Rate = Callable[[float], float]
Times = Callable[[random.Random, float], Iterator[float]]
Minutes = Iterator[tuple[float, int]]
"""When a minute begins, and how many sessions begin in it."""
Played = dict[str, float | None]
"""Minutes to what is told of each fault, None: it is not."""


def flat(per_h: float) -> Rate:
    """The same at every hour."""
    return lambda _: per_h


def wave(per_h: float) -> Rate:
    """By day, a tenth of it by night, half of it at weekends; rising and falling within two hours."""

    def rate(at: float) -> float:
        of_day = hour(at)
        up, down = (of_day - 6) / 2, (22 - of_day) / 2
        share = max(0.1, min(1.0, up, down))
        return per_h * share * (0.5 if weekday(at) > 4 else 1.0)

    return rate


def office(per_h: float) -> Rate:
    """From nine to six on weekdays, and nothing else."""
    return lambda at: per_h if weekday(at) < 5 and 9 <= hour(at) < 18 else 0.0


def growing(per_h: float) -> Rate:
    """Doubling in four weeks."""
    return lambda at: wave(per_h)(at) * 2 ** ((at - MONDAY_S) / (28 * DAY))


def wobbling(per_h: float, sigma: float, length_s: float) -> Rate:
    """A wave that strays by a factor, from one hour or day to the next."""
    return lambda at: wave(per_h)(at) * random.Random(int(at // length_s)).lognormvariate(0, sigma)


def clumped(rate: Rate, size: float) -> Rate:
    """Sessions that come in clumps: so many minutes with many, then few."""
    return lambda at: rate(at) * size * (random.Random(int(at // (5 * MINUTE))).random() < 1 / size)


@cache
def _retail() -> tuple[float, ...]:
    """When the real sessions of the retail agent began, in seconds after the first."""
    first: dict[str, float] = {}
    for line in gzip.decompress(RETAIL.read_bytes()).splitlines():
        said = json.loads(line)
        name = said["data"].get("conversation", {}).get("id")
        if name:
            first.setdefault(name, datetime.fromisoformat(said["time"]).timestamp())
    begun = sorted(first.values())
    return tuple(each - begun[0] for each in begun)


@cache
def _azure() -> tuple[float, ...]:
    """When the real requests of an LLM service began, in seconds after the first."""
    begun = sorted(row.at.timestamp() for row in rows() if row.service == "code")
    return tuple(each - begun[0] for each in begun)


def retail(draw: random.Random, at: float) -> Iterator[float]:
    """The retail agent's real sessions again and again, with a pause of up to a day between."""
    while True:
        for each in _retail():
            yield at + each
        at += _retail()[-1] + draw.uniform(0, DAY)


def azure(draw: random.Random, at: float) -> Iterator[float]:  # noqa: ARG001 - nothing in it is drawn
    """The real hour of an LLM service again and again."""
    while True:
        for each in _azure():
            yield at + each
        at += _azure()[-1]


KINDS: dict[str, Rate | Times] = {
    **{f"{per_h} an hour": flat(per_h) for per_h in (5, 20, 100, 1000)},
    **{f"wave of {per_h} an hour": wave(per_h) for per_h in (5, 20, 100, 1000)},
    **{f"office hours, {per_h} an hour": office(per_h) for per_h in (5, 20, 100, 1000)},
    "wave of 100 that doubles in four weeks": growing(100),
    "wave of 100, days differ (0.3)": wobbling(100, 0.3, DAY),
    "wave of 100, hours differ (0.4)": wobbling(100, 0.4, HOUR),
    "wave of 200 in clumps": clumped(wave(200), 3.0),
    "a batch each night at two": nightly,
    "the real retail sessions, repeated": retail,
    "a real hour of an LLM service, repeated": azure,
}
FAULTS: dict[str, float] = {"nothing is heard": 0.0, "none begin": 0.0, "a tenth": 0.1, "ten times": 10.0}


def by_minute(kind: Rate | Times, draw: random.Random, begin: float, end: float, factor: float) -> Minutes:
    """By chance; times that are given keep, lose or repeat each."""
    if kind not in {nightly, retail, azure}:
        for at in range(int(begin), int(end), int(MINUTE)):
            yield float(at), poisson(draw, kind(at) * factor * MINUTE / HOUR)
        return
    at, found = begin, 0
    for each in kind(draw, begin):
        while each >= at + MINUTE:
            yield at, found
            at, found = at + MINUTE, 0
            if at >= end:
                return
        found += int(factor) + (draw.random() < factor % 1)


def poisson(draw: random.Random, mean: float) -> int:
    """A count."""
    found, left = 0, draw.expovariate(1.0)
    while left < mean:
        found += 1
        left += draw.expovariate(1.0)
    return found


class Contender(Protocol):
    """Whoever is shown how many sessions begin, minute by minute."""

    def minute(self, at: float, many: int, heard: int) -> frozenset[str]:
        """What is told at its end, or while it holds. `heard`: events of sessions that go on."""
        ...


class Own:
    """The detector, with an event of each session."""

    def __init__(self) -> None:
        self.detector, self.sessions = Traffic(Watch(), {}), cycle(SESSIONS)

    def minute(self, at: float, many: int, heard: int) -> frozenset[str]:
        """Shows them."""
        for number in range(many):
            self.detector.observe(next(self.sessions), at + number * MINUTE / many)
        for _ in range(heard):
            self.detector.observe(GOING_ON, at + MINUTE - 1)
        return frozenset(each.finding for each in self.detector.findings(at + MINUTE))

    def __deepcopy__(self, _: object) -> "Own":
        """From its state, and with other sessions than before."""
        copy = Own()
        copy.detector = Traffic.load(Watch(), {}, self.detector.save(), Traffic.version)
        return copy


class Surprised(Tide):
    """What is usual, and never that anything is new."""

    __slots__ = ()

    def _five_minutes(self, minute: int) -> None:
        super()._five_minutes(minute)
        self.state.suspect = NEVER


class CountsAlone:
    """The detector without `MetricAnomaly`."""

    def __init__(self) -> None:
        self.tide = Surprised(Flow())

    def minute(self, at: float, many: int, heard: int) -> frozenset[str]:
        """Counts them."""
        self.tide.turn(int(at // MINUTE))
        if many or heard:
            self.tide.hears()
        self.tide.state.count += many
        self.tide.turn(int(at // MINUTE) + 1)
        return frozenset(self.tide.state.changes)


class Metric:
    """`MetricAnomaly` alone, of so many minutes' count, or of what is made of it."""

    def __init__(self, minutes: int, of: Callable[[float], float]) -> None:
        self.anomaly, self.minutes, self.of, self.found = MetricAnomaly(), minutes, of, 0

    def minute(self, at: float, many: int, heard: int) -> frozenset[str]:  # noqa: ARG002 - the protocol's
        """Scores them when the time is over."""
        self.found += many
        if (at + MINUTE) % (self.minutes * MINUTE):
            return frozenset()
        score = self.anomaly.score_one(moment(at + MINUTE), self.of(self.found))
        self.found = 0
        return frozenset({"alarm"} if score >= self.anomaly.threshold else ())


class Silent:
    """`silence`, with an event of each session."""

    def __init__(self) -> None:
        self.detector = Silence(Watch(), {})

    def minute(self, at: float, many: int, heard: int) -> frozenset[str]:
        """Shows them."""
        for number in range(many + heard):
            self.detector.observe(GOING_ON, at + number * MINUTE / (many + heard))
        return frozenset(each.finding for each in self.detector.findings(at + MINUTE))


CONTENDERS: dict[str, Callable[[], Contender]] = {
    "traffic": Own,
    "without MetricAnomaly": CountsAlone,
    "MetricAnomaly, 5 min": lambda: Metric(5, float),
    "MetricAnomaly, root of 5 min": lambda: Metric(5, sqrt),
    "MetricAnomaly, root of 15 min": lambda: Metric(15, sqrt),
    "silence": Silent,
}


class Month(Struct):
    """The minutes of one agent: quiet ones, and those of each fault."""

    quiet: list[tuple[float, int]]
    faults: dict[str, list[tuple[float, int]]]


def month(kind: Rate | Times, seed: int) -> Month:
    """One agent."""
    quiet = list(by_minute(kind, random.Random(seed), MONDAY_S, FAULT_S, 1.0))
    return Month(
        quiet,
        {
            fault: list(
                by_minute(kind, random.Random(1000 * seed + number), FAULT_S, FAULT_S + LASTS_S, factor)
            )
            for number, (fault, factor) in enumerate(FAULTS.items())
        },
    )


class Tally(Struct):
    """False findings of a kind's agents while all was new, and later; what was told of their faults."""

    early: int = 0
    false: int = 0
    delays: list[Played] = []

    def plays(self, contender: Contender, agent: Month) -> None:
        """One agent through its quiet weeks, and each fault with a copy of it."""
        holding = frozenset[str]()
        for at, many in agent.quiet:
            found = contender.minute(at, many, 0)
            self.early += len(found - holding) * (at < WARM_S)
            self.false += len(found - holding) * (at >= WARM_S)
            holding = found
        self.delays.append(
            {fault: told(deepcopy(contender), fault, minutes) for fault, minutes in agent.faults.items()}
        )


def told(contender: Contender, fault: str, minutes: list[tuple[float, int]]) -> float | None:
    """After how many minutes anything is told that did not hold before."""
    for number, (at, many) in enumerate(minutes):
        if contender.minute(at, many, int(fault == "none begin")):
            return float(number + 1)
    return None


def said(minutes: list[float | None]) -> str:
    """Median, least and most, and how many of them never."""
    found = sorted(each for each in minutes if each is not None)
    if not found:
        return "never"
    missed = f", {len(minutes) - len(found)} never" if len(found) < len(minutes) else ""
    return f"{statistics.median(found):.0f} [{found[0]:.0f}-{found[-1]:.0f}]{missed}"


def main() -> None:
    """Reads the command line and runs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("--quick", action="store_true", help="one seed, and the detector alone")
    ask.add_argument("--only", default="", help="kinds whose names contain it")
    given = ask.parse_args()
    seeds = range(1, 1 + (1 if given.quick else given.seeds))
    console = Console(width=150)
    columns = ("traffic", "by", "false in 28 days", "in 30 days", *(f"{each}: told after" for each in FAULTS))
    table = Table(title=f"traffic: {len(seeds)} agents of each kind; minutes", title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 2 else "right")
    names = list(CONTENDERS)[: 1 if given.quick else None]
    runs = [(kind, seed) for kind in KINDS if given.only in kind for seed in seeds]
    found: dict[str, dict[str, Tally]] = {}
    for kind, seed in track(runs, "agents", console=console, transient=True):
        agent = month(KINDS[kind], seed)
        tallies = found.setdefault(kind, {name: Tally() for name in names})
        for name, tally in tallies.items():
            tally.plays(CONTENDERS[name](), agent)
    for kind, tallies in found.items():
        for name, tally in tallies.items():
            colour = "green" if tally.false <= len(seeds) else "red"
            delays = [said([each[fault] for each in tally.delays]) for fault in FAULTS]
            table.add_row(
                kind if name == names[0] else "", name, str(tally.early), f"[{colour}]{tally.false}[/]",
                *delays, end_section=name == names[-1],
            )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
