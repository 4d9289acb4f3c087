"""Runs every gate of the house, goes on after one that fails, and ends with a table of what came out.

`gates.py` runs all, `gates.py lint kafka` some, those with their parts. Exit code 1 when any failed.
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
CONTRACT = ("-p", "no:cacheprovider")
PACKAGES = ("schemas", "bridge", "detectors", "routing", "streams", "sdk/src")
COVERED = ("--cov", "--cov-branch", "--cov-report=")
# Laws of one detector share what they work out, and tests stay in the order in which they were collected.
TWO = ("-n2", "--dist=loadgroup", "--no-loadscope-reorder")
SKIPPED = re.compile(r"\d+ skipped")
CORE = "schemas/*,bridge/*,detectors/*,routing/*"
LANES = 3
"""Gates that run beside each other: brokers and workers wait for each other and for the clock."""
APART = {
    "hurt": ("tests/contract/test_disturbed.py",),
    "late": ("tests/contract/test_wall_clock.py", "tests/contract/test_three_experiments.py"),
}
"""Parts of the contract suite that take as long as all the rest."""


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


def contract(broker: str, says: str, part: str = "") -> Gate:
    """A part of the contract suite on a broker of its own; without one, all that no part names."""
    if part:
        return Gate(
            f"{broker}-{part}", says, (*PYTEST, *APART[part], *CONTRACT, f"--broker={broker}"), beside=True
        )
    others = (f"--ignore={each}" for paths in APART.values() for each in paths)
    return Gate(
        broker, says, (*PYTEST, "tests/contract", *others, *CONTRACT, f"--broker={broker}"), beside=True
    )


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
    # Those that take longest go first.
    contract("kafka", "contract suite on Apache Kafka, workers that are killed", "hurt"),
    contract("kafka", "contract suite on Apache Kafka"),
    contract("tansu", "contract suite on the embedded broker"),
    contract("tansu", "contract suite on the embedded broker, workers that are killed", "hurt"),
    contract("kafka", "contract suite on Apache Kafka, by the wall clock", "late"),
    contract("tansu", "contract suite on the embedded broker, by the wall clock", "late"),
)


def run(gate: Gate) -> Outcome:
    """Runs one gate, its output passing through line by line; of one that has neighbours with its name."""
    print(f"\n\033[1m── {gate.name}: {gate.says}\033[0m", flush=True)
    margin = f"{gate.name:<11}│ " if gate.beside else ""
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
        with ThreadPoolExecutor(max_workers=LANES if beside else 1) as pool:
            outcomes += pool.map(run, some)
    return outcomes


def main() -> int:
    """Runs the gates that are named, or all."""
    asked = sys.argv[1:]
    names = [gate.name for gate in GATES]
    if unknown := [name for name in asked if name not in names]:
        print(f"no gate {', '.join(unknown)}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    # Hundreds of processes are started, and each would compile the product anew: 0.3 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    wanted = [gate for gate in GATES if not asked or {gate.name, gate.name.partition("-")[0]} & {*asked}]
    outcomes = run_all(wanted)
    print("\n\033[1m── summary\033[0m")
    for each in outcomes:
        print(f"{each.mark:<17} {each.gate.name:<11} {each.took_s:6.1f} s  {each.closing}")
    return int(any(each.code for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
