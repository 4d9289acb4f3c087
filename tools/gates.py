"""Runs every gate of the house, goes on after one that fails, and ends with a table of what came out.

`gates.py` runs all, `gates.py lint types` some. Exit code 1 when any failed.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTEST = ("pytest", "--color=yes") if sys.stdout.isatty() else ("pytest",)
CONTRACT = (*PYTEST, "tests/contract", "-p", "no:cacheprovider")
PACKAGES = ("schemas", "bridge", "detectors", "routing", "streams", "sdk/src")
COVERED = ("--cov", "--cov-branch", "--cov-report=")
# Laws of one detector share what they work out, and tests stay in the order in which they were collected.
TWO = ("-n2", "--dist=loadgroup", "--no-loadscope-reorder")
SKIPPED = re.compile(r"\d+ skipped")
CORE = "schemas/*,bridge/*,detectors/*,routing/*"


@dataclass(frozen=True)
class Gate:
    """One command that must end with 0. `says`: what it holds. `beside`: it runs beside its neighbours."""

    name: str
    says: str
    command: tuple[str, ...]
    beside: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a gate ended. `closing`: the last line it printed."""

    gate: Gate
    code: int
    took_s: float
    closing: str

    @property
    def mark(self) -> str:
        """What the table shows, in colour."""
        if self.code:
            return "\033[31mfailed\033[0m"
        if SKIPPED.search(self.closing) and " passed" not in self.closing:
            return "\033[33mNOT RUN\033[0m"
        return "\033[32mpassed\033[0m"


def coverage(include: str, least: int) -> tuple[str, ...]:
    """The report over some files; it fails below `least` percent of lines and branches."""
    shown = ("--show-missing", "--skip-covered", "--precision=1")
    return ("coverage", "report", f"--include={include}", f"--fail-under={least}", *shown)


GATES = (
    Gate("lint", "ruff, every rule", ("ruff", "check", ".")),
    Gate("format", "ruff format", ("ruff", "format", "--check", ".")),
    Gate("types", "mypy strict", ("mypy",)),
    Gate("imports", "imports point down, the core is pure", ("lint-imports",)),
    Gate("audit", "no known vulnerability in what the locks name", ("python", "tools/audit.py")),
    Gate(
        "unit",
        "unit, property and simulation tests, doctests",
        (*PYTEST, "tests", *PACKAGES, "--ignore=tests/contract", "--doctest-modules", *TWO, *COVERED),
    ),
    Gate("core", "schemas, bridge, detectors and routing: all branches covered", coverage(CORE, 100)),
    Gate("sdk", "the agents' own distribution: all branches covered", coverage("sdk/src/*", 100)),
    Gate("streams", "streams: 90 % covered", coverage("streams/*", 90)),
    # Brokers and workers mostly wait for each other: two cores bear both suites.
    Gate("tansu", "contract suite on the embedded broker", (*CONTRACT, "--broker=tansu"), beside=True),
    Gate("kafka", "contract suite on Apache Kafka", (*CONTRACT, "--broker=kafka"), beside=True),
)


def run(gate: Gate) -> Outcome:
    """Runs one gate, its output passing through line by line; of one that has neighbours with its name."""
    print(f"\n\033[1m── {gate.name}: {gate.says}\033[0m", flush=True)
    margin = f"{gate.name:<6}│ " if gate.beside else ""
    began = time.monotonic()
    closing = ""
    with subprocess.Popen(
        gate.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(f"{margin}{line}", end="", flush=True)
            closing = line.strip() or closing
    return Outcome(gate, process.returncode, time.monotonic() - began, closing)


def run_all(gates: Sequence[Gate]) -> list[Outcome]:
    """Runs gates in order, neighbours that may run beside each other at once."""
    outcomes: list[Outcome] = []
    for beside, some in groupby(gates, key=lambda gate: gate.beside):
        with ThreadPoolExecutor(max_workers=2 if beside else 1) as pool:
            outcomes += pool.map(run, some)
    return outcomes


def main() -> int:
    """Runs the gates that are named, or all."""
    asked = sys.argv[1:]
    known = {gate.name: gate for gate in GATES}
    if unknown := [name for name in asked if name not in known]:
        print(f"no gate {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    # Hundreds of processes are started, and each would compile the product anew: 0.3 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outcomes = run_all([known[name] for name in asked or known])
    print("\n\033[1m── summary\033[0m")
    for each in outcomes:
        print(f"{each.mark:<17} {each.gate.name:<8} {each.took_s:6.1f} s  {each.closing}")
    return int(any(each.code for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
