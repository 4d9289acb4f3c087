"""Rules for every file: reasons beside exceptions, nothing of one machine, names that say the domain."""

import ast
import re
import tomllib

import pytest

from tests.house.tree import ROOT, texts

# Pieces, so that this file does not find itself.
MACHINE = re.compile(
    "|".join((r"(?<![\w.])/" + "work/", r"(?<!\w)/" + "farm/", "/" + "root/", "/" + r"home/[a-z]\w*/"))
)
REGISTRY = re.compile(
    r"https?://[a-z0-9.-]*(" + "|".join(("pyp" + "i", "pythonh" + "osted", "npm" + "js", "mav" + "en")) + ")"
)
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc", "core"}


def test_every_rule_that_ruff_does_not_hold_us_to_has_its_reason_beside_it():
    text = (ROOT / "pyproject.toml").read_text()
    ignored = re.findall(r'^(?:ignore|"[^"\n]+/\*\*") = \[(.*?\].*?)$', text, re.DOTALL | re.MULTILINE)
    lines = [line for block in ignored for line in block.splitlines() if re.search(r'"[A-Z]+[0-9]*"', line)]
    assert len(lines) > len(ignored) > 1
    assert [line for line in lines if not re.search(r"# \w", line)] == []


def test_every_silenced_check_has_its_reason_beside_it():
    silenced = re.compile(r"#\s*(noqa|type: ignore|pragma: no|ruff: noqa|fmt: o)")
    bare = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        if name.endswith(".py") and name != "tests/house/test_rules.py"
        for number, line in enumerate(text.splitlines(), 1)
        if silenced.search(line)
        and not re.search(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\]|pragma: no \w+)\s*(#|-) ?\w", line)
    ]
    assert bare == []


def test_no_file_names_a_place_on_one_machine():
    assert [name for name, text in texts() if MACHINE.search(text)] == []


def test_no_file_names_a_package_registry():
    assert [name for name, text in texts() if REGISTRY.search(text)] == []


def test_files_and_folders_are_named_by_what_they_are_about():
    vague = [name for name, _ in texts() if VAGUE & set(re.split(r"[/._]", name))]
    assert vague == []


MOST_LINES = 60
"""Of an integration, without blank lines and docstrings; comments and what is said of constants count."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
INTEGRATIONS = sorted(
    path.stem
    for path in (ROOT / "sdk" / "src" / "agent_oversight").glob("*.py")
    if "from agent_oversight.called import" in path.read_text()
)


def test_every_library_that_calls_back_is_one_that_agents_can_ask_for():
    extras = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert sorted(each.replace("-", "_") for each in extras if each != "kafka") == INTEGRATIONS


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_what_a_library_calls_back_is_at_most_sixty_lines(name):
    text = (ROOT / "sdk" / "src" / "agent_oversight" / f"{name}.py").read_text()
    said = [
        each.body[0]
        for each in ast.walk(ast.parse(text))
        if isinstance(each, DOCUMENTED) and ast.get_docstring(each) is not None
    ]
    docs = {number for each in said for number in range(each.lineno, (each.end_lineno or 0) + 1)}
    lines = [line for n, line in enumerate(text.splitlines(), 1) if n not in docs and line.strip()]
    assert len(lines) <= MOST_LINES, f"{name}: {len(lines)} lines"


def test_nothing_is_patched_or_mocked():
    pattern = re.compile("unittest." + "mock|Magic" + "Mock|monkey" + "patch|mocker" + r"\.")
    assert [name for name, text in texts() if name.endswith(".py") and pattern.search(text)] == []


# ruff format sees to the Python files.
def test_every_file_ends_with_one_line_end_and_has_no_trailing_blanks():
    untidy = [
        name
        for name, text in texts()
        if text
        and not name.endswith((".py", ".lock", "LICENSE", ".jsonl"))
        and (not text.endswith("\n") or text.endswith("\n\n") or re.search(r"[ \t]+$", text, re.MULTILINE))
    ]
    assert untidy == []
