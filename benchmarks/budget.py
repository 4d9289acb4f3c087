"""Budgets: how early the projected exhaustion is told, how often wrongly, and whether the interval holds.

    python benchmarks/budget.py [--quick] [--seeds 20]

Spend is made up from seeds: a wave by day, quieter weekends, days that differ by chance, minutes that are
heavy-tailed. After four weeks it goes on quietly for 30 days below 70 % of the budget: every step told is a
false one. Then it rises to a multiple at ten on a Wednesday, and stays there.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Iterator
from math import pi, sin
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.costs.budget import Budget, Ledger
from detectors.costs.periods import end_of, start_of

MONDAY_S = 1_767_571_200.0
"""2026-01-05T00:00:00Z."""
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WARM_UP_DAYS, QUIET_DAYS = 28, 30
MEAN_USD = 0.05
"""Spend of a mean minute."""
PERIODS = ("hour", "day", "week", "month")
BUSIEST = 0.69
"""Share of the budget that the busiest quiet period spends."""
RISES = (2.0, 4.0)


class Kind(Struct, frozen=True):
    """Spreads of the logarithm of days and of minutes; part of spend that swings by day; weekend's share."""

    days: float
    minutes: float
    wave: float
    weekend: float


KINDS = {
    "steady": Kind(0.0, 0.5, 0.0, 1.0),
    "day wave": Kind(0.08, 1.0, 0.2, 1.0),
    "office, quiet weekends": Kind(0.08, 1.0, 0.9, 0.3),
    "heavy-tailed minutes": Kind(0.08, 1.8, 0.2, 1.0),
}


def spend(kind: Kind, draw: random.Random, days: int, at: float = MONDAY_S) -> Iterator[tuple[float, float]]:
    """Ends of minutes, and the USD in each."""
    mean = MEAN_USD / ((5 + 2 * kind.weekend) / 7)
    for _ in range(days):
        share = kind.weekend if int((at - MONDAY_S) // DAY) % 7 > 4 else 1.0
        level = mean * share * draw.lognormvariate(-(kind.days**2) / 2, kind.days)
        for minute in range(1440):
            wave = 1 + kind.wave * sin(2 * pi * (minute / 1440 - 0.375))
            at += MINUTE
            yield at, level * wave * draw.lognormvariate(-(kind.minutes**2) / 2, kind.minutes)


class Played(Struct):
    """What came of one seed. Delays and lead in seconds; `spent`: share of the budget when it was told.

    `naive`: quiet periods in which the spend so far, drawn on in a straight line, reached 80 %.
    """

    false: int
    naive: int
    within: int
    asked: int
    delay: dict[float, float | None]
    lead: dict[float, float | None]
    spent: dict[float, float]


def play(kind: Kind, period: str, seed: int) -> Played:
    """Four weeks, 30 quiet days, then a rise, twice from the same state."""
    days = WARM_UP_DAYS + QUIET_DAYS + (2 - (WARM_UP_DAYS + QUIET_DAYS)) % 7
    minutes = list(spend(kind, random.Random(seed), days))
    totals: dict[float, float] = {}
    for at, usd in minutes:
        begins = start_of(period, at - 1)
        totals[begins] = totals.get(begins, 0.0) + usd
    counted = MONDAY_S + WARM_UP_DAYS * DAY
    quiet = [usd for begins, usd in totals.items() if end_of(period, begins) > counted]
    budget = Budget(Ledger(max(quiet) / BUSIEST, period))
    budget.take(0.0, 0.0, MONDAY_S)
    played = watched(budget, minutes, totals, counted)
    for times in RISES:
        told = rise(budget, kind, random.Random(seed + 1), times)
        played.delay[times], played.lead[times], played.spent[times] = told
    return played


def watched(
    budget: Budget, minutes: list[tuple[float, float]], totals: dict[float, float], counted: float
) -> Played:
    """The quiet time. `totals` by the start of their period; what is told after `counted` is false."""
    played = Played(0, 0, 0, 0, {}, {}, {})
    lines: set[float] = set()
    was = 0
    for at, usd in minutes:
        budget.take(usd, at, at)
        ledger, begins = budget.ledger, start_of(budget.ledger.period, at)
        if at > counted:
            played.false += ledger.told > was
            share = (at - begins) / (ledger.ends - begins)
            if share > 0 and ledger.spent / share >= 0.8 * ledger.usd:
                lines.add(begins)
            is_whole = ledger.ends <= minutes[-1][0]
            if is_whole and at == (begins + ledger.ends) // 2 // MINUTE * MINUTE:
                low, high = budget.forecast.interval
                played.asked += 1
                played.within += low <= totals[begins] <= high
        was = ledger.told
    played.naive = len(lines)
    return played


def rise(
    budget: Budget, kind: Kind, draw: random.Random, times: float
) -> tuple[float | None, float | None, float]:
    """Seconds from the rise until it is told, from then until the budget is spent, and its share by then."""
    ledger = msgspec.msgpack.decode(msgspec.msgpack.encode(budget.ledger), type=Ledger)
    rising = Budget(ledger)
    begins = ledger.at + 10 * HOUR
    told = spent_by = None
    part = 0.0
    for at, usd in spend(kind, draw, 31, ledger.at):
        rising.take(usd * (times if at > begins else 1.0), at, at)
        if at <= begins:
            continue
        if told is None and rising.ledger.told:
            told, part = at, rising.ledger.spent / rising.ledger.usd
        if spent_by is None and rising.ledger.spent >= rising.ledger.usd:
            spent_by = at
        if spent_by is not None:
            break
        if told is not None and at >= rising.ledger.ends - MINUTE:
            break
    delay = None if told is None else told - begins
    return delay, None if told is None or spent_by is None else spent_by - told, part


def shown(seconds: list[float]) -> str:
    """Median and range, in the unit that fits."""
    if not seconds:
        return "-"
    middle = statistics.median(seconds)
    unit, name = (MINUTE, "min") if middle < 3 * HOUR else (HOUR, "h") if middle < 3 * DAY else (DAY, "d")
    low, high = min(seconds) / unit, max(seconds) / unit
    return f"{middle / unit:.0f} {name} [{low:.0f}-{high:.0f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds, budgets of a day only")
    parser.add_argument("--seeds", type=int, default=12, help="agents of each kind (default: 12)")
    given = parser.parse_args()
    seeds, budgets = (2, ["day"]) if given.quick else (given.seeds, list(PERIODS))
    work = [(name, period) for name in KINDS for period in budgets]
    table = Table(
        "spend",
        "budget per",
        "false in 30 days",
        "by a straight line",
        "in the interval (80 %)",
        title="Budgets",
    )
    for times in RISES:
        table.add_column(f"x{times:g}: told after")
        table.add_column("spent by then")
        table.add_column("before it is gone")
    for name, period in track(work, console=Console(stderr=True)):
        played = [play(KINDS[name], period, seed) for seed in range(seeds)]
        false = sum(each.false for each in played) / len(played)
        asked = sum(each.asked for each in played)
        within = sum(each.within for each in played)
        row = [
            name,
            period,
            f"{false:.2f}",
            f"{sum(each.naive for each in played) / len(played):.1f}",
            f"{within / asked:.0%} of {asked}" if asked else "-",
        ]
        for times in RISES:
            row.append(shown([each.delay[times] for each in played if each.delay[times] is not None]))
            row.append(f"{statistics.median(each.spent[times] for each in played):.0%}")
            row.append(shown([each.lead[times] for each in played if each.lead[times] is not None]))
        table.add_row(*row)
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
