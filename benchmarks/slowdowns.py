"""Before `latency`: false findings on quiet operations in 30 days, and minutes until slow ones are told.

    python benchmarks/slowdowns.py            some minutes
    python benchmarks/slowdowns.py --quick    five days, one seed: a minute

Each kind of traffic has log-normal durations of two seconds, a mean that wanders (AR(1) of minutes) and
follows the day, and some Pareto outliers. Every finding in the quiet days is counted as false, though some
are true excursions of what wanders. Then, after three days and a half, at noon, everything is slower for
half an hour.
"""

import argparse
import sys
from math import exp, pi, sin, sqrt
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.latencies.slow_series import MOST_A_MINUTE, SlowSeries

START_S = 1_767_225_600.0
DAY = 1440
ONSET, LASTS = 3 * DAY + DAY // 2, 30
FACTORS = (2.0, 3.0, 5.0)


class Traffic(NamedTuple):
    """Operations a minute by day and night; spreads are those of logarithms; `heavy`: share of outliers."""

    by_day: float
    by_night: float
    noise: float
    wander: float
    persists: float
    day: float
    heavy: float


KINDS = {
    "30 a minute, steady": Traffic(30, 30, 0.5, 0.1, 0.9, 0, 0),
    "55 by day, 5 by night, bursty": Traffic(55, 5, 0.7, 0.25, 0.95, 0.2, 0.02),
    "60 a minute, swings": Traffic(60, 60, 0.6, 0.3, 0.97, 0.3, 0.05),
    "3 a minute": Traffic(3, 3, 0.8, 0.2, 0.95, 0.2, 0.02),
    "office hours only": Traffic(40, 0, 0.6, 0.2, 0.95, 0.3, 0.02),
}


def told(kind: Traffic, minutes: int, factor: float, seed: int) -> list[int]:
    """Minutes at which a finding began; from `ONSET` on everything takes `factor` times as long."""
    draw, series, wander, found, was = Random(seed), SlowSeries(), 0.0, [], False
    for minute in range(minutes):
        hour = minute % DAY / DAY
        wander = kind.persists * wander + kind.wander * sqrt(1 - kind.persists**2) * draw.gauss(0, 1)
        mean = 2 * exp(wander + kind.day * sin(2 * pi * hour))
        mean *= factor if ONSET <= minute < ONSET + LASTS else 1.0
        rate = kind.by_day if 0.35 < hour < 0.75 else kind.by_night
        for _ in range(min(MOST_A_MINUTE, round(max(0.0, draw.gauss(rate, sqrt(rate)))))):
            outlier = draw.paretovariate(1.2) if draw.random() < kind.heavy else 1.0
            series.fresh.append(mean * outlier * exp(kind.noise * draw.gauss(0, 1)))
        series.close(START_S + 60 * minute, START_S + 60 * minute + 60)
        holds = series.slowdown is not None
        if holds and not was:
            found.append(minute)
        was = holds
    return found


def delays(kind: Traffic, factor: float, seeds: range) -> str:
    """Median minutes until told, and how many were."""
    each = [
        [minute - ONSET + 1 for minute in told(kind, ONSET + LASTS, factor, seed) if minute >= ONSET]
        for seed in seeds
    ]
    hits = [first[0] for first in each if first]
    return f"{median(hits):.0f} min ({len(hits)} of {len(seeds)})" if hits else f"none of {len(seeds)}"


def main() -> None:
    """One table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="five quiet days, one seed")
    quick = parser.parse_args().quick
    days, seeds = (5, range(100, 101)) if quick else (30, range(100, 104))
    table = Table("traffic", f"false in {days} days", *(f"{factor:g} times slower" for factor in FACTORS))
    for name, kind in track(KINDS.items(), description="kinds of traffic", transient=True):
        slow = [delays(kind, factor, seeds) for factor in FACTORS]
        false = [len(told(kind, days * DAY, 1.0, seed)) for seed in seeds[:2]]
        table.add_row(name, f"{sum(false) / len(false):g}", *slow)
    Console().print(table)


if __name__ == "__main__":
    main()
