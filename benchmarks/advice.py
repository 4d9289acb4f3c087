"""What an agent pays to ask whether it may call: `Decisions.may_call`, with few and many circuits open.

    python benchmarks/advice.py             seven rounds of 200,000 questions
    python benchmarks/advice.py --quick     two rounds of 20,000

CPU time by question, a loop that asks nothing taken off. Each round asks all tables, one after the other.
Half of the questions are about a circuit that is open, half about one of which nothing is said. The aim is
below 50 µs.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from agent_oversight.decisions import Decision, Decisions

OPEN = (0, 10, 1000)
AIM_US = 50.0


def table_of(circuits: int) -> Decisions:
    """What an agent holds that was told of so many open circuits."""
    table = Decisions({"agent": "refund-agent", "env": "prod"}, most=max(OPEN))
    for number in range(circuits):
        subject = {"agent": "refund-agent", "env": "prod", "tool": f"tool-{number}"}
        table.take(
            Decision(
                time=datetime.fromtimestamp(0, UTC),
                action="open_circuit",
                subject=subject,
                incident=f"inc-{number}",
                until=datetime.fromtimestamp(3600, UTC),
                automatic=True,
            )
        )
    return table


def spent(ask: Callable[[str], object], names: Sequence[str]) -> float:
    """Microseconds of CPU time by name."""
    began = time.process_time()
    for name in names:
        ask(name)
    return (time.process_time() - began) / len(names) * 1e6


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rounds, asked = (2, 20_000) if quick else (7, 200_000)
    tables = {circuits: table_of(circuits) for circuits in OPEN}
    found: dict[int, list[float]] = {circuits: [] for circuits in OPEN}
    for _ in range(rounds):
        for circuits, table in tables.items():
            names = [
                f"tool-{number % max(1, circuits)}" if number % 2 else f"other-{number % 97}"
                for number in range(asked)
            ]
            idle = spent(str.__len__, names)
            found[circuits].append(spent(lambda name, held=table: held.may_call(name, 1.0), names) - idle)
    shown = Table("open circuits", "µs a question", title="May the agent call?")
    for circuits, taken in found.items():
        middle = statistics.median(taken)
        style = "green" if middle < AIM_US else "red"
        shown.add_row(f"{circuits:,}", f"[{style}]{middle:.2f}[/] [{min(taken):.2f}-{max(taken):.2f}]")
    Console().print(shown)


if __name__ == "__main__":
    main()
