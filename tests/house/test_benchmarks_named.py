"""Scripts of benchmarks/ are run as they stand: their folder comes first where modules are looked for."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_benchmark_is_called_as_a_package_is():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | set(sys.stdlib_module_names)
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} & packages == set()
