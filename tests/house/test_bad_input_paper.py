"""Every test that the paper on bad input names exists."""

import re

import pytest

from tests.house.tree import ROOT

PAPER = (ROOT / "docs" / "bad-input.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAPER)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_exists(path, name):
    assert re.search(rf"^\s*(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_every_row_names_a_test():
    rows = [line for line in PAPER.splitlines() if line.startswith("| ") and not line.endswith("| test |")]
    assert rows
    assert all("::test_" in row for row in rows)
