"""Burn rates that can never come: refused where nothing that pages is left, else said."""

import pytest

from routing.checking import check
from tests.routing.configs import LEAST, faults, files

OTHERS = "severity: {burn_rate: %s}\n"


def objective(said):
    return f"{LEAST}agents: [{{name: x, slo: {{tools: {said}}}}}]\n"


def said(text):
    """What is told of burn rates that others are left beside."""
    report = check(files(text))
    assert (report.failed, report.warnings) == ((), ())
    return [str(each).removeprefix("1.yml:") for each in report.left_out]


def test_an_objective_at_which_no_burn_rate_that_pages_can_come_is_refused_at_its_place():
    (fault,) = faults(objective("80%"))
    assert fault == (
        "3:33: with an objective of 80% a burn rate is 5 at most, and 14.4 over 1h/5m and 6 over 6h/30m can "
        "never come: expected 83.34% or more, or other pairs in severity: burn_rate ([] for none)"
    )
    assert faults(objective("83.34%")) == []


@pytest.mark.parametrize("pairs", ["[]", "[[1h, 5m, 5, 90]]", "[[3d, 6h, 1, 40]]"])
def test_it_holds_with_other_pairs(pairs):
    assert said(objective("80%") + OTHERS % pairs) == []


def test_a_pair_beside_which_one_that_pages_is_left_is_said_to_be_left_out():
    assert said(objective("90%")) == [
        "3:33: with an objective of 90% a burn rate is 10 at most: 14.4 over 1h/5m is left out"
    ]
    assert said(objective("93.06%")) == []


def test_a_factor_that_no_objective_reaches_is_refused_where_it_stands():
    beyond = OTHERS % "[[1h, 5m, 101, 90], [6h, 30m, 6, 70]]"
    assert faults(LEAST + beyond) == ["3:24: a burn rate of 101 never comes with any objective here"]
    assert said(LEAST + beyond + "agents: [{name: x, slo: {sessions: 99.5%}}]\n") == []


def test_windows_over_which_nothing_is_told_are_doubted():
    report = check(files(LEAST + OTHERS % "[[2h, 5m, 14.4, 90]]"))
    assert [str(each) for each in report.warnings] == [
        "1.yml:3:24: no burn rate is told over 2h and 5m: it is over 1h and 5m, 6h and 30m, 3d and 6h"
    ]
