"""Error rates: how long to a false alarm, how soon a rise is found, burn-rate windows beside.

    python benchmarks/error_rate.py            all of it, some minutes on one core
    python benchmarks/error_rate.py --quick    the part that continuous integration runs

Simulated traffic with fixed seeds. The e-detector sees cells of five seconds, as `error_rate` shows them to
it. `error_rate` itself is shown sessions, and every finding of it counts, whether or not it would page.
Windows are looked at once a minute.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.error_rate import ErrorRate
from detectors.failures.burn_rate import PAGING, TICKET, Pair, burn_rate, holding
from detectors.failures.rate_alarm import STEEPEST, Cell, RateAlarm, _steps
from detectors.settings import Watch
from schemas.event import Event, Failure
from tests.detectors.agent_events import event

NOON_S = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""
CELL_S, MINUTE_S, DAY_S = 5.0, 60.0, 86400.0
MONTH_S = 30 * DAY_S
REST_S = 3600.0
"""An alarm within an hour of the last one belongs to it."""
RISES = (0.02, 0.05, 0.2)


def false_alarm(seed: int, allowed: float, per_s: float, threshold_s: float) -> float:
    """Seconds until the e-detector alarms at exactly the allowed rate."""
    draw = np.random.default_rng(seed)
    alarm, at = RateAlarm(at=1.0), 1.0
    while True:
        totals = draw.poisson(per_s * CELL_S, 4096)
        for total, bad in zip(totals.tolist(), draw.binomial(totals, allowed).tolist(), strict=True):
            at += CELL_S
            if total:
                alarm.step(Cell(at, total, bad, at), allowed)
                if alarm.level >= threshold_s:
                    return at


def mean_time(runs: int, console: Console) -> dict[str, float]:
    """Mean seconds to a false alarm at a rate exactly as allowed, over the wanted mean."""
    table = Table("traffic, allowed rate", "wanted mean", "mean", "times")
    found = {}
    for per_s, allowed, threshold_s in ((10.0, 0.01, 3600.0), (1.0, 0.01, 3600.0), (0.2, 0.1, 3600.0)):
        name = f"{per_s:g} a second, {allowed:.0%}"
        seeds = track(range(runs), name, console=console)
        times = [false_alarm(seed, allowed, per_s, threshold_s) for seed in seeds]
        found[name] = float(np.mean(times)) / threshold_s
        table.add_row(name, f"{threshold_s:,.0f} s", f"{np.mean(times):,.0f} s", f"{found[name]:.2f}")
    console.print(table)
    return found


# -- rises ------------------------------------------------------------------------------------------------


def sessions(seed: int, rates: list[tuple[float, float]], per_s: float) -> Iterator[tuple[Event, float]]:
    """Ends of sessions at random times; `rates`: seconds and rate of failures, one after the other."""
    draw = np.random.default_rng(seed)
    well = event(NOON_S, "invoke_agent", "agent.session.v1", conversation={"id": "c", "state": "ended"})
    lost = Failure(type="agent_error", class_="non_retryable")
    at, end, number = NOON_S, NOON_S, 0
    for seconds, rate in rates:
        end += seconds
        while (at := at + draw.exponential(1 / per_s)) < end:
            number += 1
            conversation = msgspec.structs.replace(well.data.conversation, id=f"c{number}")
            error = lost if draw.random() < rate else None
            data = msgspec.structs.replace(well.data, conversation=conversation, error=error)
            yield msgspec.structs.replace(well, id=str(number), time=_moment(at), data=data), at
        at = end


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


class Watched:
    """`error_rate`, asked every five seconds; `told`: onsets of its findings on sessions, and when told."""

    def __init__(self, objective: float) -> None:
        self.detector = ErrorRate(Watch(slo={"sessions": objective}), {})
        self.told: list[tuple[float, float]] = []
        self._grid = 0.0

    def show(self, each: Event, at: float) -> None:
        """The next event."""
        if at >= self._grid:
            for finding in self.detector.findings(at):
                if finding.finding == "sessions" and (not self.told or finding.onset > self.told[-1][0]):
                    self.told.append((finding.onset, at))
            self._grid = at // CELL_S * CELL_S + CELL_S
        self.detector.observe(each, at)


def delay(seed: int, rate: float, before_s: float = 1200.0, most_s: float = 3600.0) -> float:
    """Seconds from a jump of 10 sessions a second from 0.5 % to a rate until `error_rate` tells of it."""
    watched = Watched(0.99)
    for each, at in sessions(seed, [(before_s, 0.005), (most_s, rate)], 10.0):
        watched.show(each, at)
        if watched.told:
            return watched.told[0][1] - NOON_S - before_s
    return float("inf")


def window_delay(seed: int, rate: float, pairs: tuple[Pair, ...]) -> float:
    """The same by burn-rate windows with the guard, after three days at 0.5 %."""
    draw = np.random.default_rng(seed)
    quiet, risen = 4320, 4320
    totals = draw.poisson(600, quiet + risen)
    bad = draw.binomial(totals, np.where(np.arange(quiet + risen) < quiet, 0.005, rate))
    all_bad, all_ = np.concatenate([[0], np.cumsum(bad)]), np.concatenate([[0], np.cumsum(totals)])
    for minute in range(quiet + 1, quiet + risen + 1):
        counts = _counted(all_bad, all_, minute)
        if any(pair in pairs for pair in holding(counts, 0.01)):
            return (minute - quiet) * MINUTE_S
    return float("inf")


def _counted(all_bad: np.ndarray, all_: np.ndarray, minute: int):  # noqa: ANN202 - a function of minutes back
    def counted(back: int) -> tuple[int, int]:
        begin = max(0, minute - back)
        return int(all_bad[minute] - all_bad[begin]), int(all_[minute] - all_[begin])

    return counted


def rises(runs: int, console: Console) -> dict[float, float]:
    """Median seconds from a jump to the finding."""
    table = Table("from 0.5 % to", "`error_rate`", "burn-rate page", "burn-rate ticket")
    table.title = "10 sessions a second, objective 99 %: median delay"
    found = {}
    for rate in RISES:
        seeds = track(range(runs), f"to {rate:.0%}", console=console)
        found[rate] = float(np.median([delay(seed, rate) for seed in seeds]))
        windows = [
            float(np.median([window_delay(seed, rate, pairs) for seed in range(min(runs, 5))]))
            for pairs in (PAGING, (TICKET,))
        ]
        table.add_row(f"{rate:.0%}", *(_span(each) for each in (found[rate], *windows)))
    console.print(table)
    return found


def _span(seconds: float) -> str:
    if seconds == float("inf"):
        return "never"
    return (
        f"{seconds:.0f} s"
        if seconds < 300
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


# -- a month of quiet -------------------------------------------------------------------------------------


def quiet_month(seed: int) -> dict[str, int]:
    """50 sessions an hour for 30 days, 0.05 % of them lost, objective 99.9 %: false alarms by method."""
    watched = Watched(0.999)
    minutes = np.zeros((int(MONTH_S // MINUTE_S), 2), dtype=int)
    for each, at in sessions(seed, [(MONTH_S, 0.0005)], 50 / 3600):
        watched.show(each, at)
        minutes[int((at - NOON_S) // MINUTE_S)] += (each.data.error is not None, 1)
    all_bad, all_ = (np.concatenate([[0], np.cumsum(minutes[:, place])]) for place in (0, 1))
    bare, guarded = [], []
    for minute in (np.flatnonzero(minutes[:, 0])[:, None] + np.arange(1, 6)).ravel():
        counts = _counted(all_bad, all_, int(min(minute, len(minutes))))
        if any(_burning(counts, pair) for pair in PAGING):
            bare.append(float(minute * MINUTE_S))
        if any(pair in PAGING for pair in holding(counts, 0.001)):
            guarded.append(float(minute * MINUTE_S))
    told = [at for _, at in watched.told]
    return {"error_rate": apart(told), "windows": apart(bare), "windows with the guard": apart(guarded)}


def _burning(counts, pair: Pair) -> bool:  # noqa: ANN001 - a function of minutes back
    return all(
        burn_rate(*counts(minutes), 0.001) >= pair.factor
        for minutes in (pair.long_minutes, pair.short_minutes)
    )


def apart(times: list[float]) -> int:
    """How many alarms there are, when those within an hour of the last belong to it."""
    count, last = 0, -REST_S
    for at in sorted(times):
        count += at - last >= REST_S
        last = at
    return count


def quiet(months: int, console: Console) -> dict[str, float]:
    """False alarms a month on low traffic."""
    seen = [quiet_month(seed) for seed in track(range(months), "quiet months", console=console)]
    table = Table("method", "false alarms in 30 days")
    table.title = f"50 sessions an hour, 0.05 % lost, objective 99.9 %, {months} months"
    means = {name: float(np.mean([each[name] for each in seen])) for name in seen[0]}
    for name, mean in means.items():
        table.add_row(name, f"{mean:.2f}")
    console.print(table)
    return means


# -- traffic that wobbles ---------------------------------------------------------------------------------


def levels(draw: np.random.Generator, runs: int, cells: int) -> Iterator[np.ndarray]:
    """By cell, for each run: what its rate of failures is multiplied by, a log AR(1) (sd 0.4, 10 minutes)."""
    keep = np.exp(-CELL_S / 600)
    state = 0.4 * draw.standard_normal(runs)
    for _ in range(cells):
        state = keep * state + 0.4 * np.sqrt(1 - keep**2) * draw.standard_normal(runs)
        yield np.exp(state)


ENOUGH = 1e200
"""Evidence beyond which a sum might overflow."""


class Alarms:
    """The e-detectors of many streams at once, as `RateAlarm` steps them; rates that are allowed by row."""

    def __init__(self, allowed: Sequence[float], runs: int) -> None:
        steps = [_steps(each) for each in allowed]
        self.up = np.array([[up for up, _ in each] for each in steps])[:, None, :]
        self.down = np.array([[down for _, down in each] for each in steps])[:, None, :]
        self.mass = np.zeros((len(allowed), runs, self.up.shape[-1]))
        self.fresh = np.ones((len(allowed), runs), bool)

    def step(self, totals: np.ndarray, bad: np.ndarray) -> np.ndarray:
        """The next cell of each run, with trials in it; returns each level, in seconds."""
        good, bad = (totals - bad)[None, :, None], bad[None, :, None]
        seconds = np.where(self.fresh, 0.0, CELL_S)[:, :, None]
        self.fresh[:] = False
        step = np.exp(np.minimum(STEEPEST, bad * self.up + good * self.down))
        one = np.exp(self.down)
        faded = self.mass * step + seconds / good.clip(1) * one * (1 - step) / (1 - one)
        self.mass = np.minimum(np.where(bad > 0, (self.mass + seconds) * step, faded), ENOUGH)
        return self.mass.mean(axis=2)

    def reset(self, over: np.ndarray) -> None:
        """Those that alarmed begin anew."""
        self.mass[over] = 0.0
        self.fresh |= over


ALLOWED = (0.01, 0.015, 0.02)
"""`error_rate` learns that rate; the middle one is what it learns of this traffic."""


def wobble(months: int, console: Console) -> dict[float, list[int]]:
    """Incidents in 30 days of the e-detector alone, by the rate it allows."""
    draw = np.random.default_rng(1)
    alarms, cells = Alarms(ALLOWED, months), int(MONTH_S // CELL_S)
    times: list[list[list[float]]] = [[[] for _ in range(months)] for _ in ALLOWED]
    coming = enumerate(levels(draw, months, cells))
    for place, level in track(coming, "months that wobble", total=cells, console=console):
        at = place * CELL_S
        totals = draw.poisson(10 * CELL_S * (1 + 0.3 * np.sin(2 * np.pi * at / DAY_S)), months)
        over = alarms.step(totals, draw.binomial(totals, np.minimum(1.0, 0.005 * level))) >= MONTH_S
        if over.any():
            alarms.reset(over)
            for row, run in zip(*np.nonzero(over), strict=True):
                times[row][run].append(at)
    table = Table("allowed rate", "incidents in 30 days [95 %]", "months without", "most")
    table.title = (
        f"Wobbling traffic, 10 a second, base 0.5 %, the e-detector alone, c = 30 days, {months} months"
    )
    found = {}
    for allowed, runs in zip(ALLOWED, times, strict=True):
        counts = found[allowed] = [apart(each) for each in runs]
        mean, error = float(np.mean(counts)), 1.96 * float(np.std(counts)) / months**0.5
        free = sum(count == 0 for count in counts)
        table.add_row(f"{allowed:.1%}", f"{mean:.2f} ± {error:.2f}", f"{free} of {months}", str(max(counts)))
    console.print(table)
    return found


def wobbling_rises(runs: int, console: Console) -> dict[float, float]:
    """How soon a rise is found in wobbling traffic after a day of it, by the rate that is allowed."""
    table = Table("failures", *(f"allowed {each:.1%}: median [90 %], found in a day" for each in ALLOWED))
    table.title = f"A rise in wobbling traffic, the e-detector alone, c = 30 days, {runs} runs"
    before, after = int(6 * 3600 / CELL_S), int(DAY_S // CELL_S)
    found = {}
    for rate in (0.02, 0.03, 0.05, 0.2):
        draw = np.random.default_rng(2)
        alarms, first = Alarms(ALLOWED, runs), np.full((len(ALLOWED), runs), np.inf)
        coming = enumerate(levels(draw, runs, before + after))
        for place, level in track(coming, f"rises to {rate:.0%}", total=before + after, console=console):
            totals = draw.poisson(10 * CELL_S, runs)
            bad = draw.binomial(totals, np.minimum(1.0, (0.005 if place < before else rate) * level))
            over = alarms.step(totals, bad) >= MONTH_S
            if place < before:
                alarms.reset(over)
                continue
            first = np.where(over, np.minimum(first, (place + 1 - before) * CELL_S), first)
            if np.isfinite(first).all():
                break
        cells = [
            f"{_span(np.median(row))} [{_span(np.quantile(row, 0.9, method='higher'))}], "
            f"{np.isfinite(row).mean():.0%}"
            for row in first
        ]
        table.add_row(f"{rate:.0%}", *cells)
        found[rate] = float(np.median(first[1]))
    console.print(table)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few runs of everything")
    parts = ("mean", "rises", "quiet", "wobble")
    parser.add_argument("--only", choices=parts, help="one part")
    parser.add_argument("--runs", type=int, help="runs a row")
    parser.add_argument("--months", type=int, help="months of quiet or wobbling traffic")
    asked = parser.parse_args()
    console = Console()
    wanted = [asked.only] if asked.only else parts
    if "mean" in wanted:
        mean_time(asked.runs or (40 if asked.quick else 300), console)
    if "rises" in wanted:
        rises(asked.runs or (5 if asked.quick else 21), console)
    if "quiet" in wanted:
        quiet(asked.months or (3 if asked.quick else 40), console)
    if "wobble" in wanted and not asked.quick:
        wobble(asked.months or 100, console)
        wobbling_rises(asked.runs or 200, console)


if __name__ == "__main__":
    main()
