"""Failures above the objectives: what opens an incident, what it says, what ends it."""

import gzip
import random
from datetime import datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.detector import STALE_S
from detectors.error_rate import MOST_OWED, ErrorRate
from detectors.failures.affected import MOST_MARKS
from detectors.settings import Watch
from schemas.event import Operation
from schemas.wire import decode_event
from tests.detectors.agent_events import START_S, event

MINUTE_S = 60.0
WATCH = Watch(slo={"sessions": 0.99, "tools": 0.90})


class Agent:
    """One agent under watch: events come, findings are asked for on the grid of five seconds."""

    def __init__(self, watch=WATCH, options=None, at=START_S):
        self.detector = ErrorRate(watch, options or {})
        self.watch = watch
        self.at = self.grid = at
        self.told = []
        self.count = 0

    def wait(self, seconds):
        """Time passes without events; returns what holds then."""
        self.at += seconds
        while self.grid <= self.at:
            found = self.detector.findings(self.grid)
            names = {(each.finding, each.labels.get("class", ""), each.onset) for each in found}
            self.told += [
                (self.grid, name) for name in sorted(names) if name not in {old for _, old in self.told}
            ]
            self.grid += 5.0
        return self.holding

    @property
    def holding(self):
        return {
            each.finding + ("/retryable" if each.labels else ""): each.told()
            for each in self.detector.findings(self.grid - 5.0)
        }

    def see(self, each):
        self.detector.observe(each, self.at)

    def session(self, error=None, **data):
        self.count += 1
        parts = {"conversation": {"id": f"c{self.count}", "state": "ended"}, **data}
        if error:
            parts["error"] = {"type": "agent_error", "class": error}
        self.see(event(self.at, "invoke_agent", "agent.session.v1", **parts))

    def call(self, operation="execute_tool", error=None, **data):
        self.count += 1
        parts = {"conversation": {"id": f"c{self.count}"}, **data}
        if error:
            parts["error"] = {"type": "boom", **error}
        self.see(event(self.at, operation, **parts))

    def sessions(self, count, every_s=10.0, error=None):
        for _ in range(count):
            self.session(error)
            self.wait(every_s)
        return self

    def calls(self, count, every_s=1.0, operation="execute_tool", error=None, **data):
        for _ in range(count):
            self.call(operation, error, **data)
            self.wait(every_s)
        return self

    def restart(self):
        state = self.detector.save()
        self.detector = ErrorRate.load(self.watch, {}, state, ErrorRate.version)
        assert self.detector.save() == state


# -- what opens an incident ---------------------------------------------------------------------------------


def test_an_outage_is_told_at_its_fourth_failure_as_a_burn_rate_that_pages():
    agent = Agent().sessions(60)
    began = agent.at
    agent.sessions(4, 2.0, "retryable").wait(5)
    found = agent.holding["sessions"]
    assert found.onset == began
    assert (found.magnitude, found.magnitude_unit) == (100.0, "burn_rate")
    assert (found.observed, found.baseline, found.trend) == (1.0, 0.0, "rising")
    assert found.blast.sessions == 4
    assert found.confidence > 0.99
    assert found.burn_rates == {}
    assert "4 of 4 sessions failed since" in found.summary
    assert "agent_error (4) [retryable, exhausted]" in found.summary


@pytest.mark.parametrize("failures", [1, 2])
def test_one_or_two_lost_sessions_open_nothing_even_on_a_quiet_day(failures):
    agent = Agent().sessions(5, 1000.0).sessions(failures, 2.0, "non_retryable")
    agent.wait(STALE_S)
    assert agent.told == []


def test_a_few_sessions_that_fail_all_along_within_the_objective_open_nothing():
    agent = Agent()
    for _ in range(12):
        agent.sessions(1, 10.0, "non_retryable").sessions(130, 10.0)
    assert agent.told == []


def test_an_agent_with_one_session_an_hour_is_told_of_after_three_failures_in_a_row():
    agent = Agent().sessions(30, 3600.0)
    agent.sessions(2, 3600.0, "retryable")
    assert agent.told == []
    agent.session("retryable")
    assert set(agent.wait(5)) == {"sessions"}
    assert agent.holding["sessions"].onset == agent.at - 5 - 2 * 3600


def test_a_sustained_rise_shows_the_windows_whose_pair_holds():
    agent = Agent().sessions(30)
    agent.sessions(60, 5.0, "retryable")
    found = agent.holding["sessions"]
    assert set(found.burn_rates) == {"1h", "5m", "6h", "30m", "3d"}
    assert found.burn_rates["5m"] == pytest.approx(100)


def test_a_drift_to_three_times_the_budget_is_found_and_burns_little():
    agent, draw = Agent(), random.Random(3)
    for _ in range(3000):
        agent.sessions(1, 2.0, "non_retryable" if draw.random() < 0.03 else None)
    assert {name for _, (name, _, _) in agent.told} == {"sessions"}
    assert 1 <= agent.told[0][1][2] < agent.told[0][0]


def test_ten_sessions_a_second_that_jump_to_five_percent_are_found_within_a_minute():
    delays = []
    for seed in range(5):
        agent, draw = Agent(), random.Random(seed)
        for at in range(9000):
            agent.sessions(1, 0.1, "retryable" if draw.random() < (0.005 if at < 8000 else 0.05) else None)
        began = START_S + 800
        delays.append(min((at - began for at, _ in agent.told if at > began), default=1e9))
        assert all(at > began for at, _ in agent.told)
    assert sorted(delays)[2] <= 60


@pytest.mark.no_cover  # it plays a month, and is several times as fast unmeasured
def test_little_traffic_at_half_the_budget_pages_not_once_in_a_month():
    agent, draw = Agent(Watch(slo={"sessions": 0.999})), random.Random(11)
    for _ in range(30 * 24 * 50):
        agent.session("retryable" if draw.random() < 0.0005 else None)
        agent.at += 72.0
        assert not agent.detector.findings(agent.at // 5 * 5)


def test_an_objective_below_which_a_pair_can_never_hold_still_opens_by_the_rate():
    agent = Agent().calls(200)
    agent.calls(30, 1.0, error={"class": "non_retryable"})
    found = agent.holding["tools"]
    assert "1h" not in found.burn_rates
    assert found.magnitude == pytest.approx(10.0)


# -- classes ---------------------------------------------------------------------------------------


def test_retries_that_are_still_tried_break_no_objective_and_are_told_apart():
    agent = Agent().calls(200, operation="chat")
    agent.calls(60, 1.0, "chat", {"class": "retryable", "final": False})
    assert set(agent.holding) == {"models/retryable"}
    found = agent.holding["models/retryable"]
    assert found.magnitude_unit == "ratio"
    assert found.magnitude == pytest.approx(20, rel=0.2)
    assert "failed and are retried" in found.summary


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        ({"class": "retryable", "final": True}, "models"),
        ({"class": "retryable"}, "models"),
        ({"class": "retryable", "attempt": 3}, "models"),
        ({"class": "retryable", "attempt": 1}, "models/retryable"),
        ({"class": "retryable", "attempt": 5, "final": False}, "models/retryable"),
        ({"class": "non_retryable", "attempt": 1}, "models"),
        ({"class": "escalation"}, "escalations"),
    ],
)
def test_a_failure_counts_by_whether_a_retry_follows(error, finding):
    agent = Agent().calls(200, operation="chat").sessions(20, 1.0)
    agent.calls(60, 1.0, "chat", error)
    assert set(agent.holding) == {finding}


def test_handoffs_are_no_failures_of_sessions():
    agent = Agent()
    for at in range(100):
        if at % 20 == 0:
            agent.call("handoff", {"type": "handoff_to_human", "class": "escalation"})
        agent.sessions(1)
    assert agent.told == []
    stream = agent.detector._state.streams["escalations"]
    assert stream.windows.last(agent.at, 4320)[0] + stream.total == 100


def test_sessions_that_mostly_go_to_a_person_are_told_as_escalations():
    agent = Agent().sessions(60)
    for _ in range(30):
        agent.call("handoff", {"type": "handoff_to_human", "class": "escalation"})
        agent.sessions(1)
    assert set(agent.holding) == {"escalations"}
    assert agent.holding["escalations"].magnitude_unit == "ratio"
    assert "went to a person" in agent.holding["escalations"].summary


def test_a_session_that_ends_escalated_counts_once_whether_or_not_a_handoff_came_before():
    agent = Agent()
    agent.session("escalation")
    agent.call("handoff", {"class": "escalation"})
    agent.session("escalation")
    assert agent.detector._state.owed == 0
    assert agent.detector._state.streams["escalations"].failures == [0, 0, 2, 0]
    assert agent.detector._state.streams["sessions"].failures == [0, 0, 0, 0]


def test_escalations_of_tools_are_tool_calls_that_went_well():
    agent = Agent().sessions(1)
    agent.call("execute_tool", {"class": "escalation"})
    assert agent.detector._state.streams["tools"].total == 1
    assert agent.detector._state.streams["tools"].failures == [0, 0, 0, 0]
    agent.call("handoff")
    agent.call("handoff", {"class": "retryable"})
    assert agent.detector._state.streams["escalations"].failures == [0, 0, 1, 0]


def test_where_no_session_is_told_to_end_escalations_are_not_counted():
    agent = Agent()
    for _ in range(200):
        agent.calls(19, operation="chat")
        agent.call("handoff", {"class": "escalation"})
    assert agent.told == []
    assert agent.detector._state.streams["escalations"].failures == [0, 0, 0, 0]


def test_escalations_without_ends_of_sessions_are_owed_up_to_a_cap():
    agent = Agent().sessions(1)
    for _ in range(MOST_OWED + 5):
        agent.call("handoff", {"class": "escalation"})
    assert agent.detector._state.owed == MOST_OWED


def test_a_session_is_lost_even_where_it_says_that_a_retry_follows():
    agent = Agent()
    agent.see(
        event(
            START_S,
            "invoke_agent",
            "agent.session.v1",
            conversation={"id": "c", "state": "ended"},
            error={"type": "timeout", "final": False},
        )
    )
    assert agent.detector._state.streams["sessions"].failures == [1, 0, 0, 0]


def test_what_has_only_started_or_is_not_watched_counts_nowhere():
    agent = Agent()
    started = event(START_S, "execute_tool").data
    started = msgspec.structs.replace(started, operation=Operation(name="execute_tool", state="started"))
    agent.see(msgspec.structs.replace(event(START_S), data=started))
    agent.call("receive_input")
    agent.session(conversation={"id": "c", "state": "running"})
    assert all(stream.total == 0 for stream in agent.detector._state.streams.values())


# -- what it says ----------------------------------------------------------------------------------


def test_it_says_what_stands_out_with_redacted_samples():
    agent = Agent(options={"redact": [r"ACME-\d+"]})
    for at in range(200):
        agent.call(tool={"name": f"t{at % 5}"}, agent={"name": "a", "version": "v1"})
        agent.wait(1)
    failure = {"type": "boom", "class": "non_retryable", "message": "ACME-17 has password=abcdefgh"}
    agent.calls(40, 1.0, error=failure, tool={"name": "pay"}, agent={"name": "a", "version": "v2"})
    found = agent.holding["tools"]
    assert [(each.dimension, each.value) for each in found.contributors] == [
        ("error type", "boom"),
        ("tool", "pay"),
        ("version", "v2"),
    ]
    assert all(each.lift > 1.5 for each in found.contributors)
    assert len(found.samples) == 3
    assert found.samples[0].text == "boom: [redacted] has password=[secret]"
    assert len(found.history) == 30
    assert found.history[-1] > 0.5


def test_a_known_error_type_has_no_lift_and_a_new_one_has():
    agent = Agent()
    for _ in range(40):
        agent.calls(19)
        agent.call(error={"type": "not_found", "class": "non_retryable"})
    agent.calls(40, 1.0, error={"type": "boom", "class": "non_retryable"})
    assert agent.holding["tools"].contributors[0].lift > 10


def test_one_session_that_goes_astray_is_no_outage():
    agent = Agent().calls(300)
    for _ in range(8):
        for _ in range(4):
            agent.call(error={"class": "non_retryable"}, conversation={"id": "astray"})
        agent.calls(1, 2.0)
    agent.calls(30, 6.0, error={"class": "non_retryable"}, conversation={"id": "astray"})
    assert agent.told == []


def test_calls_in_parallel_that_fail_together_are_one_failure_of_their_session():
    agent = Agent().calls(100)
    for _ in range(4):
        agent.call(error={"class": "non_retryable"}, conversation={"id": "c"})
    agent.call("execute_tool", {"class": "retryable", "final": False}, conversation={"id": "c"})
    agent.call("execute_tool", {"class": "retryable", "final": False}, conversation={"id": "c"})
    stream = agent.detector._state.streams["tools"]
    assert (stream.failures, stream.repeated, stream.repeated_retries) == ([0, 4, 0, 2], 3, 1)


def test_failures_of_calls_without_a_session_count_each():
    agent = Agent().calls(100)
    for _ in range(60):
        agent.call(error={"class": "non_retryable"}, conversation={})
        agent.wait(1)
    assert set(agent.holding) == {"tools"}
    assert agent.holding["tools"].blast.sessions == 0


def test_the_trend_falls_when_failures_get_fewer():
    agent = Agent().sessions(60).sessions(30, 10.0, "retryable").sessions(9, 20.0)
    assert agent.holding["sessions"].trend == "falling"
    agent = Agent().sessions(60).sessions(90, 10.0, "retryable")
    assert agent.holding["sessions"].trend == "steady"


def test_after_the_failures_the_magnitude_is_that_of_the_last_hour():
    agent = Agent().sessions(60).sessions(30, 2.0, "retryable").sessions(30, 14.0)
    assert agent.holding["sessions"].observed == 0.0
    assert 10 < agent.holding["sessions"].magnitude < 50


def test_a_first_event_that_fails_has_no_usual_rate_to_compare_with():
    agent = Agent().sessions(6, 2.0, "retryable")
    agent.wait(5)
    assert agent.holding["sessions"].baseline is None
    assert "usually" not in agent.holding["sessions"].summary


def test_it_says_when_the_error_budget_of_three_days_is_gone():
    agent = Agent().sessions(360, 60.0).sessions(6, 60.0, "retryable")
    found = agent.holding["sessions"]
    # 6 of the 43 that three days at this pace may lose are spent; the rest goes a hundred times too fast.
    assert found.exhausted_in_s == pytest.approx(0.86 * 72 * 36, rel=0.02)
    assert "0.1x the 3-day error budget spent, gone in 37 minutes at this rate" in found.summary


def test_a_budget_that_is_spent_is_gone_already():
    agent = Agent().sessions(300, 60.0).sessions(60, 60.0, "retryable")
    found = agent.holding["sessions"]
    assert found.exhausted_in_s == 0
    assert found.summary.endswith("1.4x the 3-day error budget spent")


def test_a_budget_is_never_gone_where_nothing_fails_any_more():
    agent = Agent().sessions(60).sessions(30, 2.0, "retryable").sessions(30, 14.0).sessions(10, 400.0)
    agent = Agent().sessions(3000, 20.0).sessions(9, 2.0, "retryable").sessions(29, 20.0)
    found = agent.holding["sessions"]
    assert found.magnitude > 1
    assert found.exhausted_in_s > 0


# -- what ends it ----------------------------------------------------------------------------------


def test_it_ends_after_ten_good_minutes_and_a_recurrence_is_new():
    agent = Agent().sessions(60).sessions(8, 2.0, "retryable")
    last = agent.at
    agent.sessions(55, 10.0)
    assert "sessions" in agent.holding
    agent.sessions(12, 10.0)
    assert agent.holding == {}
    assert agent.at - last < 12 * MINUTE_S
    agent.sessions(8, 2.0, "retryable").wait(5)
    assert [name for _, (name, _, _) in agent.told] == ["sessions", "sessions"]


def test_it_ends_although_no_event_comes_any_more_once_good_minutes_were_seen():
    agent = Agent().sessions(60).sessions(8, 2.0, "retryable").sessions(30, 10.0)
    assert agent.detector.wake_at is not None
    assert agent.wait(6 * MINUTE_S) == {}
    assert agent.detector.wake_at is None


def test_silence_alone_ends_nothing_until_the_agent_is_stale():
    agent = Agent().sessions(60).sessions(8, 2.0, "retryable")
    assert "sessions" in agent.wait(STALE_S - 30)
    assert agent.wait(60) == {}


def test_a_stale_agent_begins_anew_with_its_next_event():
    agent = Agent().sessions(60).sessions(2, 2.0, "retryable")
    agent.at += STALE_S + 60
    agent.grid = agent.at // 5 * 5
    agent.sessions(2, 2.0, "retryable").wait(5)
    assert agent.told == []
    agent.sessions(3, 2.0, "retryable").wait(5)
    assert agent.told[0][1][2] > START_S + 600 + STALE_S


def test_a_failure_in_the_open_cell_asks_to_be_woken_at_its_end():
    agent = Agent()
    agent.session()
    assert agent.detector.wake_at is None
    agent.session("retryable")
    assert agent.detector.wake_at == START_S + 5


def test_the_new_normal_ends_what_holds_and_is_allowed_from_then_on():
    agent, draw = Agent(), random.Random(5)
    for _ in range(400):
        agent.sessions(1, 5.0, "retryable" if draw.random() < 0.2 else None)
    assert "sessions" in agent.holding
    agent.detector.rebase(agent.at)
    told = len(agent.told)
    for _ in range(400):
        agent.sessions(1, 5.0, "retryable" if draw.random() < 0.2 else None)
    assert agent.holding == {}
    assert len(agent.told) == told


def test_what_is_usual_is_learnt_from_days_that_are_over():
    agent, draw = Agent(), random.Random(9)
    rate = 0.085
    for _ in range(26 * 360):
        agent.calls(1, 10.0, error={"class": "non_retryable"} if draw.random() < rate else None)
    allowed = agent.detector._state.streams["tools"].failed.allowed(agent.at, agent.detector._terms["tools"])
    assert 0.1 < allowed < 0.35


# -- state -----------------------------------------------------------------------------------------

happenings = st.lists(
    st.tuples(
        st.sampled_from(["session", "execute_tool", "chat", "handoff", "receive_input"]),
        st.sampled_from([None, None, "retryable", "non_retryable", "escalation"]),
        st.sampled_from([0.0, 0.4, 3.0, 20.0, 400.0, 1000.0]),
    ),
    min_size=1,
    max_size=80,
)


@settings(max_examples=40)
@given(happenings, st.integers(0, 80), st.integers(0, 12))
def test_a_restart_anywhere_changes_no_finding_and_no_byte(happened, cut, burst):
    whole, broken = Agent(), Agent()
    for at, (what, error, gap) in enumerate([*happened, *[("session", "retryable", 1.0)] * burst]):
        if at == cut:
            broken.restart()
        for agent in (whole, broken):
            if what == "session":
                agent.session(error)
            else:
                agent.call(what, {"class": error} if error else None, tool={"name": f"t{at}"})
            agent.wait(gap)
    broken.restart()
    assert broken.told == whole.told
    assert broken.holding == whole.holding
    assert broken.detector.save() == whole.detector.save()


def test_the_state_is_small_even_in_an_outage_of_everything():
    agent = Agent()
    for at in range(500):
        error = (
            {"type": f"error-{at % 40}", "class": "non_retryable", "message": "x" * 400} if at > 200 else None
        )
        named = {"tool": {"name": f"tool-{at}" * 9}, "user": {"id": f"u{at}"}, "tenant": {"id": f"t{at}"}}
        agent.calls(1, 2.0, error=error, **named)
        agent.calls(1, 0.0, "chat", error=error, **named)
        agent.session("retryable" if at > 200 else None, **named)
    assert set(agent.holding) == {"sessions", "tools", "models"}
    assert agent.holding["tools"].blast.capped
    assert len(agent.detector._state.streams["tools"].marks.last) <= MOST_MARKS
    assert len(agent.detector.save().body) < 50_000


def test_other_objectives_hold_from_then_on():
    agent = Agent().calls(200)
    agent.detector.configure(Watch(slo={"tools": 0.5}), {"arl": "90d"})
    agent.calls(100, 0.5, error={"class": "non_retryable"}).calls(60)
    agent = Agent(Watch(slo={"sessions": 1.0}))
    assert agent.detector._terms["sessions"].budget == 1e-4


def test_an_option_that_is_no_span_is_refused():
    with pytest.raises(ValueError, match="no span of time"):
        ErrorRate(WATCH, {"arl": "soon"})


def test_a_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 9"):
        ErrorRate.load(WATCH, {}, ErrorRate(WATCH, {}).save(), 9)


# -- real sessions ---------------------------------------------------------------------------------

BURSTS = (
    "2026-02-20T23:35:58Z",
    "2026-02-21T00:34:31Z",
    "2026-02-21T20:18:03Z",
    "2026-02-22T11:27:15Z",
    "2026-02-22T11:43:40Z",
    "2026-02-22T14:45:36Z",
)


@pytest.mark.no_cover  # it plays all real sessions, and is several times as fast unmeasured
@pytest.mark.data
def test_each_real_outage_is_told_within_45_seconds_of_its_third_failure_and_nothing_else(shared_data):
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        events = [decode_event(line) for line in lines]
    lost = [
        each.time.timestamp()
        for each in events
        if each.type == "agent.session.v1" and each.data.error and each.data.error.type == "agent_error"
    ]
    began = [datetime.fromisoformat(each).timestamp() for each in BURSTS]
    thirds = [[at for at in lost if at >= each][2] for each in began]
    agent = Agent(at=events[0].time.timestamp() // 5 * 5)
    for each in events:
        agent.wait(each.time.timestamp() - agent.at)
        agent.see(each)
    assert [name for _, (name, _, _) in agent.told] == ["sessions"] * len(BURSTS)
    for (told, (_, _, onset)), third, start in zip(agent.told, thirds, began, strict=True):
        assert start <= onset <= third
        assert third <= told <= third + 45
