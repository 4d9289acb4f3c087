"""Sessions that begin and never end: who is missed, what is said of it, and of whom nothing is."""

import pytest

from detectors.error_rate import ErrorRate
from detectors.failures.unended import FEWEST, LONGEST_ID, MOST_KNOWN, MOST_OPEN
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0


class Agent:
    """One agent whose sessions come every so often; each is a call and, a minute later, an end."""

    def __init__(self, watch=None):
        self.detector = ErrorRate(watch or Watch(), {})
        self.at = START_S
        self.count = 0

    @property
    def unended(self):
        return self.detector._unended

    def see(self, state, name=None, kind="agent.session.v1", **data):
        conversation = {"id": name or f"c{self.count}", **({"state": state} if state else {})}
        operation = "invoke_agent" if state else "chat"
        self.detector.observe(event(self.at, operation, kind, conversation=conversation, **data), self.at)

    def call(self, **data):
        self.see(None, kind="agent.operation.v1", **data)

    def session(self, then="ended", **data):
        self.count += 1
        self.see("started", **data)
        self.at += 5
        self.call(**data)
        self.at += MINUTE_S
        if then == "ended":
            self.see("ended", **data)

    def sessions(self, count, every_s=600.0, then="ended", **data):
        for _ in range(count):
            began = self.at
            self.session(then, **data)
            self.detector.findings(self.at)
            self.at = began + every_s
        return self

    def settled(self):
        """Two days of sessions that end, from midnight to midnight."""
        return self.sessions(97, 1800.0)

    @property
    def told(self):
        found = [each for each in self.detector.findings(self.at) if each.finding == "abandoned"]
        return found[0].told() if found else None

    def restart(self):
        state = self.detector.save()
        self.detector = ErrorRate.load(Watch(), {}, state, ErrorRate.version)
        assert self.detector.save() == state


def test_sessions_that_show_no_sign_of_life_any_more_are_lost():
    agent = Agent().settled()
    agent.sessions(8, then="nothing", agent={"name": "made-up", "version": "2"}, tenant={"id": "t1"})
    found = agent.told
    assert found.summary.startswith("6 of 6 sessions never ended (silent for 15 minutes) since ")
    assert "silent after chat (6) [non-retryable]" in found.summary
    assert found.magnitude > 14.4
    assert found.magnitude_unit == "burn_rate"
    assert (found.blast.sessions, found.blast.tenants, found.observed) == (6, 1, 1.0)
    assert ("version", "2") in {(each.dimension, each.value) for each in found.contributors}
    assert [each.text for each in found.samples] == ["silent after chat"] * 3
    assert found.exhausted_in_s is not None


def test_it_is_over_when_sessions_end_again():
    agent = Agent().settled().sessions(8, then="nothing")
    assert agent.told is not None
    agent.sessions(12)
    assert agent.told is None


def test_what_is_lost_is_judged_by_the_objective_for_sessions():
    agent = Agent(Watch(slo={"sessions": 0.9})).settled().sessions(14, then="nothing")
    assert 5 < agent.told.magnitude <= 10.0


def test_an_agent_that_seldom_tells_that_a_session_ends_is_not_missed():
    agent = Agent()
    for _ in range(100):
        agent.sessions(2).sessions(1, then="nothing")
    assert agent.unended.usual > 0.3
    assert agent.sessions(60, then="nothing").told is None


def test_an_agent_that_never_tells_an_end_is_not_missed():
    assert Agent().sessions(200, then="nothing").told is None


def test_what_tells_neither_beginnings_nor_ends_is_not_followed():
    agent = Agent()
    for _ in range(9):
        agent.call()
        agent.see("ended")
    assert not agent.unended.open
    assert not agent.unended.ended


def test_nobody_is_missed_on_the_first_day_nor_before_fifty_sessions_have_ended():
    assert Agent().sessions(100).sessions(30, then="nothing").told is None
    few = Agent().sessions(FEWEST - 2, 3 * HOUR_S)
    assert few.unended.wait_s == DAY_S
    assert few.unended.since > few.at


def test_as_many_as_usually_never_end_are_allowed():
    agent = Agent()
    for _ in range(60):
        agent.sessions(19, 300.0).sessions(1, 300.0, then="nothing")
    assert 0.05 < agent.unended.usual < 0.1
    assert agent.told is None


def test_sessions_that_pause_for_long_are_waited_for():
    agent = Agent()
    for _ in range(80):
        agent.count += 1
        agent.see("started")
        agent.at += HOUR_S
        agent.see("running")
        agent.at += MINUTE_S
        agent.see("ended")
    assert agent.unended.wait_s > 2 * HOUR_S


def test_an_operation_and_a_heartbeat_are_signs_of_life():
    agent = Agent().settled()
    agent.see("started", "long")
    for turn in range(10):
        agent.sessions(1)
        if turn % 2:
            agent.see("running", "long")
        else:
            agent.see(None, "long", "agent.operation.v1")
    assert "long" in agent.unended.open


def test_one_that_begins_once_more_is_alive_and_began_once():
    agent = Agent().settled()
    agent.see("started", "again")
    began = agent.at
    agent.at += 5
    agent.see("started", "again")
    assert (agent.unended.open["again"].began, agent.unended.open["again"].touched) == (began, began + 5)


@pytest.mark.parametrize("state", ["started", "ended"])
def test_one_that_comes_back_had_only_paused(state):
    agent = Agent().settled()
    agent.see("started", "gone")
    agent.sessions(4)
    assert agent.unended.today[1] == 1
    known = agent.unended.pauses.count
    agent.see(state, "gone")
    assert agent.unended.pauses.count == known + 1
    assert agent.unended.today[1] == 1, "as many as are given up are usual, whether or not they come back"
    assert not agent.unended.lost
    assert "gone" not in agent.unended.open


def test_an_end_that_overtakes_its_beginning_ends_it():
    agent = Agent().settled()
    agent.see("ended", "swift")
    agent.see("started", "swift")
    assert not agent.unended.open
    assert not agent.unended.ended


def test_the_lost_of_a_busy_day_are_not_set_against_the_few_that_end_at_night():
    agent = Agent()
    agent.settled().unended.days = [1000, 30]
    agent.sessions(97, 1800.0)
    agent.unended.wait_s = 4 * HOUR_S
    for _ in range(10):
        agent.sessions(19, 60.0).sessions(1, 60.0, then="nothing")
    assert agent.sessions(16, 1200.0).told is None
    assert len(agent.unended.lost) >= 9


def test_nobody_is_missed_where_some_pause_for_a_day():
    agent = Agent().settled()
    for _ in range(20):
        agent.unended.pauses.add(DAY_S, 5000)
    agent.sessions(49, 1800.0)
    assert agent.unended.wait_s == DAY_S
    assert agent.sessions(200, then="nothing").told is None


def test_what_was_open_when_the_agent_fell_silent_for_long_may_have_ended_unheard():
    agent = Agent().settled()
    for number in range(5):
        agent.see("started", f"open{number}")
    agent.at += 6 * HOUR_S
    agent.sessions(6)
    assert not agent.unended.lost
    assert agent.told is None


def test_at_the_cap_no_further_session_is_followed():
    agent = Agent().settled()
    for number in range(MOST_OPEN + 9):
        agent.see("started", f"many{number}")
    assert len(agent.unended.open) == MOST_OPEN
    for number in range(MOST_OPEN + 9, 2 * MOST_OPEN):
        agent.see("ended", f"many{number}")
    assert len(agent.unended.ended) == MOST_KNOWN


def test_sessions_without_an_id_or_with_a_very_long_one_are_not_followed():
    agent = Agent().settled()
    for name in ("", "x" * (LONGEST_ID + 1)):
        agent.see("started", name or None)
        agent.see("ended", name or None)
    nameless = event(agent.at, "invoke_agent", "agent.session.v1", conversation={"state": "started"})
    agent.detector.observe(nameless, agent.at)
    assert not agent.unended.open


def test_a_day_on_which_most_never_ended_is_not_what_is_usual():
    agent = Agent().settled().sessions(20, then="nothing")
    assert agent.told is not None
    assert agent.sessions(144).unended.days[1] < 6


def test_what_is_told_ends_as_stale_where_no_session_comes_any_more():
    agent = Agent().settled().sessions(8, then="nothing")
    agent.at += DAY_S
    assert agent.told is None
    assert agent.detector.unheard({"finding": "abandoned"}, agent.at)


def test_called_normal_it_is_learnt_anew():
    agent = Agent().settled().sessions(8, then="nothing")
    agent.detector.rebase(agent.at)
    assert agent.told is None
    assert agent.sessions(40, then="nothing").told is None


def test_a_copy_for_a_drill_waits_for_no_session():
    agent = Agent().settled()
    agent.see("started", "open")
    agent.detector.let_go()
    assert not agent.unended.open


def test_much_is_remembered_and_old_days_fade():
    agent = Agent()
    agent.unended.days = [9000, 30]
    agent.settled()
    assert agent.unended.days == [4500 + 96, 15]


def test_it_goes_on_after_a_restart_and_from_what_knew_nothing_of_it():
    agent = Agent().settled().sessions(3, then="nothing")
    agent.restart()
    assert agent.sessions(5, then="nothing").told is not None
    agent.restart()
    assert agent.told is not None
    del agent.detector._state.streams["abandoned"]
    older = ErrorRate.load(Watch(), {}, agent.detector.save(), ErrorRate.version)
    assert "abandoned" in older._state.streams
