"""Scripts of benchmarks/ are run as they stand: their folder comes first where modules are looked for."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(text):
    """Modules of benchmarks/ that a file imports."""
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.ImportFrom) and each.module == "benchmarks":
            yield from (name.name for name in each.names)
        elif isinstance(each, ast.ImportFrom) and (each.module or "").startswith("benchmarks."):
            yield each.module.removeprefix("benchmarks.")


def test_no_benchmark_is_called_as_a_package_is():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | set(sys.stdlib_module_names)
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} & packages == set()


def test_a_part_of_each_judge_whose_figures_are_told_is_run_by_tests():
    figures = (ROOT / "docs" / "detection-quality.md").read_text("utf-8")
    judges = set(re.findall(r"`python benchmarks/(\w+)\.py", figures))
    tests = (ROOT / "tests").rglob("test_*.py")
    run = {name for path in tests for name in imported(path.read_text("utf-8"))}
    assert len(judges) > 10
    assert judges - run == set()
