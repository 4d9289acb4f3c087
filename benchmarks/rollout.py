"""Canary against control: false rollbacks, sessions to detection, intervals, faults of recording, speed.

    python benchmarks/rollout.py                  all of it: about three quarters of an hour on one core
    python benchmarks/rollout.py --quick          the part that continuous integration runs, under a minute
    python benchmarks/rollout.py --only detection

All data is simulated, with fixed seeds. Beside it stands the z-test that is looked at every 100 sessions.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import log, sqrt
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.rollout import Comparison
from detectors.rollouts.met import Met

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHUNK = 1000
STRATA = ("a", "b", "c", "d")
RAMP = (0.01, 0.05, 0.2, 0.5)


@dataclass(frozen=True)
class Drawn:
    """Sessions: labels, strata, values by metric; `step`: the share (by stratum) that begins with them."""

    canary: np.ndarray
    stratum: np.ndarray
    values: dict[str, np.ndarray]
    step: float | dict[str, float] | None = None


Draw = Callable[[np.random.Generator, int], Iterator[Drawn]]


@dataclass(frozen=True)
class Setting:
    """A canary that equals control (`harmless`) or does not, and what is compared."""

    name: str
    metrics: dict[str, str]
    share: float | dict[str, float] | None
    draw: Draw


@dataclass
class Seen:
    """What became of one run."""

    state: str = "hold"
    sessions: int = 0
    canaries: int = 0
    evidence: float = 0.0


def follow(setting: Setting, seed: int, most: int) -> Seen:
    """Shows a run to a comparison until it is rolled back, found invalid, or over."""
    compared = Comparison(setting.metrics, setting.share)
    seen = Seen()
    for drawn in setting.draw(np.random.default_rng(seed), most):
        if drawn.step is not None:
            compared.step(drawn.step)
        arms = np.where(drawn.canary, "canary", "control").tolist()
        strata = [STRATA[each] for each in drawn.stratum.tolist()]
        columns = {name: column.tolist() for name, column in drawn.values.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for arm, stratum, values in zip(arms, strata, rows, strict=True):
            verdict = compared.observe(NOON, arm, stratum, values)
            seen.sessions += 1
            seen.canaries += arm == "canary"
            seen.evidence = max(seen.evidence, verdict.evidence)
            if verdict.state in {"roll_back", "invalid"}:
                seen.state = verdict.state
                return seen
    seen.state = verdict.state
    return seen


def peeked(setting: Setting, seed: int, most: int) -> tuple[bool, bool]:
    """Whether a z-test of the first metric's raw means, seen every 100 sessions, ever fires (1 %, 5 %)."""
    drawn = list(setting.draw(np.random.default_rng(seed), most))
    canary = np.concatenate([each.canary for each in drawn])
    values = np.concatenate([next(iter(each.values.values())) for each in drawn])
    ends = np.arange(99, len(values), 100)
    sums = [(np.cumsum(arm)[ends], np.cumsum(values * arm)[ends], np.cumsum(values**2 * arm)[ends])
            for arm in (canary, ~canary)]  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [total / count for count, total, _ in sums]
        errors = [(squares / count - (total / count) ** 2) / count for count, total, squares in sums]
        scores = (means[0] - means[1]) / np.sqrt(errors[0] + errors[1])
    enough = (sums[0][0] >= 5) & np.isfinite(scores)
    top = scores[enough].max(initial=0.0)
    return bool(top >= 2.326), bool(top >= 1.645)


# -- worlds -----------------------------------------------------------------------------------------------


def mixed(
    draw: np.random.Generator,
    most: int,
    *,
    shares: Sequence[float] = (0.05,),
    by_stratum: Sequence[float] | None = None,
    hard: float = 0.0,
    bad: float = 0.02,
    worse: float | None = None,
    dearer: float = 1.0,
    sigma: float = 1.0,
    drift: float = 1.0,
    only: Sequence[str] = ("error",),
    declared: bool = True,
) -> Iterator[Drawn]:
    """Sessions in four strata, the last of them hard where `hard` > 0 (errors 8 % for 1 %, cost threefold).

    `shares`: the steps of a ramp, equally long. `by_stratum`: factors on the share. `drift`: the errors'
    factor at the end. `worse`: the canary's rate of errors, `dearer`: the factor on its cost.
    """
    weights = np.array((1 - hard,) * 3 + (3 * hard,)) if hard else np.ones(4)
    factors = np.ones(4) if by_stratum is None else np.array(by_stratum)
    step, done = -1, 0
    while done < most:
        count = min(CHUNK, most - done)
        now = min(len(shares) - 1, done * len(shares) // most)
        stratum = draw.choice(4, count, p=weights / weights.sum())
        canary = draw.random(count) < np.minimum(shares[now] * factors[stratum], 1.0)
        is_hard = (stratum == 3) & (hard > 0)
        rate = np.where(is_hard, 0.08, 0.01) if hard else np.full(count, bad)
        rate = rate * (1 + (drift - 1) * (done + np.arange(count)) / most)
        if worse is not None:
            rate = np.where(canary, worse, rate)
        values: dict[str, np.ndarray] = {}
        for name in only:
            if name.startswith("cost"):
                level = np.where(is_hard, log(3), 0.0) + np.where(canary, log(dearer), 0.0)
                values[name] = np.exp(sigma * draw.standard_normal(count) + level)
            else:
                values[name] = (draw.random(count) < rate).astype(float)
        begins = now != step and len(shares) > 1
        told = {each: float(shares[now] * factors[at]) for at, each in enumerate(STRATA)}
        yield Drawn(canary, stratum, values, told if begins and declared else None)
        step, done = now, done + count


def world(name: str, share: float | dict[str, float] | None, **knobs: object) -> Setting:
    """A setting in the mixed world."""
    only = tuple(knobs.setdefault("only", ("error",)))
    metrics = {each: "positive" if each.startswith("cost") else "binary" for each in only}
    return Setting(name, metrics, share, partial(mixed, **knobs))


SHIFTED = (0.8, 0.8, 0.8, 2.0)
"""At 5 %: the canary gets 4 % of the easy sessions and 10 % of the hard ones."""
TOLD = {name: 0.05 * factor for name, factor in zip(STRATA, SHIFTED, strict=True)}
SIX = ("error", "error2", "error3", "cost", "cost2", "cost3")
NULL = (
    world("errors 2 %, share 5 %", 0.05),
    world("errors 2 %, ramp 1-5-20-50 %", 0.01, shares=RAMP),
    world("errors 0.3 %, share 1 %", 0.01, shares=(0.01,), bad=0.003),
    world("cost, share 5 %", 0.05, only=("cost",)),
    world("cost, ramp", 0.01, shares=RAMP, only=("cost",)),
    world("cost, sigma 2, share 1 %", 0.01, shares=(0.01,), only=("cost",), sigma=2.0),
    world("errors, 4 % easy / 10 % hard", TOLD, hard=0.2, by_stratum=SHIFTED),
    world("errors, the same, not declared", 0.05, hard=0.2, by_stratum=SHIFTED),
    world("cost, 4 % easy / 10 % hard", TOLD, hard=0.2, by_stratum=SHIFTED, only=("cost",)),
    world("errors, ramp, hard ahead", TOLD, hard=0.2, shares=RAMP, by_stratum=(0.8, 0.8, 0.8, 1.8)),
    world("errors, ramp, base doubles", 0.01, shares=RAMP, drift=2.0),
    world("six metrics, ramp", 0.01, shares=RAMP, only=SIX),
)


def null(
    runs: int, most: int, console: Console, settings: Sequence[Setting] = NULL
) -> list[tuple[str, int, int]]:
    """Canaries that equal control: how many are rolled back, ever. Returns name, counts at 1 % and 5 %."""
    table = Table("canary = control", "at 1 %", "at 5 %", "z, peeking 1 %", "5 %", "invalid", "promoted")
    table.title = f"False rollbacks, % of {runs} runs of {most:,} sessions"
    found = []
    for setting in settings:
        runs_ = [follow(setting, seed, most) for seed in track(range(runs), setting.name, console=console)]
        looks = [peeked(setting, seed, most) for seed in range(runs)]
        one, five = (sum(each.evidence >= level for each in runs_) for level in (100, 20))
        found.append((setting.name, one, five))
        states = [sum(each.state == state for each in runs_) for state in ("invalid", "promote")]
        counts = [one, five, *(sum(look[place] for look in looks) for place in (0, 1)), *states]
        table.add_row(setting.name, *(f"{100 * count / runs:.2f}" for count in counts))
    console.print(table)
    return found


# -- detection --------------------------------------------------------------------------------------------


def bound(share: float, *, rates: tuple[float, float] | None = None, dearer: float = 1.0) -> float:
    """ln(100) / JS: mean sessions that a test needs which knows both arms and the share. Sigma of cost: 1."""
    if rates is not None:
        pairs = np.array([(1 - rates[0], 1 - rates[1]), rates])
        control, canary, width = pairs[:, 0], pairs[:, 1], 1.0
    else:
        grid, width = np.linspace(-12, 14, 100_001, retstep=True)
        control, canary = (np.exp(-((grid - mean) ** 2) / 2) / sqrt(2 * np.pi) for mean in (0.0, log(dearer)))
    middle = share * canary + (1 - share) * control
    parts = [
        weight * float(np.sum(arm * np.log(np.maximum(arm, 1e-300) / np.maximum(middle, 1e-300))) * width)
        for weight, arm in ((share, canary), (1 - share, control))
    ]
    return log(100) / sum(parts)


def harm(name: str, share: float, only: Sequence[str] = ("error",), **knobs: float) -> tuple[Setting, float]:
    """A setting where the canary is worse, and its bound."""
    setting = world(name, share, shares=(share,), only=only, **knobs)
    rates = (0.02, knobs["worse"]) if "worse" in knobs else None
    return setting, bound(share, rates=rates, dearer=knobs.get("dearer", 1.0))


HARM = (
    (*harm("1 %, errors 2 to 4 %", 0.01, worse=0.04), 1.6),
    (*harm("1 %, cost +20 %", 0.01, ("cost",), dearer=1.2), 1.6),
    (*harm("5 %, errors 2 to 3 %", 0.05, worse=0.03), 1.6),
    (*harm("5 %, errors 2 to 4 %", 0.05, worse=0.04), 1.6),
    (*harm("5 %, cost +10 %", 0.05, ("cost",), dearer=1.1), 1.6),
    (*harm("5 %, cost +20 %", 0.05, ("cost",), dearer=1.2), 1.6),
    (*harm("20 %, errors 2 to 4 %", 0.2, worse=0.04), 1.6),
    (*harm("20 %, cost +20 %", 0.2, ("cost",), dearer=1.2), 1.6),
)
CATASTROPHE = harm("1 %, errors 2 to 30 %", 0.01, worse=0.3)[0]


def one_of_six(share: float, **knobs: float) -> Setting:
    """Six metrics of which only the first differs."""
    first = "cost" if "dearer" in knobs else "error"
    others = [each for each in SIX if each != first]

    def draw(generator: np.random.Generator, most: int) -> Iterator[Drawn]:
        same = mixed(np.random.default_rng(generator.integers(2**31)), most, shares=(share,), only=others)
        for told, rest in zip(
            mixed(generator, most, shares=(share,), only=(first,), **knobs), same, strict=True
        ):
            yield Drawn(told.canary, told.stratum, {**told.values, **rest.values})

    metrics = {each: "positive" if each.startswith("cost") else "binary" for each in (first, *others)}
    return Setting(f"{share:.0%}, six metrics, one worse", metrics, share, draw)


HARM_OF_SIX = (
    (one_of_six(0.05, worse=0.04), bound(0.05, rates=(0.02, 0.04)), 2.1),
    (one_of_six(0.2, dearer=1.2), bound(0.2, dearer=1.2), 2.1),
)


def detection(runs: int, console: Console, rows: Sequence[tuple[Setting, float, float]]) -> list[float]:
    """Mean sessions to a rollback over the bound, a row a setting."""
    table = Table("share, harm", "bound", "mean", "p90", "canaries", "times the bound", "target", "found")
    table.title = f"Sessions to rollback, alpha 1 %, {runs} runs"
    ratios = []
    for setting, lowest, target in rows:
        most = int(20 * lowest)
        seen = [follow(setting, seed, most) for seed in track(range(runs), setting.name, console=console)]
        counts = [each.sessions for each in seen]
        ratios.append(float(np.mean(counts)) / lowest)
        table.add_row(
            setting.name, f"{lowest:,.0f}", f"{np.mean(counts):,.0f}", f"{np.quantile(counts, 0.9):,.0f}",
            f"{np.mean([each.canaries for each in seen]):,.0f}",
            f"[{'green' if ratios[-1] <= target else 'red'}]{ratios[-1]:.2f}", f"{target}",
            f"{sum(each.state == 'roll_back' for each in seen)}/{runs}",
        )  # fmt: skip
    console.print(table)
    return ratios


def catastrophe(runs: int, console: Console) -> float:
    """Mean canary sessions until errors of 30 % instead of 2 % are rolled back."""
    seen = [follow(CATASTROPHE, seed, 40_000) for seed in range(runs)]
    mean = float(np.mean([each.canaries for each in seen]))
    console.print(f"Errors 2 to 30 % at a share of 1 %: {mean:.1f} canary sessions on average (target 25)")
    return mean


# -- intervals, promotion, recording ----------------------------------------------------------------------

AMOUNTS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "lognormal": lambda draw, count: draw.lognormal(size=count),
    "exponential": lambda draw, count: draw.exponential(size=count),
    "gamma 0.3": lambda draw, count: draw.gamma(0.3, size=count),
    "log t3": lambda draw, count: np.exp(np.clip(draw.standard_t(3, count), -50, 50)),
}


def covered(compared: Comparison, seen: Sequence[tuple[str, float]], truth: float) -> bool:
    """Whether the interval held the truth at every look: after each block."""
    [metric] = compared.effects
    before = -1
    for arm, value in seen:
        compared.observe(NOON, arm, "", {metric: value})
        if compared.verdict.canaries != before:
            before = compared.verdict.canaries
            effect = compared.effects[metric]
            if not effect.low <= truth <= effect.high:
                return False
    return True


def coverage(runs: int, most: int, console: Console) -> dict[str, float]:
    """Share of runs in which the interval held the truth all along."""
    table = Table("distribution", "effect", "held throughout, %", "nominal")
    found = {}
    for name, amounts in AMOUNTS.items():
        for ratio in (1.0, 1.3, 2.0):
            held = 0
            for seed in track(range(runs), f"{name} x{ratio}", console=console):
                draw = np.random.default_rng(seed)
                canary = draw.random(most) < 0.3
                values = amounts(draw, most) * np.where(canary, ratio, 1.0)
                arms = np.where(canary, "canary", "control").tolist()
                seen = list(zip(arms, values.tolist(), strict=True))
                held += covered(Comparison({"cost": "positive"}, 0.3), seen, ratio)
            found[f"{name} x{ratio}"] = held / runs
            table.add_row(name, f"x{ratio}", f"{100 * held / runs:.1f}", "95")
    for rate in (0.1, 0.2):
        odds = rate / (1 - rate) / (0.1 / 0.9)
        held = 0
        for seed in range(runs):
            draw = np.random.default_rng(seed)
            canary = draw.random(most) < 0.3
            values = (draw.random(most) < np.where(canary, rate, 0.1)).astype(float)
            arms = np.where(canary, "canary", "control").tolist()
            seen = list(zip(arms, values.tolist(), strict=True))
            held += covered(Comparison({"error": "binary"}, 0.3), seen, odds)
        found[f"odds ratio {odds:.2f}"] = held / runs
        table.add_row("binary", f"odds x{odds:.2f}", f"{100 * held / runs:.1f}", "95")
    console.print(table)
    return found


def promotion(runs: int, console: Console) -> list[float]:
    """Canaries exactly at their margin that are promoted (wrongly), and sessions until equal ones are."""
    table = Table("promotion", "promoted", "mean sessions")
    shares = []
    at_margin = 1.5 * 0.02 / 0.98
    for name, worse, dearer, only in (
        ("errors at the margin (odds x1.5)", at_margin / (1 + at_margin), 1.0, ("error",)),
        ("cost at the margin (+10 %)", None, 1.1, ("cost",)),
        ("errors equal, share 50 %", None, 1.0, ("error",)),
        ("cost equal, share 50 %", None, 1.0, ("cost",)),
    ):
        setting = world(name, 0.5, shares=(0.5,), only=only, worse=worse, dearer=dearer)
        most = 40_000
        done = [_promoted(setting, seed, most) for seed in track(range(runs), name, console=console)]
        when = [each for each in done if each is not None]
        shares.append(len(when) / runs)
        table.add_row(name, f"{100 * len(when) / runs:.1f} %", f"{np.mean(when):,.0f}" if when else "-")
    console.print(table)
    return shares


def _promoted(setting: Setting, seed: int, most: int) -> int | None:
    compared, sessions = Comparison(setting.metrics, setting.share), 0
    for drawn in setting.draw(np.random.default_rng(seed), most):
        [(name, column)] = drawn.values.items()
        for canary, stratum, value in zip(drawn.canary, drawn.stratum, column.tolist(), strict=True):
            sessions += 1
            arm = "canary" if canary else "control"
            if compared.observe(NOON, arm, STRATA[stratum], {name: value}).state != "hold":
                return sessions if compared.verdict.state == "promote" else None
    return None


def recording(runs: int, console: Console) -> dict[str, float]:
    """Sessions until faults of recording make it invalid, at a share of 5 %."""
    table = Table("fault", "mean sessions", "median", "found")
    found = {}
    for name, lost, lacking, most in (
        ("5 % of canary records lack a field", 0.0, 0.05, 20_000),
        ("20 % of canary arrivals lost", 0.2, 0.0, 40_000),
        ("none", 0.0, 0.0, 20_000),
    ):
        counts = []
        for seed in track(range(runs), name, console=console):
            draw, compared = np.random.default_rng(seed), Comparison({"error": "binary"}, 0.05)
            for at in range(most):
                canary = draw.random() < 0.05
                if canary and draw.random() < lost:
                    continue
                lacks = ("cost",) if canary and draw.random() < lacking else ()
                arm, bad = "canary" if canary else "control", float(draw.random() < 0.02)
                if compared.observe(NOON, arm, "", {"error": bad}, lacking=lacks).state == "invalid":
                    counts.append(at)
                    break
        found[name] = float(np.mean(counts)) if counts else 0.0
        middle = f"{np.median(counts):,.0f}" if counts else "-"
        table.add_row(name, f"{found[name]:,.0f}" if counts else "-", middle, f"{len(counts)}/{runs}")
    console.print(table)
    return found


def sticky(runs: int, console: Console, users: int = 1000, each: int = 20) -> dict[str, tuple[int, int]]:
    """A router that sticks to users whose sessions are alike (cost, sd 0.7 between users and within).

    Canaries equal control; at a share of 20 %. Rolled back at 1 % and at 5 %: all sessions, and of each user
    the first, as `unit: user` has it.
    """
    table = Table(
        "unit", "rolled back at 1 %", "at 5 %", title=f"Sticky users, {runs} runs of {users * each:,}"
    )
    found = {"session": (0, 0), "user": (0, 0)}
    for seed in track(range(runs), "sticky users", console=console):
        draw = np.random.default_rng(seed)
        canaries, levels = draw.random(users) < 0.2, draw.normal(0.0, 0.7, users)
        who = draw.integers(users, size=users * each)
        costs = np.exp(levels[who] + draw.normal(0.0, 0.7, len(who)))
        highest = dict.fromkeys(found, 0.0)
        compared = {unit: Comparison({"cost": "positive"}, 0.2) for unit in found}
        met = Met()
        for user, cost in zip(who.tolist(), costs.tolist(), strict=True):
            arm = "canary" if canaries[user] else "control"
            units = ("session", "user") if met.meets(str(user)) else ("session",)
            for unit in units:
                verdict = compared[unit].observe(NOON, arm, "", {"cost": cost})
                highest[unit] = max(highest[unit], verdict.evidence)
        found = {
            unit: (one + (highest[unit] >= 100), five + (highest[unit] >= 20))
            for unit, (one, five) in found.items()
        }
    for unit, counts in found.items():
        table.add_row(unit, *(f"{100 * count / runs:.1f} %" for count in counts))
    console.print(table)
    return found


def speed(console: Console, most: int = 20_000) -> list[float]:
    """Processor time a session and score, in microseconds; a positive metric has three scores."""
    table = Table("metrics", "share", "us a session", "us a session and score", "bytes of state")
    costs = []
    for only in (("error",), ("cost",), SIX):
        for share in (0.01, 0.05, 0.5):
            setting = world("speed", share, shares=(share,), only=only)
            compared = Comparison(setting.metrics, share)
            drawn = list(setting.draw(np.random.default_rng(1), most))
            shown = [
                ("canary" if canary else "control", STRATA[stratum], dict(zip(only, row, strict=True)))
                for each in drawn
                for canary, stratum, *row in zip(
                    each.canary.tolist(), each.stratum.tolist(), *(v.tolist() for v in each.values.values()),
                    strict=True,
                )
            ]  # fmt: skip
            began = time.process_time()
            for arm, stratum, values in shown:
                compared.observe(NOON, arm, stratum, values)
            spent = (time.process_time() - began) / most * 1e6
            scores = sum(3 if each.startswith("cost") else 1 for each in only)
            costs.append(spent / scores)
            row = (f"{spent:.1f}", f"{spent / scores:.1f}", f"{len(compared.save()):,}")
            table.add_row(", ".join(only) if len(only) == 1 else "six", f"{share:.0%}", *row)
    console.print(table)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few runs of everything")
    parts = ("null", "detection", "coverage", "promotion", "recording", "sticky", "speed")
    parser.add_argument("--only", choices=parts, help="one part")
    parser.add_argument("--runs", type=int, help="runs a setting")
    asked = parser.parse_args()
    console = Console()
    runs = asked.runs or (20 if asked.quick else 300)
    wanted = [asked.only] if asked.only else parts
    most = 4000 if asked.quick else 10_000
    if "null" in wanted:
        null(runs, most, console)
    if "detection" in wanted:
        detection(max(10, runs // 3), console, (*HARM, *HARM_OF_SIX)[:: 3 if asked.quick else 1])
        catastrophe(runs, console)
    if "coverage" in wanted:
        coverage(runs, 2000, console)
    if "promotion" in wanted:
        promotion(max(5, runs // 3), console)
    if "recording" in wanted:
        recording(max(10, runs // 3), console)
    if "sticky" in wanted:
        sticky(max(10, runs // 3), console)
    if "speed" in wanted:
        speed(console)


if __name__ == "__main__":
    main()
