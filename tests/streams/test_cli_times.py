"""`oversight oncall`, at the edges of time."""

import pytest
from click.testing import CliRunner

from streams.cli import main

ROTA = """
route: {receiver: a}
receivers: [{name: a, notify: [{slack: '#a'}]}]
users: {ana: {slack: U1}}
schedules: {ops: {timezone: UTC, layers: [{start: '2026-01-05T09:00', every: 1 week, users: [ana]}]}}
"""


@pytest.fixture(name="rules")
def _rules(tmp_path):
    path = tmp_path / "rules.yml"
    path.write_text(ROTA)
    return path


@pytest.mark.parametrize("year", ["0001", "1969", "9000", "9999"])
@pytest.mark.parametrize("command", [("oncall", "{}", "--at"), ("route", "{}", "a=b", "--explain", "--at")])
def test_a_year_that_cannot_be_reckoned_with_is_wrong_usage(rules, command, year):
    ran = CliRunner().invoke(main, [*(each.format(rules) for each in command), f"{year}-12-31"])
    assert ran.exit_code == 2
    assert "expected a year from 1970 to 8999" in ran.stderr


@pytest.mark.parametrize("year", ["1970", "8999"])
def test_every_other_year_is_reckoned_with(rules, year):
    for edge in ("01-01", "12-31T23:59:59-23:59"):
        assert CliRunner().invoke(main, ["oncall", str(rules), "--at", f"{year}-{edge}"]).exit_code == 0


def test_a_time_of_more_than_ten_years_is_wrong_usage(rules):
    ran = CliRunner().invoke(main, ["oncall", str(rules), "--from", "2026-01-01", "--to", "2037-01-01"])
    assert ran.exit_code == 2
    assert "at most ten years" in ran.stderr
