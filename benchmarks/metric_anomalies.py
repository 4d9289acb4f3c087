"""Metric anomalies before three judges: the Numenta benchmark, operators' labels, and the product's rule.

    python benchmarks/metric_anomalies.py            everything, about two minutes
    python benchmarks/metric_anomalies.py --quick    some series and seeds, ten seconds

Reads ../shared/data (nab.tar.gz, cloud_monitoring.tar.gz) and ../shared/bench/score_nab.py beside the
checkout. One configuration, one threshold: `MetricAnomaly.threshold`; the curve shows its neighbours.
"""

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.metric_judges import CASES, Numenta, Operators, repeats
from detectors.metric import MetricAnomaly

SHARED = ROOT.parent / "shared"
CURVE = (0.025, 0.03, 0.035, 0.0375, 0.04, 0.0425, 0.045, 0.05, 0.06)
NUMENTA_TARGET, F1_TARGET, RULE_TARGET = 70.0, 0.65, 0.9


def verdict(value: float, target: float, digits: int) -> str:
    """A figure in green where it reaches its target, in red where it does not."""
    colour = "green" if value >= target else "red"
    return f"[{colour}]{value:.{digits}f}[/{colour}]"


def curves(numenta: Numenta, operators: Operators, scores: tuple) -> Table:
    """What each threshold is worth before both judges."""
    table = Table(
        "threshold", "NAB standard", "low FP", "low FN", "windows", "false rows", "F1", "found", "false"
    )
    for threshold in CURVE:
        profiles = numenta.verdict(scores[0], threshold)
        standard, labels = profiles["standard"], operators.verdict(scores[1], threshold)
        shipped = threshold == MetricAnomaly.threshold
        table.add_row(
            f"[bold]{threshold} (shipped)[/bold]" if shipped else f"{threshold}",
            verdict(standard["score"], NUMENTA_TARGET, 1),
            f"{profiles['reward_low_FP_rate']['score']:.1f}",
            f"{profiles['reward_low_FN_rate']['score']:.1f}",
            f"{standard['tp_windows']}/{standard['tp_windows'] + standard['missed']}",
            f"{standard['fp_rows']}",
            verdict(labels.f1, F1_TARGET, 3),
            f"{labels.found}/{labels.segments}",
            f"{labels.false}",
        )
    return table


def split(numenta: Numenta, operators: Operators, scores: tuple) -> Table:
    """By category and family, at the shipped threshold."""
    table = Table("category", "windows or segments", "result")
    standard = numenta.verdict(scores[0], MetricAnomaly.threshold)["standard"]
    for name, each in standard["per_category"].items():
        false = f"{abs(each['raw']) / 0.11:.0f} false rows"
        result = f"NAB {each['score']:.1f}" if each["windows"] else false
        table.add_row(name, f"{each['windows']}", result)
    for family in operators.families:
        each = operators.verdict(scores[1], MetricAnomaly.threshold, family)
        table.add_row(
            family, f"{each.segments}", f"F1 {each.f1:.2f} ({each.found} found, {each.false} false)"
        )
    return table


def rule(seeds: range, progress: Progress) -> Table:
    """The same incident on three days."""
    table = Table("series", "found each time", "at most one false alarm", "false alarms in ten days")
    task = progress.add_task("the product's rule", total=len(CASES))
    for name, case in CASES.items():
        each = repeats(MetricAnomaly, case, seeds, MetricAnomaly.threshold)
        progress.advance(task)
        found, quiet = verdict(each.found, RULE_TARGET, 2), verdict(each.quiet, RULE_TARGET, 2)
        table.add_row(name, found, quiet, f"{each.false:.2f}")
    return table


def main() -> None:
    """Three tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="every sixth series, two families, twenty seeds")
    quick = parser.parse_args().quick
    console = Console()
    numenta = Numenta(SHARED / "data/nab.tar.gz", SHARED / "bench/score_nab.py", 6 if quick else 1)
    families = ("application-crash-rate-1", "consumer-purchase-rate") if quick else ()
    operators = Operators(SHARED / "data/cloud_monitoring.tar.gz", families)
    began = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        rows = numenta.rows + operators.rows
        task = progress.add_task("rows", total=rows)
        scores = tuple(
            judge.scores(MetricAnomaly, lambda count: progress.advance(task, count))
            for judge in (numenta, operators)
        )
        spent = time.perf_counter() - began
        repeated = rule(range(20) if quick else range(100), progress)
    console.print(curves(numenta, operators, scores), split(numenta, operators, scores), repeated)
    console.print(f"{rows:,} rows, {1e6 * spent / rows:.0f} µs each ({timedelta(seconds=round(spent))})")


if __name__ == "__main__":
    main()
