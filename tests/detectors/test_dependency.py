"""Dependencies: what each of the five findings needs, what it says, what ends it, and what is none."""

import random

import msgspec
import pytest

from detectors.dependencies.blame import blame
from detectors.dependencies.dependency_streams import ALL_FAIL, HANGING_S
from detectors.dependencies.open_calls import MOST_CALLS, MOST_ENDED, MOST_REQUIRED, MOST_SESSIONS
from detectors.dependency import MOST_TOOLS, OTHER, UNUSED_S, Dependency
from detectors.detector import STALE_S
from detectors.settings import Watch
from schemas.event import Failure
from tests.detectors.agent_events import START_S, event

MINUTE_S = 60.0
DAY_S = 86_400.0
TIMEOUT = {"type": "timeout", "class": "retryable"}
LIMITED = {"type": "rate_limit_exceeded", "class": "retryable", "http_status_code": 429}
WRONG = {"type": "user_not_found", "class": "non_retryable"}


class Agent:
    """One agent under watch: events come, findings are asked for on the grid of five seconds."""

    def __init__(self, **options):
        self.detector = Dependency(Watch(), options)
        self.at = self.grid = START_S
        self.count = 0
        self.seen = []
        self.held = {}

    def wait(self, seconds):
        """Time passes without events; returns what holds then, by finding and dependency."""
        self.at += seconds
        while self.grid <= self.at:
            found = self.detector.findings(self.grid)
            self.seen += [(self.grid, each.finding) for each in found]
            self.held = {(each.finding, each.labels["dependency"]): each for each in found}
            self.grid += 5.0
        return self.held

    def see(self, name, kind="agent.operation.v1", /, **data):
        self.detector.observe(event(self.at, name, kind, **data), self.at)

    def call(self, tool="refund", error=None, session=None, **operation):
        """A call of a tool that ended, of a session of its own."""
        self.count += 1
        parts = {"tool": {"name": tool}, "conversation": {"id": session or f"c{self.count}"}}
        if error:
            parts["error"] = error
        self.see("execute_tool", **parts, operation=operation)

    def chat(self, provider="openai", error=None, **data):
        self.count += 1
        parts = {"provider": {"name": provider}, "conversation": {"id": f"c{self.count}"}, **data}
        self.see("chat", **parts, **({"error": error} if error else {}))

    def ends(self, session, error=None):
        parts = {"conversation": {"id": session, "state": "ended"}, **({"error": error} if error else {})}
        self.see("invoke_agent", "agent.session.v1", **parts)

    def each(self, seconds, every, what):
        """`what` each so many seconds, for a while; returns what holds then."""
        for _ in range(int(seconds / every)):
            what()
            found = self.wait(every)
        return found

    def first(self, finding):
        return min(at for at, name in self.seen if name == finding)


class Seldom:
    """A tool that is called at random times; it is asked when its detector wishes."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.detector = Dependency(Watch(), {})
        self.at = START_S
        self.opened = []
        self.holds = False

    @property
    def slow_s(self):
        return self.detector._tools["search"].slow_s

    def go_on(self, hours, per_hour, seconds):
        until = self.at + hours * 3600
        while (after := self.at + self.draw.expovariate(per_hour / 3600)) < until:
            self.wait(after)
            self.call(seconds * self.draw.lognormvariate(0, 0.5))
        return self.wait(until)

    def call(self, seconds):
        name = {"id": f"c{self.at}"}
        of = {"tool": {"name": "search"}, "conversation": name, "operation": {"duration": seconds}}
        self.detector.observe(event(self.at, "execute_tool", **of), self.at)
        self.ask(self.at)

    def wait(self, until):
        while (wish := self.detector.wake_at) is not None and wish <= until:
            self.ask(wish)
        self.at = until
        return self

    def ask(self, at):
        holds = any(each.finding == "slow" for each in self.detector.findings(at))
        if holds and not self.holds:
            self.opened.append(at)
        self.holds = holds


def healthy(minutes=120, every=5.0, **operation):
    """An agent whose calls have gone well for a while."""
    agent = Agent()
    assert not agent.each(minutes * MINUTE_S, every, lambda: agent.call(**operation))
    return agent


class TestFailing:
    def test_a_tool_that_goes_down_is_told_at_its_ninth_failure_with_types_and_onset(self):
        agent = healthy()
        down = agent.at
        agent.each(2 * MINUTE_S, 5.0, lambda: agent.call(error=TIMEOUT))
        assert agent.first("failing") - down <= 45.0
        found = agent.held[("failing", "refund")]
        assert found.labels == {"dependency": "refund", "kind": "tool"}
        assert found.onset == down
        assert (
            found.summary == "tool refund fails: 24 of 24 calls since 02:00 UTC (usually 0.0%): timeout (24)"
        )
        assert (found.observed, found.unit, found.magnitude_unit) == (1.0, "share", "burn_rate")
        assert found.magnitude == 10.0
        assert found.blast.sessions == 24
        assert found.contributors[0].dimension == "error type"
        assert len(found.samples) == 3

    def test_one_tool_of_many_is_told_though_few_of_all_calls_fail(self):
        agent = Agent()
        names = [f"tool{number}" for number in range(10)]

        def round_of_calls():
            for name in names:
                agent.call(name, TIMEOUT if name == "tool3" and agent.at > START_S + 3600 else None)

        found = agent.each(4200, 20.0, round_of_calls)
        assert list(found) == [("failing", "tool3")]

    def test_a_provider_that_goes_down_is_told_as_a_provider(self):
        agent = Agent()
        agent.each(3600, 5.0, agent.chat)
        found = agent.each(
            60, 5.0, lambda: agent.chat(error={"type": "503", "class": "retryable", "final": False})
        )
        assert found[("failing", "openai")].labels["kind"] == "provider"

    def test_it_ends_when_calls_go_well_again(self):
        agent = healthy()
        agent.each(5 * MINUTE_S, 5.0, lambda: agent.call(error=TIMEOUT))
        assert agent.each(9 * MINUTE_S, 5.0, agent.call)
        assert not agent.each(6 * MINUTE_S, 5.0, agent.call)
        assert agent.detector.wake_at is None

    def test_requests_that_were_wrong_are_answers_however_many(self):
        agent, draw = healthy(), random.Random(1)
        assert not agent.each(7200, 5.0, lambda: agent.call(error=WRONG if draw.random() < 0.45 else None))

    def test_where_nothing_else_comes_for_long_the_tool_is_down_whatever_it_says(self):
        agent = healthy()
        down = agent.at
        found = agent.each(300, 5.0, lambda: agent.call(error=WRONG))
        assert found[("failing", "refund")].onset == down + (ALL_FAIL - 1) * 5.0

    def test_calls_that_go_to_a_person_are_no_failure(self):
        agent = healthy()
        to_person = {"type": "approval_required"}
        assert not agent.each(300, 5.0, lambda: agent.call(error=to_person))

    def test_the_new_normal_ends_it(self):
        agent, draw = healthy(), random.Random(1)
        assert agent.each(7200, 5.0, lambda: agent.call(error=TIMEOUT if draw.random() < 0.3 else None))
        agent.detector.rebase(agent.at)
        assert not agent.wait(5.0)
        assert not agent.each(7200, 5.0, lambda: agent.call(error=TIMEOUT if draw.random() < 0.3 else None))

    def test_an_agent_that_was_silent_for_long_begins_anew(self):
        agent = healthy()
        agent.each(120, 5.0, lambda: agent.call(error=TIMEOUT))
        agent.wait(STALE_S + 10)
        assert not agent.wait(5.0)

    def test_a_tool_that_is_called_no_more_is_stale_though_its_agent_goes_on(self):
        agent = healthy()
        assert agent.each(120, 5.0, lambda: agent.call(error=TIMEOUT))
        last = agent.at
        labels = {"finding": "failing", "kind": "tool", "dependency": "refund"}
        assert not agent.each(STALE_S + 60, 5.0, lambda: agent.call("lookup"))
        assert agent.detector.unheard(labels, last + STALE_S)
        assert not agent.detector.unheard(labels, last + 60)
        assert not agent.detector.unheard({**labels, "finding": "unseen"}, last + STALE_S)
        assert not agent.detector.unheard({**labels, "kind": "provider"}, last + STALE_S)

    @pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
    def test_a_tool_with_two_calls_an_hour_that_is_down_for_half_a_day_is_one_finding(self):
        agent, draw = Agent(), random.Random(4)
        for error in [None] * 60 + [TIMEOUT] * 24:
            agent.call(error=error)
            agent.wait(draw.expovariate(1 / 1800.0))
        held = [at for at, name in agent.seen if name == "failing"]
        assert held == [held[0] + 5.0 * step for step in range(len(held))]

    def test_twenty_failures_in_a_row_count_over_ordinary_gaps_and_not_over_a_night(self):
        agent = Agent()
        agent.each(20 * 1200, 1200.0, agent.call)
        agent.each(6 * 1200, 1200.0, lambda: agent.call(error=WRONG))
        streams = agent.detector._tools["refund"]
        assert streams.row == 6
        agent.wait(DAY_S)
        agent.call(error=WRONG)
        assert streams.row == 1


class TestWhoseFault:
    @pytest.mark.parametrize(
        ("failure", "whose"),
        [
            (Failure(type="timeout"), "down"),
            (Failure(type="http", http_status_code=502), "down"),
            (Failure(type="rate_limit_exceeded"), "limited"),
            (Failure(type="error", http_status_code=429), "limited"),
            (Failure(type="rate_limit", final=True), "down"),
            (Failure(type="rate_limit", final=False, attempt=9), "limited"),
            (Failure(type="rate_limit", attempt=3), "down"),
            (Failure(type="insufficient_quota", http_status_code=429), "refused"),
            (Failure(type="error", http_status_code=401), "refused"),
            (Failure(type="invalid_api_key"), "refused"),
            (Failure(type="order_not_found"), "request"),
            (Failure(type="RuntimeError"), "request"),
            (Failure(type="guardrail_blocked"), "person"),
        ],
    )
    def test_is_told_by_words_status_and_class(self, failure, whose):
        assert blame(failure) == whose


class TestRateLimited:
    def test_refusals_by_rate_are_a_finding_of_their_own(self):
        agent, draw = Agent(), random.Random(1)
        agent.each(3600, 5.0, agent.chat)
        found = agent.each(300, 5.0, lambda: agent.chat(error=LIMITED if draw.random() < 0.6 else None))
        (limited,) = found.values()
        assert (limited.finding, limited.magnitude_unit) == ("rate_limited", "ratio")
        assert limited.labels == {"dependency": "openai", "kind": "provider"}
        assert limited.summary.startswith("provider openai limits the rate: ")
        assert limited.summary.endswith("rate_limit_exceeded (38)")

    @pytest.mark.parametrize("every_s", [1800.0, 900.0, 60.0])
    def test_what_is_usual_counts_the_calls_that_went_well_whatever_the_gaps(self, every_s):
        agent, draw = Agent(), random.Random(7)
        for _ in range(1500):
            agent.chat(error=LIMITED if draw.random() < 0.03 else None)
            agent.at += draw.expovariate(1 / every_s)
            agent.detector.findings(agent.at)
        gauge = agent.detector._providers["openai"].answers.retrying
        assert gauge.usual_share == pytest.approx(0.03, abs=0.012)
        assert gauge.allowed(agent.at, agent.detector._terms["provider"]) < 0.13


class TestSlow:
    def test_calls_that_take_many_times_as_long_are_told_with_the_limit(self):
        agent, draw = Agent(), random.Random(1)
        agent.each(7200, 5.0, lambda: agent.call(duration=draw.lognormvariate(0, 0.3)))
        began = agent.at
        found = agent.each(120, 5.0, lambda: agent.call(duration=draw.lognormvariate(2.3, 0.3)))
        slow = found[("slow", "refund")]
        assert agent.first("slow") - began <= 60
        assert "tool refund is slow: 24 of 24 calls since 02:00 UTC took over 3." in slow.summary
        assert not [each for each in slow.contributors if each.dimension == "error type"]

    @pytest.mark.parametrize(("per_hour", "within_h"), [(3, 10), (6, 6)])
    def test_of_who_is_seldom_called_a_lasting_slowness_is_told_once_and_nothing_is_learnt_of_it(
        self, per_hour, within_h
    ):
        for seed in range(3):
            agent = Seldom(seed).go_on(72, per_hour, 0.5)
            assert agent.opened == []
            began, limit = agent.at, agent.slow_s
            agent.go_on(48, per_hour, 5.0)
            assert len(agent.opened) == 1
            assert agent.opened[0] - began <= within_h * 3600
            assert agent.holds
            assert agent.slow_s <= 1.6 * limit
            agent.go_on(24, per_hour, 0.5)
            assert not agent.holds

    def test_slow_calls_that_are_no_slowness_are_learnt(self):
        agent = Seldom(1).go_on(48, 6, 0.5)
        limit = agent.slow_s
        for _ in range(12):
            agent.go_on(8, 6, 0.5).call(1.5 * agent.slow_s)
        assert agent.opened == []
        assert agent.slow_s > limit

    def test_a_tool_of_milliseconds_is_not_slow_below_a_second(self):
        agent = healthy(duration=0.002)
        assert not agent.each(600, 5.0, lambda: agent.call(duration=0.9))

    @pytest.mark.parametrize("nothing", [0.0, None])
    def test_durations_of_nothing_are_taken(self, nothing):
        operation = {} if nothing is None else {"duration": nothing}
        agent = healthy(**operation)
        assert not agent.each(600, 5.0, lambda: agent.call(**operation))

    def test_while_it_lasts_nothing_of_it_is_learnt(self):
        agent, draw = Agent(), random.Random(1)
        agent.each(7200, 5.0, lambda: agent.call(duration=draw.lognormvariate(0, 0.3)))
        found = agent.each(4 * 3600, 5.0, lambda: agent.call(duration=60.0))
        assert ("slow", "refund") in found


class TestHanging:
    def begin(self, agent, tool="refund"):
        agent.count += 1
        which = {"id": f"op{agent.count}", "state": "started"}
        parts = {"tool": {"name": tool}, "conversation": {"id": f"c{agent.count}"}}
        agent.see("execute_tool", **parts, operation=which)
        return which["id"]

    def answered(self, agent):
        agent.call(id=self.begin(agent), duration=0.5)

    def test_calls_that_do_not_end_are_told_though_nothing_else_comes(self):
        agent = Agent()
        agent.each(7200, 5.0, lambda: self.answered(agent))
        began = agent.at
        agent.each(120, 5.0, lambda: self.begin(agent))
        assert agent.detector.wake_at is not None
        found = agent.wait(60.0)[("hanging", "refund")]
        assert agent.first("hanging") - began <= 60 + 45
        assert found.onset == began + 60
        assert (
            "tool refund does not answer: 24 of 24 calls since 02:01 UTC did not end in 60 s" in found.summary
        )
        assert found.samples[0].text == "never answered"

    def test_where_it_is_not_known_how_long_calls_take_it_waits_for_five_minutes(self):
        agent = Agent()
        for _ in range(30):
            agent.call(id=self.begin(agent))
            agent.wait(5.0)
        began = agent.at
        agent.each(120, 5.0, lambda: self.begin(agent))
        agent.wait(300)
        assert agent.first("hanging") >= began + HANGING_S

    def test_a_producer_that_never_says_that_calls_end_is_not_believed(self):
        agent = Agent()
        assert not agent.each(7200, 5.0, lambda: self.begin(agent))

    def test_a_call_whose_end_overtook_its_beginning_is_not_waited_for(self):
        agent = Agent()
        agent.each(3600, 5.0, lambda: self.answered(agent))
        for _ in range(100):
            agent.count += 1
            agent.call(id=f"op{agent.count}", duration=0.5)
            agent.count -= 2
            self.begin(agent)
            agent.count += 1
            agent.wait(5.0)
        assert not agent.detector._state.calls.calls
        for number in range(200):
            agent.call(id=f"never-began{number}")
        assert len(agent.detector._state.calls.ended) == MOST_ENDED

    def test_calls_without_an_id_are_not_waited_for(self):
        agent = Agent()
        agent.see("execute_tool", tool={"name": "x"}, operation={"state": "started"})
        assert agent.detector.wake_at is None

    def test_only_so_many_are_waited_for_and_those_dropped_are_counted(self):
        agent = Agent()
        for _ in range(MOST_CALLS + 5):
            self.begin(agent)
        calls = agent.detector._state.calls
        assert (len(calls.calls), calls.dropped) == (MOST_CALLS, 5)

    def test_a_dependency_that_made_room_meanwhile_is_not_blamed(self):
        agent = Agent()
        self.begin(agent, "gone")
        agent.detector._state.tool.clear()
        assert not agent.wait(HANGING_S + 10)
        assert not agent.detector._state.calls.calls


class TestUnseen:
    def session(self, agent, failed, error=None, **operation):
        agent.count += 1
        name = f"s{agent.count}"
        agent.call("lookup", session=name, required=True)
        agent.call("refund", WRONG if failed else None, name, required=True, **operation)
        agent.ends(name, error)

    def test_sessions_that_end_well_though_a_required_call_failed_are_told(self):
        agent = Agent()
        agent.each(7200, 20.0, lambda: self.session(agent, failed=False))
        began = agent.at
        found = agent.each(240, 20.0, lambda: self.session(agent, failed=True))
        assert list(found) == [("unseen", "refund")]
        assert agent.first("unseen") - began <= 160
        assert found[("unseen", "refund")].summary.startswith(
            "failures of tool refund go unseen: 12 of 12 sessions since 02:00 UTC ended well though a "
        )
        assert found[("unseen", "refund")].summary.endswith("required call failed: user_not_found (12)")

    def test_a_session_that_fails_itself_hides_nothing(self):
        agent = Agent()
        agent.each(3600, 20.0, lambda: self.session(agent, failed=False))
        assert not agent.each(300, 20.0, lambda: self.session(agent, failed=True, error=WRONG))

    def test_a_required_call_that_goes_well_in_the_end_hides_nothing(self):
        agent = Agent()

        def retried():
            agent.count += 1
            name = f"s{agent.count}"
            agent.call("refund", WRONG, name, required=True)
            agent.call("refund", None, name, required=True)
            agent.ends(name)

        assert not agent.each(3600, 20.0, retried)

    def test_sessions_without_a_name_or_with_more_than_are_kept_are_left_out(self):
        agent = Agent()
        agent.see("execute_tool", tool={"name": "x"}, operation={"required": True}, error=WRONG)
        for number in range(MOST_SESSIONS + 5):
            agent.call("refund", WRONG, f"s{number}", required=True)
        for number in range(MOST_REQUIRED + 5):
            agent.call(f"t{number}", None, "many", required=True)
        sessions = agent.detector._state.required.sessions
        assert len(sessions) == MOST_SESSIONS
        assert len(sessions["many"]) == MOST_REQUIRED

    def test_a_dependency_that_made_room_meanwhile_is_passed_over(self):
        agent = Agent()
        agent.call("refund", WRONG, "s", required=True)
        agent.detector._state.tool.clear()
        agent.wait(600)
        agent.ends("s")
        assert not agent.wait(10)


class TestBounds:
    def test_tools_beyond_the_cap_share_one_place_and_are_still_watched(self):
        agent = Agent()
        for number in range(100_000):
            agent.see("execute_tool", tool={"name": f"t{number}"}, operation={"duration": 0.1})
        assert len(agent.detector._state.tool) == MOST_TOOLS + 1
        found = agent.each(60, 1.0, lambda: agent.call(f"t{agent.count + 10**6}", TIMEOUT))
        assert list(found) == [("failing", OTHER)]
        assert len(msgspec.msgpack.encode(agent.detector.save())) < 60_000

    def test_one_that_was_not_called_for_a_day_makes_room(self):
        agent = Agent()
        for number in range(MOST_TOOLS):
            agent.call(f"t{number}")
        agent.wait(UNUSED_S - 60)
        agent.call("t1")
        agent.wait(120)
        agent.call("new")
        assert "new" in agent.detector._state.tool
        assert "t0" not in agent.detector._state.tool
        assert OTHER not in agent.detector._state.tool

    def test_names_without_end_are_cut(self):
        agent = Agent()
        agent.call("x" * 200)
        agent.call("x" * 200)
        assert list(agent.detector._state.tool) == ["x" * 64]

    def test_a_tool_with_one_call_that_fails_is_no_finding(self):
        agent = Agent()
        for number in range(12):
            agent.call(f"t{number}", TIMEOUT)
            assert not agent.wait(60)

    @pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
    def test_a_clock_that_jumps_by_a_day_makes_no_finding_and_hides_none(self, jump_s):
        agent = healthy(duration=0.5)
        agent.at += max(0.0, jump_s)
        agent.grid = max(agent.grid, agent.at)
        late = event(agent.at + min(0.0, jump_s), "execute_tool", tool={"name": "refund"})
        agent.detector.observe(late, agent.at)
        assert not agent.each(600, 5.0, agent.call)
        assert agent.each(120, 5.0, lambda: agent.call(error=TIMEOUT))

    def test_what_is_no_call_is_passed_over(self):
        agent = Agent()
        agent.see("execute_tool")
        agent.see("receive_input")
        agent.see("chat", provider={"name": ""})
        agent.see("invoke_agent", "agent.session.v1", conversation={"id": "c", "state": "started"})
        agent.ends("c")
        agent.see("invoke_agent", "agent.session.v1", provider={"name": "x"}, conversation={"state": "ended"})
        assert not agent.detector._state.provider

    def test_an_agent_renamed_in_mid_stream_keeps_its_dependencies(self):
        """The bank keeps one detector by agent name; within one, names of agents do not matter."""
        agent = healthy()
        found = agent.each(
            60,
            5.0,
            lambda: agent.see("execute_tool", tool={"name": "refund"}, agent={"name": "b"}, error=TIMEOUT),
        )
        assert ("failing", "refund") in found

    def test_state_of_another_version_is_refused(self):
        with pytest.raises(ValueError, match="state of dependency has version 99"):
            Dependency.load(Watch(), {}, Dependency(Watch(), {}).save(), 99)
