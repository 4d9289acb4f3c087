"""Agents of critical consequence that never ask a person."""

import pytest

from detectors.approvals import Approvals
from detectors.consents.unapproved import UNASKED_FOR_S
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

CRITICAL = Watch(consequence="critical")


class Actor:
    """An agent that acts; of which it may be that somebody is asked."""

    def __init__(self, watch=CRITICAL, **options):
        self.detector = Approvals(watch, options)

    def act(self, *times, level="high", **more):
        for at in times:
            data = {"operation": {"consequence": level}, "conversation": {"id": f"c{at}"}, **more}
            self.detector.observe(event(START_S + at, "pay", **data), START_S + at)
        return self

    def asks(self, at, state="requested"):
        approval = {"id": f"a{at}", "state": state, "consequence": "high", "reversible": False}
        data = {"approval": approval, "conversation": {"id": f"c{at}"}}
        self.detector.observe(event(START_S + at, "pay", "agent.approval.v1", **data), START_S + at)
        return self

    def told(self, at):
        return {each.finding: each for each in self.detector.findings(START_S + at)}


def test_that_a_critical_agent_never_asks_is_told_from_its_third_operation_on_until_a_day_is_without_one():
    agent = Actor().act(0, 10)
    assert agent.told(15) == {}
    found = agent.act(20, level="critical").told(25)["unasked"]
    assert found.summary == (
        "3 operations of high consequence went ahead since 00:00 UTC, and nobody was ever asked"
    )
    assert (found.onset, found.magnitude, found.blast.sessions, found.blast.share) == (START_S, 3.0, 3, 1.0)
    assert [each.conversation for each in found.samples] == ["c0", "c10", "c20"]
    agent.act(UNASKED_FOR_S)
    assert agent.told(2 * UNASKED_FOR_S)["unasked"].onset == START_S
    assert agent.told(2 * UNASKED_FOR_S + 5) == {}


@pytest.mark.parametrize("asked_for", [[], [2 * UNASKED_FOR_S]])
def test_it_is_told_once(asked_for):
    agent = Actor().act(0, 10, 20)
    for at in (25, *asked_for):
        agent.told(at)
    monday = 3 * UNASKED_FOR_S
    assert agent.act(monday, monday + 10, monday + 20).told(monday + 25) == {}
    assert set(agent.asks(monday + 40).act(monday + 50).told(monday + 55)) == {"unapproved"}


def test_two_operations_of_which_nothing_was_told_are_forgotten():
    agent = Actor().act(0, 10)
    later = 2 * UNASKED_FOR_S
    assert agent.act(later, later + 10).told(later + 15) == {}
    assert set(agent.act(later + 20).told(later + 25)) == {"unasked"}


@pytest.mark.parametrize(
    ("agent", "level"),
    [
        (Actor(Watch(consequence="high")), "critical"),
        (Actor(), "moderate"),
        (Actor(required="false"), "critical"),
        (Actor(required=False), "critical"),
    ],
)
def test_others_and_who_need_not_ask_are_left_alone(agent, level):
    assert agent.act(0, 10, 20, level=level).told(25) == {}


def test_where_approvals_are_required_each_operation_without_one_is_told_instead():
    assert set(Actor(required="true").act(0).told(5)) == {"unapproved"}


def test_it_is_over_when_somebody_is_asked_and_no_policy_is_somebody():
    agent = Actor().act(0, 10, 20).asks(30, "auto")
    assert set(agent.told(35)) == {"unasked"}
    assert agent.asks(40).told(45) == {}
    assert set(agent.act(50).told(55)) == {"unapproved"}


def test_that_nobody_is_asked_may_be_accepted_for_good():
    agent = Actor().act(0, 10, 20)
    agent.detector.rebase(START_S + 30)
    assert agent.act(40, 50, 60).told(65) == {}
    assert set(agent.asks(70).act(80).told(85)) == {"unapproved"}


def test_what_is_configured_later_counts_from_then_on_restarts_or_not():
    agent = Actor().act(0, 10, 20)
    agent.detector.configure(Watch(), {})
    assert agent.told(25) == {}
    agent.detector.configure(CRITICAL, {})
    assert agent.act(30, 40).told(45) == {}
    state = agent.act(50).detector.save()
    assert [each.finding for each in agent.detector.findings(START_S + 55)] == ["unasked"]
    for watch, options, found in (
        (Watch(), {}, set()),
        (CRITICAL, {"required": "true"}, set()),
        (CRITICAL, {}, {"unasked"}),
    ):
        agent.detector = Approvals.load(watch, options, state, Approvals.version)
        assert set(agent.told(55)) == found
