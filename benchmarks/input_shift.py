"""How soon shifts of texts are found, and how seldom where there is none, beside River's detectors.

Protocol and texts are those of a benchmark that lies outside: `--bench` is its script, `--data` its texts.
"""

import argparse
import importlib.util
import json
import math
import random
import statistics
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import track
from rich.table import Table
from river.drift import ADWIN, PageHinkley

from detectors.input_shift import TextShift
from detectors.inputs.rank_tracking import above
from detectors.inputs.text_learning import TextLearning, calibrated
from detectors.inputs.text_reading import read

SHARED = Path(__file__).resolve().parents[2] / "shared"
TARGETS = {
    "fa": 0.5, "fab": 1.0, "us": 30, "new30": 110, "new10": 400, "lang10": 55, "oos20": 75,
    "injpay5": 140, "injwild5": 140,
}  # fmt: skip
NEW = ("new100", "new30", "new10")


class Statistics:
    """What River's detectors are shown: ranks in the reference, in [0, 1], 1 the farthest out."""

    def __init__(self, reference: Sequence[str]) -> None:
        learning = TextLearning()
        for text in reference:
            learning.take(read(text))
        self.reference = calibrated(learning)

    def of(self, text: str) -> tuple[float, ...]:
        """Novelty twice, surprise, length twice."""
        reading = read(text)
        scored = self.reference.scores(reading)
        novel, surprising, long = (
            1 - sum(above(table, value)) / (2 * len(table))
            for table, value in zip(
                self.reference.tables, (scored.novelty, scored.surprise, reading.length), strict=True
            )
        )
        return novel, float(novel >= 0.9), surprising, long, abs(2 * long - 1)


class River(ABC):
    """A bank of one of River's detectors, one a statistic."""

    def __init__(self, reference: Sequence[str], seed: int = 0) -> None:
        self.seed = seed
        self.statistics = Statistics(reference)
        self.reset()

    def update(self, text: str) -> str | None:
        """One text; something if it alarms."""
        for detector, value in zip(self.bank, self.shown(self.statistics.of(text)), strict=True):
            detector.update(value)
            if detector.drift_detected:
                return "shift"
        return None

    def reset(self) -> None:
        """Back to the beginning."""
        self.bank = [self.one() for _ in self.shown((0.0,) * 5)]

    def shown(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """A value for each detector."""
        return values

    @abstractmethod
    def one(self) -> Any:
        """A detector."""


class AdwinBank(River):
    """One ADWIN a statistic."""

    def one(self) -> Any:
        """Between values tried for false alarms on seeds 100 to 103."""
        return ADWIN(delta=0.2)


class PageHinkleyBank(River):
    """One Page-Hinkley on -ln p of each rank."""

    def one(self) -> Any:
        """Between values tried for false alarms on seeds 100 to 103."""
        return PageHinkley(min_instances=30, delta=0.3, threshold=22.0, alpha=1.0, mode="up")

    def shown(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Novelty, surprise, length."""
        return tuple(-math.log(1 - values[at] + 5e-4) for at in (0, 2, 3))


CONTENDERS = {"TextShift": TextShift, "ADWIN bank": AdwinBank, "PageHinkley bank": PageHinkleyBank}


def protocol(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_shift", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python script")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planted(case: Any, most: int = 10) -> list[str]:
    """The words that the new domain has most beyond the reference (G)."""
    new, old = (Counter(w for text in texts for w in set(text.split())) for texts in (case.new, case.ref))
    size, usual = len(case.new), len(case.ref)

    def surprise(word: str) -> float:
        share, expected = new[word] / size, (old[word] + 0.5) / (usual + 1)
        rest = (1 - share) * math.log((1 - share) / (1 - expected)) if share < 1 else 0.0
        return (share * math.log(share / expected) if share else 0.0) + rest

    up = [word for word in new if new[word] / size > (old[word] + 0.5) / (usual + 1)]
    return sorted(up, key=lambda word: (-surprise(word), word))[:most]


def named(bench: ModuleType, data: Any, seed: int) -> dict[str, int]:
    """How many of the ten planted terms are among the ten that the alarm names."""
    case, found = bench.Case(data, seed), {}
    words = set(planted(case))
    for name in NEW:
        detector = TextShift(case.ref, seed=seed)
        texts, change = case.shift(name)
        for at, text in enumerate(texts):
            shift = detector.update(text)
            if shift is not None and at >= change:
                found[name] = len(words & set(shift.terms))
                break
            if shift is not None:
                detector.reset()
    return found


def interval(values: Sequence[float], statistic: Any) -> tuple[float, float]:
    """95 % by bootstrap over seeds."""
    draw = random.Random(11)
    means = sorted(statistic(draw.choices(values, k=len(values))) for _ in range(1000))
    return means[25], means[974]


def summary(results: Sequence[dict[str, Any]], stable: int) -> dict[str, Any]:
    """Medians of delays, means of false alarms, each with its interval; misses; microseconds."""
    told: dict[str, Any] = {"seeds": len(results)}
    for key in ("fa", "fab"):
        values = [each[key][0] / stable * 1e4 for each in results]
        told[key] = (statistics.mean(values), *interval(values, statistics.mean), 0)
    told["us"] = statistics.median(each["us"][0] for each in results)
    for name in results[0]["delay"]:
        values = [each["delay"][name][0] for each in results]
        told[name] = (statistics.median(values), *interval(values, statistics.median), values.count(math.inf))
    alarms = [count for each in results for count in each.get("named", {}).values()]
    if alarms:
        told["named"] = sum(count > 0 for count in alarms) / len(alarms)
        told["named_of_ten"] = statistics.mean(alarms)
    return told


def show(rows: dict[str, dict[str, Any]]) -> None:
    table = Table(title="Input shift: false alarms per 10,000 texts, and texts until a shift is found")
    table.add_column("")
    for name, row in rows.items():
        table.add_column(f"{name} ({row['seeds']} seeds)", justify="right")
    table.add_column("target", justify="right")
    for key in (each for each in next(iter(rows.values())) if each not in {"seeds", "named", "named_of_ten"}):
        cells = [_cell(key, row[key]) for row in rows.values()]
        table.add_row(key, *cells, str(TARGETS.get(key, "")))
    Console(width=150).print(table)
    for name, row in rows.items():
        if "named" in row:
            print(f"{name}: a planted term named in {row['named']:.0%}, {row['named_of_ten']:.1f} of ten")


def _cell(key: str, value: Any) -> str:
    if key == "us":
        return f"{value:.1f}"
    middle, low, high, misses = value
    form = "{:.2f} [{:.2f}, {:.2f}]" if key in {"fa", "fab"} else "{:.0f} [{:.0f}, {:.0f}]"
    colour = ""
    if key in TARGETS:
        colour = "green" if low <= TARGETS[key] and not misses else "red"
    text = form.format(middle, low, high) + (f" {misses} missed" if misses else "")
    return f"[{colour}]{text}[/]".replace("[]", "") if colour else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=SHARED / "bench" / "bench_shift.py")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "shift_texts.json.gz")
    parser.add_argument("--first", type=int, default=300, help="the first seed")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--stable", type=int, default=20_000, help="texts of the streams without a shift")
    parser.add_argument("--only", choices=sorted(CONTENDERS), action="append")
    parser.add_argument("--quick", action="store_true", help="three seeds, short streams")
    parser.add_argument("--json", type=Path, help="where results go, after each seed")
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.stable = 3, 4000
    bench = protocol(given.bench)
    data = bench.load(str(given.data))
    results: dict[str, list[dict[str, Any]]] = {}
    for name in given.only or CONTENDERS:
        make = CONTENDERS[name]
        for seed in track(range(given.first, given.first + given.seeds), description=name):
            one = bench.run(data, make, 1, given.stable, seed0=seed)
            if make is TextShift:
                one["named"] = named(bench, data, seed)
            results.setdefault(name, []).append(one)
            if given.json:
                given.json.write_text(json.dumps(results))
    show({name: summary(each, given.stable) for name, each in results.items()})


if __name__ == "__main__":
    main()
