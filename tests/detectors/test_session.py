"""Sessions that go astray: what runs away, what loops, what is stuck, and what is none of these."""

import random

import msgspec
import pytest

from detectors.lasting import ADOPTED_S, TOLD_S
from detectors.session import FLOORS, SETTLED_EVERY_S, Session
from detectors.sessions.astray import MOST_KEPT
from detectors.sessions.astray import MOST_OPEN as MOST_ASTRAY
from detectors.sessions.run import IDLE_S, MOST_OPEN, Run
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

DAY_S = 86_400.0
MINUTE_S = 60.0


class Agent:
    """One agent under watch."""

    def __init__(self, **options):
        self.detector = Session(Watch(), options)
        self.at = START_S
        self.count = 0
        self.draw = random.Random(1)

    def see(self, session, name="chat", kind="agent.operation.v1", /, after=1.0, **data):
        self.at += after
        conversation = {"id": session, **data.pop("conversation", {})}
        self.detector.observe(event(self.at, name, kind, conversation=conversation, **data), self.at)
        return self.holding

    def call(self, session, tool="lookup", digest="", **data):
        digest = digest or f"d{self.count}"
        self.count += 1
        return self.see(session, "execute_tool", tool={"name": tool, "arguments_digest": digest}, **data)

    def says(self, session, state, after=1.0, step=None):
        operation = {} if step is None else {"step": step}
        parts = {"conversation": {"state": state}, "operation": operation}
        return self.see(session, "invoke_agent", "agent.session.v1", after=after, **parts)

    def approval(self, session, state):
        return self.see(session, "execute_tool", "agent.approval.v1", approval={"state": state})

    def ordinary(self, count=150, tokens=1000, cost=0.01):
        """Sessions of five to fifteen calls, with heartbeats."""
        for _ in range(count):
            name = f"o{self.count}"
            self.says(name, "started")
            for _ in range(self.draw.randrange(5, 16)):
                self.call(name, usage={"input_tokens": tokens, "cost_amount": cost})
            self.says(name, "ended")
        assert not self.holding
        return self

    @property
    def holding(self):
        return {each.finding: each for each in self.detector.findings(self.at)}


class TestRunaway:
    def test_a_session_of_many_more_steps_than_any_before_is_told_with_what_it_has_spent(self):
        agent = Agent().ordinary()
        for _ in range(200):
            found = agent.call("x", usage={"input_tokens": 10, "cost_amount": 0.001})
        runaway = found["runaway"]
        assert runaway.summary.startswith("a session runs away: 200 steps, usually 1")
        assert runaway.summary.endswith("spent so far: 200 steps, 2,000 tokens, $0.20 in 3 minutes")
        assert (runaway.unit, runaway.magnitude_unit, runaway.observed) == ("steps", "ratio", 200.0)
        assert runaway.confidence > 0.99
        assert runaway.blast.sessions == 1
        assert [(each.dimension, each.value) for each in runaway.contributors] == [("session", "x")]
        assert runaway.samples[0].conversation == "x"

    @pytest.mark.parametrize(
        ("usage", "unit"),
        [({"input_tokens": 60_000}, "tokens"), ({"cost_amount": 3.0, "cost_currency": "USD"}, "USD")],
    )
    def test_tokens_and_cost_are_measured_as_well(self, usage, unit):
        agent = Agent().ordinary()
        for _ in range(10):
            found = agent.call("x", usage=usage, user={"id": "u1"}, tenant={"id": "t1"})
        assert found["runaway"].unit == unit
        assert (found["runaway"].blast.users, found["runaway"].blast.tenants) == (1, 1)

    def test_costs_in_other_currencies_are_left_out(self):
        agent = Agent().ordinary()
        assert not agent.call("x", usage={"cost_amount": 1000.0, "cost_currency": "JPY"})

    def test_a_session_that_takes_much_longer_than_others_is_told(self):
        agent = Agent().ordinary()
        agent.says("x", "started")
        for _ in range(20):
            found = agent.call("x", after=MINUTE_S)
        assert found["runaway"].unit == "seconds"
        assert "a session runs away: 20 minutes, usually 1" in found["runaway"].summary

    def test_steps_that_heartbeats_tell_count(self):
        agent = Agent().ordinary()
        assert agent.says("x", "running", step=500)["runaway"].observed == 500.0

    def test_below_the_floor_nothing_is_told_however_small_sessions_usually_are(self):
        agent = Agent()
        for number in range(300):
            agent.call(f"s{number}")
            agent.says(f"s{number}", "ended")
        for _ in range(int(FLOORS["steps"])):
            assert not agent.call("x")
        assert agent.call("x")

    def test_floors_are_the_team_s_to_set(self):
        agent = Agent(floors={"steps": 500}).ordinary()
        for _ in range(400):
            found = agent.call("x")
        assert not found

    @pytest.mark.parametrize("floors", [{"stps": 5}, 7])
    def test_a_floor_that_does_not_exist_is_refused(self, floors):
        with pytest.raises(ValueError, match=r"expected (one|floors) of steps, tokens"):
            Agent(floors=floors)

    def test_before_enough_is_learnt_nothing_runs_away(self):
        agent = Agent().ordinary(count=15)
        for _ in range(5000):
            assert not agent.call("x")

    def test_it_is_told_for_five_minutes_after_the_session_ended(self):
        agent = Agent().ordinary()
        for _ in range(200):
            found = agent.call("x")
        onset = found["runaway"].onset
        agent.says("x", "ended")
        agent.at += TOLD_S - 250
        assert agent.holding["runaway"].onset == onset
        assert agent.detector.wake_at is not None
        agent.at += 250 + SETTLED_EVERY_S
        assert not agent.holding
        assert agent.detector.wake_at is None

    def test_the_worst_is_told_and_the_others_are_counted(self):
        agent = Agent().ordinary()
        for number in range(MOST_KEPT + 4):
            for _ in range(60 + number):
                found = agent.call(f"x{number}", usage={"input_tokens": 30_000})
        runaway = found["runaway"]
        assert runaway.observed == (60 + MOST_KEPT + 3) * 30_000
        assert f"; {MOST_KEPT + 3} more sessions beside it" in runaway.summary
        assert (runaway.blast.sessions, runaway.blast.capped) == (MOST_KEPT + 4, True)
        assert len(runaway.samples) == 3

    def test_before_a_tail_is_known_only_what_is_far_beyond_all_runs_away(self):
        agent = Agent().ordinary(19)
        for _ in range(200):
            assert not agent.call("early", usage={"input_tokens": 30_000})
        agent.says("early", "ended")
        agent = Agent().ordinary(21)
        assert not agent.call("large", usage={"input_tokens": 900_000})
        found = agent.call("runaway", usage={"input_tokens": 1_500_000})
        assert "runs away: 1,500,000 tokens, usually 1" in found["runaway"].summary
        assert found["runaway"].confidence == 0.8

    @pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
    def test_before_a_tail_is_known_the_first_of_a_rare_kind_of_work_runs_not_away(self, share):
        for seed in range(20):
            agent = Agent()
            agent.draw = random.Random(seed)
            for number in range(99):
                size = 100.0 if agent.draw.random() < share else 1.0
                tokens = int(2000 * size * agent.draw.lognormvariate(0, 0.5))
                agent.call(f"s{number}", usage={"input_tokens": tokens, "cost_amount": tokens * 5e-6})
                agent.says(f"s{number}", "ended", after=10.0)
                assert not agent.holding

    def long(self, share, days=3):
        """When a finding begins, of sessions two an hour, this share of which need far more than ever."""
        agent = Agent().ordinary()
        beginnings, holding = [], False
        for number in range(48 * days):
            agent.at += 1700
            tokens = 200_000 if number * share % 1 < share else 1_600
            for _ in range(6):
                agent.call(f"n{number}", usage={"input_tokens": tokens}, after=5.0)
            agent.says(f"n{number}", "ended")
            if agent.holding and not holding:
                beginnings.append(number)
            holding = bool(agent.holding)
        return beginnings, agent

    def test_sessions_that_need_more_for_good_are_told_of_seldom_and_then_normal(self):
        beginnings, agent = self.long(1.0)
        assert 1 <= len(beginnings) <= 3
        assert max(beginnings) <= 48
        assert not agent.holding

    def test_runaways_that_recur_and_are_rare_never_become_normal(self):
        beginnings, _ = self.long(1 / 8, days=5)
        assert max(beginnings) > 4 * 48

    def test_sessions_that_go_astray_for_a_day_are_the_new_normal(self):
        agent = Agent().ordinary()
        for _ in range(200):
            assert agent.call("x") is not None
        for lasting in agent.detector._state.lasting.values():
            lasting.unbroken = agent.at - ADOPTED_S
        agent.at += SETTLED_EVERY_S
        assert not agent.holding
        assert not agent.call("x")


class TestLoops:
    def test_the_same_call_again_and_again_is_told_with_its_tool(self):
        agent = Agent().ordinary()
        for _ in range(12):
            found = agent.call("x", "search", "same")
        loop = found["loop"]
        assert "a session calls search with the same arguments again and again: 12 times" in loop.summary
        assert (loop.observed, loop.baseline, loop.unit) == (12.0, pytest.approx(1.0, rel=0.1), "calls")

    def test_two_calls_in_turn_are_a_loop_too(self):
        agent = Agent().ordinary()
        for number in range(24):
            found = agent.call("x", "search", f"same{number % 2}")
        assert found["loop"]

    def test_one_equal_call_for_each_input_of_a_user_is_none(self):
        agent = Agent()
        for _ in range(60):
            assert not agent.see("x", "receive_input")
            assert not agent.call("x", "calendar", "today")

    def test_one_equal_call_each_ten_minutes_of_a_lasting_conversation_is_none(self):
        agent = Agent()
        for _ in range(60):
            assert not agent.call("x", "calendar", "today", after=600.0)

    def test_calls_that_differ_are_none(self):
        agent = Agent().ordinary()
        for _ in range(49):
            assert not agent.call("x", "search")

    def test_before_enough_is_learnt_it_takes_more_of_them(self):
        agent = Agent()
        for _ in range(24):
            assert not agent.call("x", "search", "same")
        assert agent.call("x", "search", "same")["loop"].confidence == 0.8

    def test_an_agent_that_polls_is_used_to_it(self):
        agent = Agent()
        for number in range(200):
            for _ in range(20):
                agent.call(f"s{number}", "status", "same")
            agent.says(f"s{number}", "ended")
        for _ in range(40):
            assert not agent.call("x", "status", "same")

    def test_calls_without_a_digest_are_not_compared(self):
        agent = Agent()
        for _ in range(40):
            assert not agent.see("x", "execute_tool", tool={"name": "search"})


class TestStuck:
    def test_heartbeats_without_progress_are_told_and_end_with_it(self):
        agent = Agent().ordinary()
        agent.call("x")
        for _ in range(16):
            found = agent.says("x", "running", after=MINUTE_S)
        stuck = found["stuck"]
        assert "a session says it runs but has not got on for 16 minutes" in stuck.summary
        assert (stuck.unit, stuck.observed) == ("seconds without progress", 960.0)
        agent.call("x")
        agent.at += TOLD_S + SETTLED_EVERY_S
        assert "stuck" not in agent.holding

    def test_steps_that_rise_are_progress(self):
        agent = Agent().ordinary()
        for number in range(60):
            assert "stuck" not in agent.says("x", "running", after=MINUTE_S, step=number)

    def test_who_waits_for_a_person_is_not_stuck(self):
        agent = Agent()
        agent.approval("x", "requested")
        for _ in range(60):
            assert not agent.says("x", "running", after=MINUTE_S)
        agent.approval("x", "approved")
        for _ in range(16):
            found = agent.says("x", "running", after=MINUTE_S)
        assert found["stuck"]

    def test_pauses_that_sessions_usually_make_are_learnt(self):
        agent = Agent()
        for _ in range(150):
            for _ in range(14):
                assert not agent.says("x", "running", after=MINUTE_S)
            agent.call("x")
        for _ in range(40):
            assert not agent.says("x", "running", after=MINUTE_S)

    def test_a_call_that_began_is_no_progress_and_no_step(self):
        agent = Agent()
        agent.see("x", "execute_tool", operation={"state": "started", "id": "o"})
        assert agent.detector._runs.open["x"].steps == 0


class TestBounds:
    def test_only_so_many_sessions_are_followed_and_the_finding_says_so(self):
        agent = Agent().ordinary()
        for number in range(MOST_OPEN + 5):
            agent.call(f"y{number}")
        assert len(agent.detector._runs.open) == MOST_OPEN
        for _ in range(200):
            found = agent.call("x")
        assert "(6 sessions beyond the cap not followed)" in found["runaway"].summary

    def test_sessions_that_nobody_touches_end(self):
        agent = Agent().ordinary()
        for _ in range(200):
            agent.call("x")
        agent.at += IDLE_S + 1
        agent.call("y", after=SETTLED_EVERY_S)
        assert list(agent.detector._runs.open) == ["y"]

    def test_one_that_went_astray_and_was_let_go_at_the_cap_is_not_told_for_ever(self):
        agent = Agent().ordinary()
        for _ in range(200):
            agent.call("x")
        for number in range(MOST_OPEN):
            agent.call(f"y{number}", after=0.1)
        agent.at += TOLD_S + SETTLED_EVERY_S
        assert not agent.holding

    def test_sessions_that_go_astray_are_remembered_up_to_a_cap(self):
        agent = Agent().ordinary()
        for number in range(MOST_ASTRAY + 5):
            agent.see(f"x{number}", after=0.01, usage={"input_tokens": 10**6})
        assert len(agent.detector._state.found["runaway"].open) == MOST_ASTRAY
        assert len(msgspec.msgpack.encode(agent.detector.save())) < 60_000

    def test_a_hundred_thousand_tools_fill_it_to_a_bound(self):
        agent = Agent()
        for number in range(100_000):
            tool = {"name": f"t{number}", "arguments_digest": "d"}
            at = START_S + number
            agent.detector.observe(
                event(at, "execute_tool", tool=tool, conversation={"id": f"c{number}"}), at
            )
        assert len(msgspec.msgpack.encode(agent.detector.save())) < 20_000
        assert not agent.detector.findings(at)

    def test_calls_are_never_counted_too_often(self):
        run, draw, exact = Run(0.0, 0.0, 0.0), random.Random(1), {}
        for _ in range(2000):
            digest = min(int(draw.paretovariate(0.7)), 50)
            exact[digest] = exact.get(digest, 0) + 1
            assert run.call(digest) <= exact[digest]
        assert exact[1] - run.repeated[1] <= 2000 / 7

    @pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
    def test_a_clock_that_jumps_by_a_day_lets_no_session_run_away(self, jump_s):
        agent = Agent().ordinary()
        agent.says("x", "started")
        agent.call("x")
        agent.at += max(0.0, jump_s)
        late = event(agent.at + min(0.0, jump_s), conversation={"id": "x"})
        agent.detector.observe(late, agent.at)
        assert not agent.holding

    def test_what_belongs_to_no_session_is_passed_over(self):
        agent = Agent()
        for parts in ({}, {"conversation": {}}, {"conversation": {"id": ""}}):
            agent.detector.observe(event(agent.at, **parts), agent.at)
        agent.says("x", "ended")
        assert not agent.detector._runs.open

    def test_a_tenant_with_one_event_and_a_duration_of_nothing_are_taken(self):
        agent = Agent().ordinary()
        assert not agent.call("x", tenant={"id": "once"}, operation={"duration": 0.0})

    def test_an_agent_renamed_in_mid_stream_goes_on(self):
        """The bank keeps one detector by agent name; within one, names of agents do not matter."""
        agent = Agent().ordinary()
        for number in range(200):
            found = agent.call("x", agent={"name": "a" if number < 50 else "b"})
        assert found["runaway"].observed == 200.0

    def test_long_names_of_sessions_are_shortened(self):
        agent = Agent()
        agent.call("x" * 200)
        assert all(len(each) <= 40 for each in agent.detector._runs.open)

    def test_state_of_another_version_is_refused(self):
        with pytest.raises(ValueError, match="state of session has version 99"):
            Session.load(Watch(), {}, Session(Watch(), {}).save(), 99)
