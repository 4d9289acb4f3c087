"""Scripts of benchmarks/ are run as they stand: their folder comes first where modules are looked for."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


def test_no_benchmark_is_called_as_a_package_is():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} | set(sys.stdlib_module_names)
    assert {path.stem for path in (ROOT / "benchmarks").glob("*.py")} & packages == set()


def test_a_part_of_each_judge_whose_figures_are_told_is_run_by_tests():
    figures = (ROOT / "docs" / "detection-quality.md").read_text("utf-8")
    judges = set(re.findall(r"`python benchmarks/(\w+)\.py", figures))
    parts = set(re.findall(r"^from benchmarks\.(\w+) import", TESTS, re.MULTILINE))
    for names in re.findall(r"^from benchmarks import (.+)$", TESTS, re.MULTILINE):
        parts |= set(names.split(", "))
    assert len(judges) > 10
    assert judges - parts == set()
