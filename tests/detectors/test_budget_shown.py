"""What a budget shows beside the money: its sessions, its dearest operations, how it goes."""

import pytest

from detectors.cost import Cost
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event


def spent_by(calls):
    """A detector that was shown calls: hour, cost, session."""
    detector = Cost(Watch(budget_usd=1.0, budget_period="day"), {})
    for number, (hour, cost, session) in enumerate(calls):
        at_s = START_S + hour * 3600 + number
        usage = {"cost_amount": cost, "cost_currency": "USD"}
        detector.observe(event(at_s, usage=usage, conversation={"id": session}), at_s)
    return detector


def told(detector, hour):
    """What is told of the budget then."""
    return next(iter(detector.findings(START_S + hour * 3600))).told()


def test_a_budget_shows_the_sessions_of_its_period_and_its_dearest_operations():
    detector = spent_by([(0.0, 0.1, "a"), (0.1, 0.3, "b"), (0.2, 0.4, "c"), (0.3, 0.5, "d"), (0.3, 0.1, "d")])
    found = told(detector, 0.5)
    assert found.blast.sessions == 4
    assert [each.conversation for each in found.samples] == ["d", "c", "b"]
    later = told(spent_by([(0.0, 2.0, "a"), (24.1, 2.0, "b"), (24.2, 0.1, "b")]), 24.5)
    assert later.blast.sessions == 1
    assert [each.text.split(",")[0] for each in later.samples] == ["chat: $2", "chat: $0.1"]
    assert {each.conversation for each in later.samples} == {"b"}


@pytest.mark.parametrize(
    ("costs", "trend"),
    [
        ([2.0], ""),
        ([1.0, 2.0], "rising"),
        ([1.0, 0.2, 0.1], "falling"),
        ([1.0, 1.0, 0.1], "steady"),
        ([1e-6, 2.0], "rising"),
    ],
)
def test_on_its_first_day_a_budget_s_trend_is_that_of_its_hours(costs, trend):
    calls = [(hour, cost, "s") for hour, cost in enumerate(costs)]
    assert told(spent_by([*calls, (len(costs) - 0.5, 1e-6, "s")]), len(costs) - 0.4).trend == trend


def test_another_period_shows_what_comes_from_then_on():
    detector = spent_by([(0.0, 2.0, "a"), (0.1, 2.0, "b")])
    told(detector, 0.2)
    detector.configure(Watch(budget_usd=2.0, budget_period="day"), {})
    assert told(detector, 0.3).blast.sessions == 2
    detector.configure(Watch(budget_usd=2.0, budget_period="week"), {})
    found = told(detector, 0.4)
    assert (found.blast.sessions, found.samples) == (0, ())
