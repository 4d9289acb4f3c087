"""Cost that breaks out: spikes by model, sessions far dearer than others, and what is left alone."""

import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contrast import OTHER
from detectors.cost import MOST_MODELS, Cost
from detectors.costs.cost_series import MOST_SESSIONS, WAITING, CostSeries, Minute
from detectors.costs.cost_sessions import IDLE_S, MOST_DEAR, MOST_OPEN, CostSessions
from detectors.lasting import ADOPTED_S
from detectors.settings import Watch
from schemas.wire import decode_event
from tests.detectors.agent_events import START_S, event

GRID_S = 5.0


class Agent:
    """One agent under watch; findings are asked for on the grid of five seconds."""

    def __init__(self, at=START_S):
        self.detector = Cost(Watch(), {})
        self.at = self.grid = at
        self.told = []
        self.draw = random.Random(4)
        self.count = 0

    def wait(self, seconds):
        self.at += seconds
        while self.grid <= self.at:
            for each in (found.told() for found in self.detector.findings(self.grid)):
                about = (each.finding, each.labels.get("model", ""), each.onset)
                if about not in {old for _, old, _ in self.told}:
                    self.told.append((self.grid, about, each))
            self.grid += GRID_S
        return self.holding

    @property
    def spikes(self):
        return [each for _, (finding, _, _), each in self.told if finding == "spike"]

    @property
    def holding(self):
        return {each.finding: each.told() for each in self.detector.findings(self.grid - GRID_S)}

    def asked(self, at):
        return [each.told() for each in self.detector.findings(at)]

    def see(self, each):
        self.detector.observe(each, self.at)

    def call(self, cost, session=None, model="m", **data):
        usage = {"cost_amount": cost, "cost_currency": "USD", "input_tokens": 900, "output_tokens": 100}
        named = {"conversation": {"id": session}} if session else {}
        self.see(event(self.at, **{"request": {"model": model}, "usage": usage, **named, **data}))

    def end(self, session):
        self.see(
            event(self.at, "invoke_agent", "agent.session.v1", conversation={"id": session, "state": "ended"})
        )

    def minutes(self, count, times=1.0, calls=12, **data):
        """So many minutes of calls of about a cent, in sessions of four calls each."""
        for _ in range(count * calls):
            self.count += 1
            session = f"s{self.count // 4}"
            self.call(0.01 * times * self.draw.lognormvariate(0, 0.4), session, **data)
            if self.count % 4 == 3:
                self.end(session)
            self.wait(60.0 / calls)
        return self

    def restart(self):
        state = self.detector.save()
        self.detector = Cost.load(Watch(), {}, state, Cost.version)
        assert self.detector.save() == state


# -- spikes -------------------------------------------------------------------------------------------


def test_a_tripled_cost_is_told_within_minutes_with_how_much_more_and_why():
    agent = Agent().minutes(90)
    began = agent.at
    agent.minutes(8, 3.0, tenant={"id": "acme"})
    at, (_, model, onset), _ = next(told for told in agent.told if told[1][0] == "spike")
    assert model == "m"
    assert began - 60 <= onset <= began + 60
    assert at <= began + 360
    found = agent.holding["spike"]
    assert 2.3 < found.magnitude < 3.7
    assert found.magnitude_unit == "ratio"
    assert found.blast.sessions >= 3
    assert "tokens per interaction x1.0, price per token x" in found.summary
    assert ("tenant", "acme") in {(each.dimension, each.value) for each in found.contributors}
    assert len(found.samples) == 3
    assert "900 tokens in, 100 out" in found.samples[0].text
    assert found.confidence > 0.9


def test_cheaper_calls_are_nobodys_trouble():
    agent = Agent().minutes(90).minutes(30, 0.1)
    assert agent.told == []


def test_before_an_hour_of_means_nothing_is_judged():
    agent = Agent().minutes(40).minutes(15, 20.0)
    assert agent.spikes == []


def test_a_new_model_has_a_warm_up_of_its_own():
    agent = Agent().minutes(90).minutes(30, 40.0, model="dear")
    assert all(finding == "session" for _, (finding, _, _), _ in agent.told)


def test_one_dear_session_is_no_spike_however_dear():
    agent = Agent().minutes(90)
    for _ in range(60):
        agent.call(0.2, "one")
        agent.wait(5)
    assert {finding for _, (finding, _, _), _ in agent.told} == {"session"}


def test_it_ends_when_ten_minutes_are_back_and_a_repeat_is_found_again():
    agent = Agent().minutes(120).minutes(6, 4.0)
    assert "spike" in agent.holding
    agent.minutes(13)
    assert agent.holding == {}
    agent.minutes(6, 4.0)
    assert "spike" in agent.holding
    assert len(agent.spikes) == 2


def test_what_stays_for_a_day_is_told_once_and_then_normal():
    agent = Agent().minutes(90, calls=8)
    agent.minutes(int(ADOPTED_S // 60) + 240, 4.0, calls=8)
    assert len(agent.spikes) == 1
    assert agent.holding == {}


def test_traffic_that_is_too_thin_for_a_mean_is_joined_over_minutes():
    agent = Agent()
    for _ in range(600):
        agent.minutes(1, calls=1)
    series = agent.detector._series["m"]
    assert 70 <= series.means.count <= 75


def test_the_open_minute_is_closed_although_no_event_comes():
    agent = Agent()
    assert agent.detector.wake_at is None
    for _ in range(10):
        agent.call(0.01)
    assert agent.detector.wake_at == START_S + 60
    agent.wait(61)
    assert agent.detector._series["m"].means.count == 1
    assert agent.detector.wake_at is None


def test_after_a_long_silence_it_begins_anew():
    agent = Agent().minutes(120).minutes(6, 4.0)
    agent.wait(3600)
    agent.call(0.01)
    assert agent.holding == {}


def test_models_beyond_the_cap_share_a_series():
    agent = Agent()
    for at in range(MOST_MODELS + 20):
        agent.call(0.01, model=f"m{at}")
    assert len(agent.detector._series) == MOST_MODELS + 1
    assert agent.detector._series[OTHER].minute.count == 20
    agent.call(0.01, request={}, response={"model": "m3"})
    agent.call(0.01, request={})
    agent.call(0.01, model="m4", conversation={})
    assert agent.detector._series["m3"].minute.count == 2


def test_other_currencies_are_left_out_and_counted():
    agent = Agent().minutes(120)
    for _ in range(40):
        agent.see(
            event(agent.at, request={"model": "m"}, usage={"cost_amount": 99.0, "cost_currency": "JPY"})
        )
    assert agent.told == []
    agent.minutes(6, 4.0)
    assert agent.holding["spike"].summary.endswith(" (40 costs in JPY left out)")
    for at in range(6):
        agent.see(event(agent.at, usage={"cost_amount": 1.0, "cost_currency": f"AA{'ABCDEF'[at]}"}))
    assert agent.holding["spike"].summary.endswith(" (46 costs in AAA, AAB, AAC, JPY, (other) left out)")


def test_free_calls_and_calls_without_tokens_do_no_harm():
    agent = Agent()
    for _ in range(10):
        agent.call(0.0, "free")
    agent.end("free")
    agent.wait(61)
    assert agent.detector._series["m"].means.count == 0
    bare = {"usage": {"cost_amount": 0.01}, "request": {}}
    for minute in range(100):
        for call in range(12):
            agent.call(
                0.01 * (1 if minute < 90 else 4),
                f"x{minute}-{call}",
                **{
                    **bare,
                    "usage": {
                        "cost_amount": 0.01 * agent.draw.lognormvariate(0, 0.4) * (1 if minute < 90 else 4),
                        "cost_component": "tool",
                    },
                },
            )
            agent.wait(5)
    assert agent.holding["spike"].labels == {}
    assert "tokens" not in agent.holding["spike"].summary
    assert agent.holding["spike"].blast.capped is (
        len(agent.detector._series[""].rise.sessions) >= MOST_SESSIONS
    )


# -- sessions -------------------------------------------------------------------------------------------


def test_a_session_that_runs_away_is_told_while_it_runs_and_until_it_ends():
    agent = Agent().minutes(90)
    for _ in range(30):
        agent.call(0.1, "runaway")
        agent.wait(20)
    found = agent.holding["session"]
    assert found.magnitude > 4
    assert found.samples[0].conversation == "runaway"
    assert found.samples[0].event.startswith("made-up/")
    onset = found.onset
    agent.call(0.1, "another" + "y" * 60)
    for _ in range(20):
        agent.call(0.1, "another" + "y" * 60)
    agent.wait(5)
    assert agent.holding["session"].onset == onset
    assert "2 sessions cost up to" in agent.holding["session"].summary
    agent.end("runaway")
    agent.end("another" + "y" * 60)
    agent.wait(400)
    assert "session" not in agent.holding


def test_it_is_said_where_the_money_of_dear_sessions_goes():
    agent = Agent().minutes(90)
    for _ in range(30):
        agent.call(0.1, "runaway", tool={"name": "search"}, tenant={"id": "acme"})
        agent.wait(20)
    stands_out = {(each.dimension, each.value): each for each in agent.holding["session"].contributors}
    assert stands_out["tool", "search"].share == 1.0
    assert ("tenant", "acme") in stands_out
    assert ("model", "m") not in stands_out


def test_a_dear_session_is_not_learnt_as_normal():
    sessions = CostSessions(span_s=30 * 86400.0)
    one = event(START_S)
    for at in range(400):
        sessions.add(f"s{at}", 0.01 + 0.0001 * (at % 50), START_S + at, one)
        sessions.end(f"s{at}", START_S + at)
    limit = sessions.limit
    for at in range(5):
        sessions.add(f"d{at}", 1000.0, START_S + 500 + at, one)
        sessions.end(f"d{at}", START_S + 500 + at)
    assert sessions.limit is not None
    assert sessions.limit <= limit * 1.1
    assert sessions.dear is not None
    assert sessions.dear.count == 5


def test_open_sessions_are_bounded_and_the_longest_untouched_goes_first():
    sessions, one = CostSessions(span_s=1.0), event(START_S)
    for at in range(MOST_OPEN):
        sessions.add(f"s{at}", 0.01, START_S + at, one)
    sessions.add("s0", 0.01, START_S + 1000, one)
    sessions.add("new", 0.01, START_S + 1001, one)
    assert len(sessions.spent) == MOST_OPEN
    assert "s0" in sessions.spent
    assert "s1" not in sessions.spent
    assert sessions.evicted == 1


def test_a_session_untouched_for_half_an_hour_has_ended():
    sessions, one = CostSessions(span_s=1.0), event(START_S)
    sessions.add("old", 0.01, START_S, one)
    sessions.add("young", 0.01, START_S + 1500, one)
    sessions.settle(START_S + IDLE_S + 1)
    assert list(sessions.spent) == ["young"]
    assert sessions.costs.count == 1


def test_dear_sessions_that_stay_for_a_day_are_the_new_normal():
    sessions, one = CostSessions(span_s=1.0, limit=1.0, usual=0.1), event(START_S)
    sessions.add("dear", 2.0, START_S, one)
    sessions.add("dear", 2.0, START_S + 86_000, one)
    sessions.settle(START_S + 86_399)
    assert sessions.dear is not None
    sessions.settle(START_S + 86_400)
    assert sessions.dear is None
    assert sessions.limit is None


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_a_level_of_sessions_that_moved_for_good_is_told_of_a_few_times_and_then_normal():
    """Twelve sessions an hour; from the fifth day on they are three times as dear."""
    agent = Agent()
    for number in range(10 * 24 * 12):
        agent.wait(agent.draw.expovariate(12 / 3600))
        level = 0.03 if number > 5 * 24 * 12 else 0.01
        for _ in range(4):
            agent.call(level * agent.draw.lognormvariate(0, 0.5), f"s{number}")
        agent.end(f"s{number}")
    days = [(at - START_S) / 86_400 for at, (finding, _, _), _ in agent.told if finding == "session"]
    assert 1 <= len(days) <= 6
    assert max(days) < 8


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_spikes_that_recur_and_are_rare_are_told_of_each_time():
    agent = Agent().minutes(90, calls=8)
    for _ in range(24):
        agent.minutes(10, 5.0, calls=8)
        agent.minutes(80, calls=8)
    assert len(agent.spikes) == 24


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_spikes_most_of_the_time_for_a_day_are_the_new_normal():
    agent = Agent().minutes(90, calls=8)
    for _ in range(30):
        agent.minutes(45, 5.0, calls=8)
        agent.minutes(15, calls=8)
    assert 20 <= len(agent.spikes) <= 26


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_dear_sessions_that_recur_and_are_rare_never_become_normal():
    agent = Agent()
    for number in range(5 * 480):
        agent.wait(180)
        dear = number > 960 and number % 80 == 0
        agent.call(0.05 * agent.draw.lognormvariate(0, 0.5) * (60 if dear else 1), f"s{number}")
        agent.end(f"s{number}")
    assert len([finding for _, (finding, _, _), _ in agent.told if finding == "session"]) == 17


class Sparse:
    """Sessions at random times, of which a share is ten times as dear; it is settled each minute."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.sessions = CostSessions(span_s=120 * 86400.0)
        self.at = START_S
        self.opened = self.number = 0

    def go_on(self, hours, per_hour, dear=0.0):
        until = self.at + hours * 3600
        while (after := self.at + self.draw.expovariate(per_hour / 3600)) < until:
            self.wait(after - self.at)
            self.number += 1
            times = 10 if self.draw.random() < dear else 1
            was = self.sessions.dear
            cost = 0.04 * times * self.draw.lognormvariate(0, 0.3)
            self.sessions.add(f"s{self.number}", cost, self.at, event(self.at))
            self.opened += was is None and self.sessions.dear is not None
            self.sessions.end(f"s{self.number}", self.at)
        return self.wait(until - self.at)

    def wait(self, seconds):
        until = self.at + seconds
        while self.at < until:
            self.at = min(until, self.at + 60)
            self.sessions.settle(self.at)
        return self


@pytest.mark.parametrize(("per_hour", "dear"), [(2, 1.0), (4, 1.0), (6, 1.0), (6, 0.5)])
def test_of_who_has_few_sessions_dear_ones_that_last_are_told_once_and_their_end_in_time(per_hour, dear):
    counts = []
    for seed in range(4):
        agent = Sparse(seed).go_on(100, per_hour)
        assert agent.opened == 0
        counts.append(agent.go_on(23, per_hour, dear).opened)
        assert agent.sessions.dear is not None
        agent.go_on(30 / per_hour, per_hour)
        assert agent.sessions.dear is None
    assert sorted(counts)[:3] == [1, 1, 1]
    assert sum(counts) <= 5


def test_dear_sessions_are_over_though_no_session_comes_any_more():
    agent = Sparse(1).go_on(100, 6).go_on(2, 6, 1.0)
    assert agent.wait(1800).sessions.dear is not None
    assert agent.wait(3 * 3600).sessions.dear is None


def test_many_dear_sessions_keep_the_dearest():
    sessions, one = CostSessions(span_s=1.0, limit=1.0, usual=0.1), event(START_S)
    for at in range(MOST_DEAR + 4):
        sessions.add(f"s{at}", 2.0 + at, START_S, one)
    assert sessions.dear is not None
    assert len(sessions.dear.costs) == MOST_DEAR
    assert min(sessions.dear.costs.values()) == 6.0
    assert sessions.dear.count == MOST_DEAR + 4


# -- false alarms, state ----------------------------------------------------------------------------------


@pytest.mark.no_cover  # it plays a month, and is several times as fast unmeasured
def test_a_quiet_month_of_heavy_tailed_calls_that_swing_by_day_is_told_of_once_at_most():
    draw, series, drift, told = random.Random(8), CostSeries(), 0.0, 0
    at, was = START_S, False
    for minute in range(30 * 1440):
        at += 60.0
        drift = 0.967 * drift + 0.254 * 0.15 * draw.gauss(0, 1)
        day = 1 + 0.3 * (abs((minute % 1440) / 720 - 1) * 2 - 1)
        mean = draw.lognormvariate(0, 0.33) * 0.01 * day * (1 + drift)
        series.minute = Minute(count=30, cost=30 * mean)
        series.close(at, 120 * 86400.0)
        holds = series.rise is not None and series.rise.told
        told += holds and not was
        was = holds
    assert told <= 1


def test_minutes_that_wait_for_a_verdict_are_bounded():
    series = CostSeries()
    for minute in range(2000):
        series.minute = Minute(count=30, cost=30 * (0.01 if minute < 100 else 0.0107 + 0.0001 * (minute % 3)))
        series.close(START_S + 60.0 * minute, 1e300)
        assert len(series.waiting) <= WAITING


happenings = st.lists(
    st.tuples(
        st.sampled_from(["call", "dear", "end", "foreign", "nothing"]),
        st.integers(0, 9),
        st.sampled_from([0.0, 1.0, 7.0, 61.0, 1000.0]),
    ),
    max_size=60,
)


@settings(max_examples=30)
@given(happenings, st.integers(0, 60), st.booleans())
def test_a_restart_anywhere_changes_no_finding_and_no_byte(happened, cut, warm):
    whole, broken = Agent(), Agent()
    for agent in (whole, broken):
        agent.minutes(65 if warm else 1)
    for at, (what, which, gap) in enumerate(happened):
        if at == cut:
            broken.restart()
        for agent in (whole, broken):
            if what in {"call", "dear"}:
                for _ in range(9):
                    agent.call(0.01 if what == "call" else 0.5, f"c{which}", model=f"m{which % 2}")
            elif what == "end":
                agent.end(f"c{which}")
            else:
                agent.see(event(agent.at, usage={"cost_amount": 1.0, "cost_currency": "EUR"}))
            agent.wait(gap)
    broken.restart()
    assert [about for _, about, _ in broken.told] == [about for _, about, _ in whole.told]
    assert broken.asked(broken.grid) == whole.asked(whole.grid)
    assert broken.detector.save() == whole.detector.save()


def test_the_state_is_small_with_every_cap_reached():
    agent = Agent()
    for at in range(6000):
        agent.call(
            0.01 * agent.draw.lognormvariate(0, 1),
            f"{at:036d}",
            model=f"model-{at % 30}",
            tenant={"id": f"t{at}"},
        )
        agent.wait(0.2)
    assert len(agent.detector.save().body) < 50_000


def test_the_new_normal_forgets_what_was_usual():
    agent = Agent().minutes(120).minutes(6, 4.0)
    agent.detector.rebase(agent.at)
    assert agent.holding == {}
    agent.minutes(30, 4.0)
    assert agent.holding == {}


def test_options_are_followed_and_faults_in_them_refused():
    agent = Agent()
    agent.detector.configure(Watch(), {"arl": "1d"})
    assert agent.detector._sessions.span_s == 4 * 86400
    with pytest.raises(ValueError, match="no span of time"):
        Cost(Watch(), {"arl": "often"})
    with pytest.raises(ValueError, match="version 9"):
        Cost.load(Watch(), {}, agent.detector.save(), 9)


def test_the_trend_compares_the_last_two_means_with_the_one_before():
    agent = Agent().minutes(120)
    agent.minutes(3, 8.0)
    agent.wait(5)
    assert agent.spikes[0].trend == "rising"
    agent.minutes(2, 8.0).minutes(2)
    agent.wait(5)
    assert agent.holding["spike"].trend == "falling"


@pytest.mark.data
def test_real_sessions_whose_models_change_between_runs_tell_of_nothing(shared_data):
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        events = [decode_event(line) for line in lines]
    agent = Agent(events[0].time.timestamp() // 5 * 5)
    for each in events:
        agent.wait(each.time.timestamp() - agent.at)
        agent.see(each)
    assert agent.told == []


def test_a_dear_session_after_a_long_rest_is_told_no_longer_than_a_day_once_none_comes():
    sessions, at = CostSessions(span_s=30 * 86400.0), START_S
    for name in [f"s{number}" for number in range(300)]:
        sessions.add(name, 1.0, at, event(at, "chat"))
        sessions.end(name, at)
        at += 300
    at += 90 * 86400
    sessions.add("dear", 100.0, at, event(at, "chat"))
    sessions.end("dear", at)
    sessions.settle(at + 86399)
    assert sessions.dear is not None
    sessions.settle(at + 86400)
    assert sessions.dear is None
