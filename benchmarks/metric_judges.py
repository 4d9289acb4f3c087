"""The judges of metric anomalies: the Numenta benchmark, operators' labels, and the product's own rule.

Scores are computed once for each series; each judge then says what a threshold is worth.
"""

import csv
import gzip
import importlib.util
import random
import sys
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import NamedTuple, Protocol

STEP = timedelta(minutes=5)
DAY_ROWS = 288
INCIDENT_ROWS, INCIDENT_SD = 6, 8.0
GRACE_ROWS = 2
TOGETHER, GRACE, FEWEST_BETWEEN = 30, 10, 5


class Scorer(Protocol):
    """What is judged."""

    def score_one(self, time: datetime, value: float) -> float:
        """Larger is more anomalous."""
        ...


Make = Callable[[], Scorer]


class Verdict(NamedTuple):
    """Of operators' labels: segments found, segments there are, false alarms."""

    found: int
    segments: int
    false: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over segments."""
        return 2 * self.found / max(1, self.segments + self.found + self.false)


# -- the Numenta benchmark --------------------------------------------------------------------------------


class Numenta:
    """`archive`: nab.tar.gz; `scorer`: the independent scorer's file; every `every`th series."""

    def __init__(self, archive: Path, scorer: Path, every: int = 1) -> None:
        self._judge = _module(scorer)
        with TemporaryDirectory() as home, tarfile.open(archive) as packed:
            packed.extractall(home, filter="data")
            corpus = self._judge.load_corpus(home)
        self.corpus = {name: corpus[name] for name in sorted(corpus)[::every]}

    def scores(self, make: Make, done: Callable[[int], object] = lambda _: None) -> dict[str, list[float]]:
        """Of every series. `done` hears of rows."""
        scores = {}
        for name, series in self.corpus.items():
            one = make()
            rows = zip(series.times, series.values.tolist(), strict=True)
            scores[name] = [one.score_one(time, value) for time, value in rows]
            done(len(series.times))
        return scores

    def verdict(self, scores: Mapping[str, Sequence[float]], threshold: float) -> dict[str, dict]:
        """By profile: `score` in 0..100, `tp_windows`, `missed`, `fp_rows`, `per_category`."""
        return self._judge.score(self.corpus, scores, threshold=threshold)

    @property
    def rows(self) -> int:
        """Rows of all series."""
        return sum(len(series.times) for series in self.corpus.values())


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("nab_scorer", path)
    module = sys.modules["nab_scorer"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- operators' labels ------------------------------------------------------------------------------------


class Labelled(NamedTuple):
    """One series of a family; `segments` as rows, inclusive; rows before `first` are not judged."""

    family: str
    times: list[datetime]
    values: list[float]
    segments: list[list[int]]
    first: int


class Operators:
    """`archive`: cloud_monitoring.tar.gz; all families or those named."""

    def __init__(self, archive: Path, families: Iterable[str] = ()) -> None:
        wanted = tuple(families)
        self.series: dict[str, Labelled] = {}
        with gzip.open(archive) as packed, tarfile.open(fileobj=packed) as files:
            for each in sorted(files.getmembers(), key=lambda each: each.name):
                family = each.name.split("/")[-2] if each.isfile() else ""
                if each.name.endswith(".csv") and (not wanted or family in wanted):
                    lines = files.extractfile(each).read().decode().splitlines()
                    self.series[each.name] = _labelled(family, list(csv.reader(lines))[1:])

    def scores(self, make: Make, done: Callable[[int], object] = lambda _: None) -> dict[str, list[float]]:
        """Of every series. `done` hears of rows."""
        scores = {}
        for name, series in self.series.items():
            one = make()
            rows = zip(series.times, series.values, strict=True)
            scores[name] = [one.score_one(time, value) for time, value in rows]
            done(len(series.times))
        return scores

    def verdict(self, scores: Mapping[str, Sequence[float]], threshold: float, family: str = "") -> Verdict:
        """Over all families, or one."""
        each = [
            _judged(series, scores[name], threshold)
            for name, series in self.series.items()
            if family in {"", series.family}
        ]
        return Verdict(*(sum(column) for column in zip(*each, strict=True)))

    @property
    def families(self) -> list[str]:
        """Their names."""
        return sorted({series.family for series in self.series.values()})

    @property
    def rows(self) -> int:
        """Rows of all series."""
        return sum(len(series.times) for series in self.series.values())


def _labelled(family: str, rows: Sequence[Sequence[str]]) -> Labelled:
    first = min(int(0.15 * len(rows)), 750)
    segments: list[list[int]] = []
    for at, row in enumerate(rows):
        if at >= first and row[2].strip('"') in {"1", "1.0"}:
            if segments and at - segments[-1][1] <= FEWEST_BETWEEN:
                segments[-1][1] = at
            else:
                segments.append([at, at])
    times = [
        datetime.fromisoformat(row[0].strip('"').replace("Z", "+00:00").replace("/", "-")) for row in rows
    ]
    return Labelled(family, times, [float(row[1] or 0) for row in rows], segments, first)


def _judged(series: Labelled, scores: Sequence[float], threshold: float) -> Verdict:
    alarms = [at for at, score in enumerate(scores) if at >= series.first and score >= threshold]
    spans = [(a, b + max(GRACE, b - a + 1)) for a, b in series.segments]
    found = sum(any(a <= at <= b for at in alarms) for a, b in spans)
    false, last = 0, -10 * TOGETHER
    for at in alarms:
        if not any(a <= at <= b for a, b in spans):
            false += at - last > TOGETHER
            last = at
    return Verdict(found, len(spans), false)


# -- the product's rule -----------------------------------------------------------------------------------


class Case(NamedTuple):
    """Ten days of five-minute values about 100 with noise of one standard deviation.

    `wave`: amplitude of the daily wave; `size` of the incident; `days` on which it comes, at the same hour.
    """

    wave: float = 10.0
    size: float = INCIDENT_SD
    days: tuple[int, ...] = (5, 6, 7)
    length: int = 10


CASES: Mapping[str, Case] = {
    "wave 3 sd": Case(wave=3.0),
    "wave 5 sd": Case(wave=5.0),
    "wave 10 sd": Case(),
    "wave 20 sd": Case(wave=20.0),
    "wave 10 sd, down": Case(size=-INCIDENT_SD),
    "wave 10 sd, days 3 to 5": Case(days=(3, 4, 5)),
    "wave 10 sd, days 14 to 16": Case(days=(14, 15, 16), length=17),
}


class Repeats(NamedTuple):
    """Shares of seeds: all three found; at most one false alarm in ten days. `false`: mean of ten days."""

    found: float
    quiet: float
    false: float


def repeats(make: Make, case: Case, seeds: Iterable[int], threshold: float) -> Repeats:
    """How often the same incident is found on each of its days, alarms of the first day on counted."""
    outcomes = [_ten_days(make(), case, random.Random(seed), threshold) for seed in seeds]
    per_ten = 10 / case.length
    return Repeats(
        sum(found for found, _ in outcomes) / len(outcomes),
        sum(false * per_ten <= 1 for _, false in outcomes) / len(outcomes),
        sum(false * per_ten for _, false in outcomes) / len(outcomes),
    )


def _ten_days(one: Scorer, case: Case, draw: random.Random, threshold: float) -> tuple[bool, int]:
    phase, hour = draw.random(), draw.randrange(DAY_ROWS - INCIDENT_ROWS)
    starts = [day * DAY_ROWS + hour for day in case.days]
    time, found, false = datetime(2026, 1, 5, tzinfo=UTC), set(), 0
    for row in range(case.length * DAY_ROWS):
        incident = next((each for each in starts if each <= row < each + INCIDENT_ROWS + GRACE_ROWS), None)
        value = 100 + case.wave * sin(2 * pi * (row / DAY_ROWS + phase)) + draw.gauss(0, 1)
        if incident is not None and row < incident + INCIDENT_ROWS:
            value += case.size
        if one.score_one(time + row * STEP, value) >= threshold:
            false += incident is None
            found.add(incident)
    return all(start in found for start in starts), false
