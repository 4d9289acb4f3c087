"""Parts that got slower: what is told, when it ends, and what a detector makes of odd operations."""

import gzip
import random
from datetime import datetime
from math import nan

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.dense import encoded
from detectors.detector import State
from detectors.latencies.sketch import Sketch, middle_of
from detectors.latencies.slow_series import MOST_A_MINUTE, SlowSeries
from detectors.latency import MOST_PARTS, OTHER, Latency
from detectors.metric import Memory
from detectors.settings import Watch
from schemas.wire import decode_event
from tests.detectors.agent_events import START_S, event

GRID_S = 5.0


class Agent:
    """Shows operations to a detector as the bank would, a few a minute; keeps what it said last."""

    def __init__(self, seed=1):
        self.detector = Latency(Watch(), {})
        self.draw = random.Random(seed)
        self.at = START_S
        self.grid = START_S
        self.found = []
        self.told = set()

    def wait(self, seconds):
        self.at += seconds
        while self.grid + GRID_S <= self.at:
            self.grid += GRID_S
            self.found = list(self.detector.findings(self.grid))
            self.told |= {(each.finding, each.onset) for each in self.found}
        return self

    def call(self, seconds, operation="chat", **data):
        data = {"request": {"model": "gpt-4.1"}, **data}
        self.detector.observe(event(self.at, operation, operation={"duration": seconds}, **data), self.at)

    def minutes(self, count, usual=2.0, a_minute=20, **data):
        for _ in range(count * a_minute):
            session = {"id": f"c{int(self.at) // 30}"}
            self.call(usual * self.draw.lognormvariate(0, 0.4), conversation=session, **data)
            self.wait(60 / a_minute)
        return self

    def restart(self):
        self.detector = Latency.load(Watch(), {}, self.detector.save(), Latency.version)

    @property
    def holding(self):
        return {each.finding: each for each in self.found}


def test_a_model_that_takes_four_times_as_long_is_told_until_it_is_fast_again():
    agent = Agent().minutes(120)
    assert agent.told == set()
    began = agent.at
    agent.minutes(8, 8.0, user={"id": "u"}, tenant={"id": "t" * 60})
    found = agent.holding["slow"]
    assert agent.detector.wake_at is not None
    assert found.labels == {"operation": "chat", "model": "gpt-4.1"}
    assert 0 <= found.onset - began <= 180
    assert 3 < found.magnitude < 5.5
    assert found.unit == "s"
    assert found.observed > found.baseline
    assert found.blast.sessions >= 8
    assert found.blast.users == found.blast.tenants == 1
    assert 0.5 < found.blast.share <= 1
    assert found.confidence > 0.9
    assert len(found.samples) == 3
    assert found.samples[0].text.startswith("chat: ")
    assert found.summary.startswith("chat with gpt-4.1 takes ")
    assert "times the usual" in found.summary
    agent.minutes(30)
    assert agent.found == []
    assert len(agent.told) == 1


def by_chance(agent, hours, usual, an_hour):
    """Calls at random times."""
    until = agent.at + hours * 3600
    while agent.at < until:
        agent.call(usual * agent.draw.lognormvariate(0, 0.4))
        agent.wait(agent.draw.expovariate(an_hour / 3600))
    return agent


@pytest.mark.parametrize("an_hour", [40, 60])
def test_of_who_is_seldom_called_a_lasting_slowness_is_told_once_and_its_end_within_the_hour(an_hour):
    agent = by_chance(Agent(), 72, 2.0, an_hour)
    assert agent.told == set()
    ends, held = 0, False
    until = agent.at + 12 * 3600
    while agent.at < until:
        by_chance(agent, 1 / 60, 20.0, an_hour)
        ends, held = ends + (held and not agent.found), bool(agent.found)
    assert (ends, held, len(agent.told)) == (0, True, 1)
    by_chance(agent, 1, 2.0, an_hour)
    assert agent.found == []


def test_what_is_slow_and_called_no_more_is_over_in_time():
    agent = Agent().minutes(120).minutes(20, 8.0)
    assert "slow" in agent.holding
    for _ in range(12):
        agent.call(1.0, "execute_tool", tool={"name": "other"})
        agent.wait(60)
    assert agent.found == []


def test_a_tail_that_grows_is_told_by_the_tail():
    agent = Agent().minutes(180, a_minute=40)
    for _ in range(12 * 40):
        agent.call(2.0 * agent.draw.lognormvariate(0, 0.4) * (30 if agent.draw.random() < 0.12 else 1))
        agent.wait(1.5)
    found = agent.holding["slow"]
    assert "(p95)" in found.summary
    assert "p50" in found.summary
    assert found.blast.share < 0.5
    agent.minutes(40, 8.0, a_minute=10)
    assert "(p95)" not in "".join(each.summary for each in agent.found)


def test_what_is_slow_is_the_part_before_the_first_chunk_or_the_queue():
    agent = Agent()

    def minutes(count, queue, first):
        for at in range(count * 20):
            wait, chunk = (each * agent.draw.lognormvariate(0, 0.2) for each in (queue, first))
            told = {"response": {"time_to_first_chunk": chunk + wait}, "limits": {"queue_wait": wait}}
            agent.call(wait + chunk + 1, **(told if at % 5 else {}))
            agent.wait(3)

    minutes(120, 0.1, 0.3)
    minutes(8, 5.0, 0.3)
    assert set(agent.holding) == {"slow", "first_chunk", "queue_wait"}
    assert agent.holding["slow"].summary.count(" in the queue and ") == 1
    assert agent.holding["slow"].summary.endswith("before the first chunk")
    assert agent.holding["queue_wait"].summary.startswith("chat with gpt-4.1 waits in the queue for ")
    assert agent.holding["first_chunk"].summary.startswith("the first chunk of chat with gpt-4.1 takes ")


def test_the_median_is_told_of_as_soon_as_it_is_slow_too():
    agent = Agent().minutes(180, a_minute=40).minutes(2, 9.0, a_minute=40)
    tail = agent.holding["slow"]
    agent.minutes(4, 9.0, a_minute=40)
    whole = agent.holding["slow"]
    assert "(p95) since" in tail.summary
    assert "(p50) since" in whole.summary
    assert whole.onset == tail.onset
    assert whole.baseline < tail.baseline


def test_the_words_are_the_tools_name_or_the_operations():
    agent = Agent().minutes(60, tool={"name": "search"}).minutes(8, 9.0, tool={"name": "search"})
    assert agent.holding["slow"].labels == {"operation": "chat", "tool": "search"}
    assert agent.holding["slow"].summary.startswith("search takes ")
    agent = Agent().minutes(60, request={}).minutes(8, 9.0, request={})
    assert agent.holding["slow"].labels == {"operation": "chat"}
    assert agent.holding["slow"].summary.startswith("chat takes ")


def test_what_the_slow_ones_have_in_common_is_named():
    agent = Agent().minutes(60)
    for _ in range(8 * 20):
        slow = agent.draw.random() < 0.7
        who = {"name": "made-up", "version": "v2" if slow else "v1"}
        agent.call((9.0 if slow else 2.0) * agent.draw.lognormvariate(0, 0.3), agent=who)
        agent.wait(3)
    assert agent.holding["slow"].contributors[0].value == "v2"


def test_what_is_slow_for_a_day_is_the_new_normal():
    agent = Agent().minutes(60, a_minute=10).minutes(24 * 60 + 15, 9.0, a_minute=10)
    assert agent.found == []
    assert len(agent.told) == 1
    assert agent.minutes(60, 9.0, a_minute=10).found == []


def test_after_a_silence_it_begins_anew_and_remembers_what_is_usual():
    agent = Agent().minutes(60).minutes(8, 9.0)
    assert agent.found
    agent.wait(3600)
    agent.call(2.0)
    agent.wait(60)
    assert agent.found == []
    assert agent.minutes(16, 9.0).found


def test_a_part_that_is_silent_while_others_go_on_is_slow_no_more():
    agent = Agent().minutes(60).minutes(8, 9.0)
    assert agent.found
    assert agent.minutes(25, request={"model": "other"}).found == []


def test_few_operations_are_joined_over_minutes_and_too_few_are_forgotten():
    agent = Agent().minutes(240, a_minute=4).minutes(10, 30.0, a_minute=4)
    assert agent.holding["slow"].magnitude > 5
    rare = Agent()
    for _ in range(200):
        rare.call(2.0 if rare.at < START_S + 30_000 else 30.0)
        rare.wait(180)
    series = rare.detector._parts["chat", "gpt-4.1"].slow
    assert rare.told == set()
    assert series.window == []
    assert series.minute.count < 8


def test_operations_beyond_the_cap_of_a_minute_are_left_out():
    agent = Agent()
    for _ in range(MOST_A_MINUTE + 50):
        agent.call(1.0)
    series = agent.detector._parts["chat", "gpt-4.1"].slow
    assert len(series.fresh) == MOST_A_MINUTE
    agent.restart()
    agent.call(1.0)
    assert agent.detector._parts["chat", "gpt-4.1"].slow.fresh == []


def test_what_fails_at_once_is_not_fast_and_what_times_out_is_slow():
    agent = Agent().minutes(60)
    series = agent.detector._parts["chat", "gpt-4.1"].slow
    failed = {"error": {"type": "timeout"}}
    agent.wait(60)
    agent.call(0.1, **failed)
    assert series.fresh == []
    agent.call(30.0, **failed)
    assert series.fresh == [30.0]


def test_brief_parts_and_operations_that_contain_others_are_not_followed():
    agent = Agent()
    agent.call(0.001, "execute_tool", tool={"name": "add"})
    agent.call(20.0, "invoke_agent")
    agent.call(20.0, "receive_input")
    agent.detector.observe(event(agent.at), agent.at)
    assert agent.detector._parts == {}


def test_parts_beyond_the_cap_share_one():
    agent = Agent()
    for at in range(MOST_PARTS + 5):
        agent.call(1.0, request={"model": "m" * 100 + str(at)})
        agent.call(1.0, response={"model": f"n{at}"})
    assert len(agent.detector._parts) == MOST_PARTS + 1
    assert (OTHER, "") in agent.detector._parts
    assert agent.detector._parts[OTHER, ""].slow.fresh


def test_the_trend_is_that_of_the_last_minutes():
    agent = Agent().minutes(60)
    trends = set()
    for usual in (4.0, 9.0, 20.0, 45.0, 45.0, 45.0, 10.0, 5.0, 4.0):
        agent.minutes(2, usual)
        trends |= {each.trend for each in agent.found}
    assert trends >= {"rising", "falling"}


def test_more_sessions_and_users_than_are_kept_are_told_as_at_least():
    agent = Agent().minutes(60)
    for at in range(10 * 60):
        agent.call(9.0, conversation={"id": f"s{at}"}, user={"id": f"u{at}"})
        agent.wait(1)
    assert agent.holding["slow"].blast.capped
    assert agent.holding["slow"].blast.sessions <= 64


def test_the_new_normal_is_learnt_anew():
    agent = Agent().minutes(60).minutes(8, 9.0)
    agent.detector.rebase(agent.at)
    assert agent.detector.findings(agent.grid + GRID_S) == []
    assert agent.minutes(60, 9.0).found == []
    agent.detector.configure(Watch(), {})
    with pytest.raises(ValueError, match="version 9"):
        Latency.load(Watch(), {}, agent.detector.save(), 9)


def test_percentiles_are_within_a_fortieth_and_old_durations_fade():
    sketch, other = Sketch(), Sketch()
    assert sketch.quantile(0.5) == 0
    sketch.add([0.01 * at for at in range(1, 1001)])
    assert sketch.quantile(0.5) == pytest.approx(5.0, rel=0.026)
    assert sketch.quantile(0.99) == pytest.approx(9.9, rel=0.026)
    assert sketch.above(9.0) == pytest.approx(100, abs=40)
    other.add([0.0, 1e12, nan])
    sketch.join(other)
    assert sketch.quantile(1.0) == pytest.approx(86_400, rel=0.026)
    assert sketch.quantile(1.1) == pytest.approx(86_400, rel=0.026)
    sketch.fade(2000)
    assert sketch.count == 1003
    sketch.fade(1000)
    assert 400 < sketch.count < 502


def test_a_part_of_which_too_little_is_heard_learns_nothing():
    series = SlowSeries()
    for minute in range(60):
        series.fresh = [2.0] * 9
        series.close(START_S + 600 * minute, START_S + 600 * minute + 60)
    assert series.percentiles.keys() <= {"p50"}
    lone = SlowSeries(closed=4)
    lone.fresh = [2.0] * 9
    lone.close(START_S, START_S + 60)
    assert lone.percentiles == {}
    assert lone.usual_s == 0


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.sampled_from([0.5, 7.0, 61.0, 1000.0])), max_size=60),
    st.integers(0, 60),
)
def test_a_restart_anywhere_changes_no_finding_and_no_byte(calls, cut):
    whole, broken = Agent(), Agent()
    for agent in (whole, broken):
        agent.minutes(45)
        for at, (seconds, gap) in enumerate(calls):
            if agent is broken and at == cut:
                agent.restart()
            for _ in range(9):
                agent.call(seconds, limits={"queue_wait": seconds, "concurrency": at, "concurrency_max": 50})
            agent.wait(gap)
    assert whole.told == broken.told
    assert whole.detector.save() == broken.detector.save()


def test_the_first_chunk_and_the_queue_are_remembered_closely_for_a_day_only():
    series, lasting = SlowSeries(suspicious=False), SlowSeries()
    for minute in range(300 * 5):
        for each in (series, lasting):
            each.fresh = [2.0] * 16
            each.close(START_S + 60 * minute, START_S + 60 * minute + 60)
        assert minute > 1400 or series.percentiles["p50"].memory is not None
    assert series.percentiles["p50"].memory is None
    assert lasting.percentiles["p50"].memory is not None


def test_the_state_is_a_few_kilobytes_a_part():
    agent = Agent().minutes(300, a_minute=60)
    assert len(agent.detector.save().body) < 5_000


def first_version(detector):
    """What the first version kept: durations for bins, a memory of each percentile, and less besides."""
    state = msgspec.msgpack.decode(detector.save().body)
    for part in state[0]:
        for series in part[3:6]:
            if series is not None:
                series[13] = [[middle_of(place) for place in row] for row in series[13]]
                del series[14]
                for percentile in series[6].values():
                    percentile[0] = percentile[0] or msgspec.msgpack.decode(encoded(Memory()))
                    quiet = Sketch.unpacked(percentile[1])
                    percentile[1] = [quiet.bins, quiet.count]
                    del percentile[6]
    return State(msgspec.msgpack.encode(state))


def test_a_state_of_the_first_version_is_continued():
    agent, told = Agent(), {"limits": {"queue_wait": 0.1}}
    agent.minutes(60, a_minute=120, **told).minutes(8, 9.0, a_minute=120, **told)
    state = agent.detector.save()
    continued = Latency.load(Watch(), {}, first_version(agent.detector), 1)
    assert continued.save() == state
    assert continued.findings(agent.grid) == agent.detector.findings(agent.grid)


@pytest.mark.data
def test_real_traffic_with_durations_by_tokens_is_left_in_peace_and_a_slow_provider_is_told(shared_data):
    rows = []
    with gzip.open(shared_data("azure_llm_2023_conv.csv.gz"), "rt") as lines:
        next(lines)
        for line in lines:
            time, context, generated = line.split(",")
            at = (datetime.fromisoformat(time[:26]) - datetime(2023, 11, 16)).total_seconds()  # noqa: DTZ001 - as told
            rows.append((at, int(context), int(generated)))
    for slow, expected in ((1.0, set()), (4.0, {"slow", "first_chunk"})):
        agent = Agent()
        agent.at = agent.grid = START_S + rows[0][0] // 5 * 5
        for at, context, generated in rows:
            agent.wait(START_S + at - agent.at)
            times = slow if at > rows[0][0] + 3000 else 1.0
            first = (0.2 + context * 5e-5) * agent.draw.lognormvariate(0, 0.4) * times
            rest = generated * 0.02 * agent.draw.lognormvariate(0, 0.2) * times
            agent.call(first + rest, response={"time_to_first_chunk": first})
        assert {finding for finding, _ in agent.told} == expected


@pytest.mark.data
def test_real_sessions_tell_of_nothing(shared_data):
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        events = [decode_event(line) for line in lines]
    agent = Agent()
    agent.at = agent.grid = events[0].time.timestamp() // 5 * 5
    for each in events:
        agent.wait(each.time.timestamp() - agent.at)
        if each.type in Latency.watches:
            agent.detector.observe(each, agent.at)
    assert agent.told == set()
