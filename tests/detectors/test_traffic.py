"""How many sessions begin: far fewer or far more than ever at that hour, and what is none of it."""

import random
from functools import cache
from itertools import cycle

import pytest

from benchmarks.traffic import KINDS, Own, Tally, month
from detectors.dense import encoded
from detectors.detector import State, outlives
from detectors.settings import Watch
from detectors.traffic import Traffic
from detectors.volumes.change import Change
from detectors.volumes.flow import Flow
from tests.detectors.agent_events import START_S, event
from tests.detectors.conformance import at_length
from tests.detectors.streams_traffic import began

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MONDAY_S = START_S + 4 * DAY
CROWD = tuple(began(365 * DAY, f"c{at}") for at in range(8192))
"""Sessions, again and again: by then each is forgotten. Of a year later, so that none is told of late."""
EVERY = 36.0
"""Seconds from one session to the next: a hundred an hour."""
BUSY = 12.0
"""The same of three hundred an hour."""


class Agent:
    """One agent, and what is told of it each minute. Times in seconds."""

    def __init__(self, state=None, now=MONDAY_S):
        self.detector = Traffic(Watch(), {}) if state is None else Traffic.load(Watch(), {}, state, 1)
        self.now, self.crowd, self.told = now, cycle(CROWD), []

    def ask(self):
        for each in self.detector.findings(self.now):
            if not self.told or self.told[-1][1].onset != each.onset:
                self.told.append((self.now, each))
        return self

    def plays(self, seconds, every=EVERY, *, shows=None):
        """A session each so many seconds; what `shows` makes of a time, instead."""
        until, due, grid = self.now + seconds, self.now, self.now
        while grid < until:
            grid += MINUTE
            while due < grid:
                self.detector.observe(next(self.crowd) if shows is None else shows(due), due)
                due += every
            self.now = grid
            self.ask()
        return self

    def waits(self, seconds):
        """Nothing is heard."""
        for _ in range(int(seconds // MINUTE)):
            self.now += MINUTE
            self.ask()
        return self

    @property
    def kinds(self):
        return [each.finding for _, each in self.told]

    @property
    def last(self):
        return self.told[-1][1]

    @property
    def holds(self):
        return [each.finding for each in self.detector.findings(self.now)]


@cache
def _taught(days):
    agent = Agent().plays(days * DAY)
    assert agent.told == []
    return agent.detector.save(), agent.now


def taught(days=4):
    """An agent of a hundred sessions an hour since Monday."""
    return Agent(*_taught(days))


def rest(at):
    """What is said of a session that goes on."""
    return event(at, "chat", conversation={"id": "old"})


def test_three_days_go_by_before_anything_is_told():
    agent = Agent().plays(2.9 * DAY).plays(HOUR, 10 * EVERY).plays(10 * MINUTE, 2.0)
    assert agent.told == []


def test_until_then_it_says_how_many_hours_it_lacks():
    assert list(Agent().plays(2 * HOUR).detector.lacks) == ["1 of 72 hours"]
    assert list(taught().detector.lacks) == []


def test_a_fall_to_a_tenth_is_told_within_a_quarter_of_an_hour_and_ends_by_evidence():
    agent = taught()
    since = agent.now
    agent.plays(20 * MINUTE, 10 * EVERY)
    ((at, found),) = agent.told
    assert (found.finding, found.unit, found.labels) == ("drop", "sessions an hour", {})
    assert at - since <= 15 * MINUTE
    assert abs(found.onset - since) <= 2 * MINUTE
    assert found.observed < 0.3 * found.baseline
    assert found.confidence > 0.99
    assert "usually" in found.summary
    agent.plays(10 * MINUTE)
    assert agent.holds == ["drop"]
    agent.plays(20 * MINUTE)
    assert agent.holds == []
    assert len(agent.told) == 1


def test_a_fall_to_a_half_is_nobodys_page():
    assert taught().plays(6 * HOUR, 2 * EVERY).told == []


def test_that_none_begin_while_others_go_on_is_told():
    agent = taught().plays(30 * MINUTE, 30.0, shows=rest)
    assert agent.kinds == ["drop"]
    assert agent.last.summary.startswith("no sessions began in")


def test_a_silence_is_not_told_here_nor_is_its_end():
    agent = taught().waits(2 * HOUR)
    assert agent.told == []
    agent.plays(3 * HOUR)
    assert agent.told == []


def test_a_silence_after_which_hardly_anybody_comes_is_a_fall_in_time():
    agent = taught().waits(2 * HOUR).plays(2 * HOUR, 10 * EVERY)
    assert agent.kinds == ["drop"]


def test_the_end_of_a_silence_in_which_none_begin_is_a_fall_only_when_it_lasts():
    agent = taught().waits(HOUR)
    since = agent.now
    agent.plays(HOUR, 30.0, shows=rest)
    assert agent.kinds == ["drop"]
    assert agent.told[0][0] - since >= 15 * MINUTE


def test_nothing_at_all_ends_nothing():
    agent = taught().plays(20 * MINUTE, 10 * EVERY).waits(HOUR)
    assert agent.holds == ["drop"]
    assert outlives(Traffic) >= HOUR


def test_where_little_comes_a_silence_of_minutes_is_judged_with_what_comes_after_it():
    agent = Agent().plays(4 * DAY, 5 * EVERY).waits(12 * MINUTE).plays(3 * HOUR, 50 * EVERY)
    assert agent.kinds == ["drop"]


def after_a_pause(agent, begins, minutes, goes_on):
    """Sessions that last are heard each minute, for an hour and until the pause of all `begins`."""
    alive = []
    for minute in range(60 + begins):
        alive += [next(agent.crowd) for _ in range(1 + minute % 3 // 2)]
        for at, each in enumerate(alive):
            agent.detector.observe(each, agent.now + at / len(alive))
        agent.waits(MINUTE)
    agent.waits(minutes * MINUTE)
    for minute in range(5):
        alive += [next(agent.crowd) for _ in range(1 + minute % 3 // 2)]
        for each in alive if goes_on else [next(agent.crowd) for _ in alive]:
            agent.detector.observe(each, agent.now)
        agent.waits(MINUTE)
    return agent


@pytest.mark.parametrize("minutes", [12, 40, 50, 90])
def test_a_pause_of_all_is_no_drop_once_it_is_over(minutes):
    agent = taught().waits(minutes * MINUTE)
    assert agent.plays(2 * HOUR).kinds == []


@cache
def _taught_busy():
    agent = Agent().plays(4 * DAY, BUSY)
    assert agent.told == []
    return agent.detector.save(), agent.now


def test_after_a_crowd_each_of_three_hundred_an_hour_is_counted_again():
    agent = Agent(*_taught_busy()).plays(HOUR, BUSY / 20)
    assert agent.detector._flow.visits.counted > 0
    assert agent.plays(2 * HOUR, BUSY).detector._flow.visits.counted == 0


def at_random(agent, seconds, every, seed):
    """Sessions at random times."""
    draw, until = random.Random(seed), agent.now + seconds
    while agent.now < until:
        due = agent.now + draw.expovariate(1 / every)
        while due < agent.now + MINUTE:
            agent.detector.observe(next(agent.crowd), due)
            due += draw.expovariate(1 / every)
        agent.waits(MINUTE)
    return agent


@pytest.mark.parametrize("minutes", [7, 9, 12])
def test_a_brief_pause_of_a_busy_agent_is_no_drop_though_fewer_come_back(minutes):
    for seed in range(12):
        agent = at_random(Agent(*_taught_busy()), HOUR, BUSY, seed).waits(minutes * MINUTE)
        assert at_random(agent, 30 * MINUTE, 1.5 * BUSY, 100 + seed).told == []


def test_a_brief_pause_after_which_few_come_is_one():
    agent = at_random(Agent(*_taught_busy()), HOUR, BUSY, 1).waits(9 * MINUTE)
    since = agent.now
    assert at_random(agent, 20 * MINUTE, 10 * BUSY, 1).kinds == ["drop"]
    assert agent.told[0][0] - since <= 15 * MINUTE


def test_a_pause_after_which_few_come_is_one():
    agent = taught().waits(30 * MINUTE).plays(HOUR, 10 * EVERY)
    assert agent.kinds == ["drop"]


@pytest.mark.parametrize(("begins", "minutes"), [(0, 20), (2, 25), (8, 20), (13, 40)])
def test_sessions_that_go_on_together_after_a_pause_of_all_are_no_surge(begins, minutes):
    assert after_a_pause(taught(), begins, minutes, goes_on=True).kinds == []


def test_sessions_that_begin_together_after_a_pause_of_all_are_one():
    assert after_a_pause(taught(), 8, 20, goes_on=False).kinds == ["surge"]


def test_after_a_pause_of_hours_what_held_has_ended():
    agent = taught().plays(20 * MINUTE, 10 * EVERY)
    agent.now += 6 * HOUR
    assert agent.plays(MINUTE).holds == []


def test_ten_times_as_many_are_told_within_minutes():
    agent = taught()
    since = agent.now
    agent.plays(15 * MINUTE, EVERY / 10)
    ((at, found),) = agent.told
    assert (found.finding, found.trend) == ("surge", "rising")
    assert at - since <= 6 * MINUTE
    assert found.magnitude > 5
    agent.plays(HOUR)
    assert agent.holds == []


def test_four_times_as_many_again_and_again_are_told_when_they_last():
    agent = taught(9)
    for _ in range(2):
        agent.plays(30 * MINUTE, EVERY / 4).plays(3 * HOUR)
    assert agent.kinds == ["surge", "surge"]


def test_of_an_agent_that_nobody_calls_a_dozen_are_no_crowd():
    few = Agent().plays(4 * DAY, HOUR)
    assert few.plays(5 * MINUTE, 30.0).told == []
    assert few.plays(20 * MINUTE, 30.0).kinds == ["surge"]


def test_what_lasts_for_a_day_is_normal_until_what_was_usual_comes_again():
    agent = taught(9).plays(1.2 * DAY, 10 * EVERY)
    assert agent.holds == []
    assert agent.plays(DAY, 10 * EVERY).plays(90 * MINUTE).kinds == ["drop"]
    assert agent.plays(20 * MINUTE, 10 * EVERY).kinds == ["drop", "drop"]


def test_so_is_a_crowd():
    agent = taught(9).plays(1.2 * DAY, EVERY / 4)
    assert agent.holds == []
    assert agent.plays(HOUR, EVERY / 4).plays(2 * HOUR).kinds == ["surge"]
    assert agent.detector._flow.accepted == {}


def test_what_is_missing_is_not_learnt_as_usual():
    agent = taught().plays(8 * HOUR, 10 * EVERY)
    assert agent.kinds == ["drop"]
    assert agent.holds == ["drop"]


def test_this_is_normal_ends_it():
    agent = taught().plays(20 * MINUTE, 10 * EVERY)
    agent.detector.rebase(agent.now)
    assert agent.holds == []
    assert agent.plays(DAY, 10 * EVERY).kinds == ["drop"]


def test_three_falls_a_week_are_told():
    agent = taught(9)
    for _ in range(5):
        agent.plays(30 * MINUTE, 10 * EVERY).plays(2 * HOUR)
    assert agent.kinds == ["drop"] * 3


@at_length
def test_after_seven_days_falls_are_told_again():
    agent = taught(9)
    for _ in range(4):
        agent.plays(30 * MINUTE, 10 * EVERY).plays(2 * HOUR)
    agent.plays(7 * DAY)
    assert agent.plays(30 * MINUTE, 10 * EVERY).kinds == ["drop"] * 4


def test_one_that_is_heard_of_again_after_hours_begins_anew():
    agent = Agent(now=MONDAY_S + MINUTE).plays(MINUTE)
    agent.now += 6 * HOUR
    agent.plays(HOUR)
    assert agent.told == []
    assert agent.detector._flow.seasons.known == 6


def test_it_wakes_each_minute_while_something_holds():
    agent = taught()
    assert agent.detector.wake_at is None
    agent.plays(20 * MINUTE, 10 * EVERY)
    assert agent.detector.wake_at == agent.now + MINUTE


def test_what_is_missing_stands_out():
    def of_four(at):
        return began(at - START_S, f"d{at}", ("a", "b", "c", "d")[int(at / 9) % 4])

    agent = taught().plays(3 * HOUR, EVERY / 4 * 5, shows=of_four)
    agent.plays(2 * HOUR, 10 * EVERY, shows=lambda at: began(at - START_S, f"e{at}", "a"))
    (found,) = agent.detector.findings(agent.now)
    assert {each.value for each in found.contributors} <= {"b", "c", "d"}
    assert f"what is missing is tenant {found.contributors[0].value} above all" in found.summary


def office(at):
    """Whether it is between nine and five of a weekday."""
    return 9 <= at % DAY / HOUR < 17 and (at - MONDAY_S) // DAY % 7 < 5


def works(agent, days):
    """Office hours; otherwise hourly an event of a session that goes on."""
    for _ in range(days * 24):
        if office(agent.now):
            agent.plays(HOUR)
        else:
            agent.detector.observe(rest(agent.now), agent.now)
            agent.now += HOUR
            agent.ask()
    return agent


@at_length
def test_nights_and_weekends_are_learnt():
    assert works(Agent(), 28).told == []


def clerk(days):
    """An agent of office hours since so many days, of which its hours are known."""
    now = MONDAY_S + days * DAY
    flow = Flow(minute=int(now // MINUTE), whole=True, named=True)
    for hour in range(days * 24):
        at = MONDAY_S + hour * HOUR
        flow.seasons.file(int(at // HOUR), 100 if office(at) else 0)
    return Agent(State(encoded(flow)), now)


def test_a_day_that_does_not_begin_may_be_a_day_of_rest():
    agent = clerk(21).plays(9 * HOUR, HOUR, shows=rest).plays(2 * HOUR, MINUTE, shows=rest)
    assert agent.last.confidence == pytest.approx(0.6)
    assert agent.last.summary.endswith("so it may be a day of rest")


def test_a_weekend_is_none_that_is_missing():
    agent = clerk(26).plays(2 * DAY, HOUR, shows=rest)
    assert agent.told == []


def test_hours_in_which_nobody_comes_make_no_fall_normal():
    agent = clerk(25).plays(9 * HOUR, HOUR, shows=rest).plays(5 * HOUR).plays(3 * HOUR, 20 * EVERY)
    agent.plays(64 * HOUR, 5 * MINUTE, shows=rest)
    assert agent.kinds == ["drop"]
    assert agent.plays(2 * HOUR).holds == []
    assert agent.plays(HOUR, 20 * EVERY).kinds == ["drop", "drop"]


def test_what_nobody_could_see_the_end_of_for_a_week_is_normal():
    change = Change(onset=0, opened=0, bad=0, arrived=1.0, usual=10.0, confidence=1.0)
    assert [change.is_normal(day * 1440) for day in (6, 7)] == [False, True]


def test_a_session_counts_once_while_it_is_heard_of():
    agent = taught()
    calls = [event(agent.now + at, "chat", conversation={"id": f"s{at // 36}"}) for at in range(0, 1800, 4)]
    for each in calls:
        agent.now = each.time.timestamp()
        agent.detector.observe(each, agent.now)
        agent.ask()
    assert agent.told == []


def test_its_begin_counts_and_its_end_does_not():
    def edges(at):
        state = "started" if int(at / EVERY) % 2 else "ended"
        return event(at, "invoke_agent", "agent.session.v1", conversation={"id": f"e{at}", "state": state})

    agent = taught().plays(HOUR, EVERY / 2, shows=edges)
    assert agent.told == []
    assert agent.detector.findings(agent.now) == []
    agent.plays(HOUR, EVERY, shows=lambda at: edges(EVERY * 2 * at))
    assert agent.kinds == ["drop"]


def test_where_no_sessions_are_told_operations_are_counted():
    agent = Agent().plays(4 * DAY, shows=lambda at: event(at, "chat"))
    agent.plays(HOUR, 10 * EVERY, shows=lambda at: event(at, "chat"))
    (found,) = agent.detector.findings(agent.now)
    assert (found.finding, found.unit) == ("drop", "operations an hour")
    silent = taught().plays(HOUR, EVERY, shows=lambda at: event(at, "end", "agent.session.v1"))
    assert silent.kinds == ["drop"]


@pytest.mark.parametrize("every", [1.0, 0.5])
def test_many_sessions_are_counted_by_a_sample(every):
    agent = Agent(now=MONDAY_S + HOUR).plays(20 * MINUTE, every)
    counted = agent.detector._flow.sum(20)
    assert counted == pytest.approx(20 * MINUTE / every, rel=0.2)
    assert len(agent.detector._flow.visits.now.marks) <= 128


def test_a_crowd_that_has_gone_is_counted_one_by_one_again():
    agent = Agent().plays(HOUR, 1.0).plays(4 * HOUR)
    assert agent.detector._flow.visits.zeros == 0
    assert agent.detector._flow.sum(60) == 100


def test_after_a_crowd_whose_sample_is_too_coarse_for_those_who_come_nothing_is_missing():
    agent = taught().plays(5 * MINUTE, 0.15).plays(2 * HOUR)
    assert agent.kinds == ["surge"]
    agent.plays(30 * MINUTE, 10 * EVERY)
    assert agent.kinds == ["surge", "drop"]


@pytest.mark.parametrize("lasts", [90 * MINUTE, 2 * HOUR])
def test_a_fall_that_has_ended_is_not_told_again(lasts):
    agent = taught().plays(lasts, 10 * EVERY).plays(3 * HOUR)
    assert agent.kinds == ["drop"]
    since = agent.now
    agent.plays(20 * MINUTE, 10 * EVERY)
    assert agent.kinds == ["drop", "drop"]
    assert agent.last.onset >= since - 2 * MINUTE


def flush(agent, hours):
    """All at once those who began in the last hours, a hundred an hour, and were not told of."""
    for number in range(hours * 100):
        at = agent.now - HOUR * hours + number * EVERY
        agent.detector.observe(began(at - START_S, f"l{at}"), agent.now)
    return agent


@pytest.mark.parametrize("hours", [1, 6])
def test_those_who_are_told_of_hours_late_are_no_crowd(hours):
    assert flush(taught(), hours).plays(HOUR).told == []


def test_nor_is_anybody_missing_while_all_are_told_of_late():
    def late(at):
        return began(at - START_S - HOUR, f"l{at}")

    agent = taught().plays(3 * HOUR, shows=late)
    assert agent.told == []
    assert agent.plays(20 * MINUTE, 10 * EVERY, shows=late).kinds == ["drop"]
    assert agent.plays(30 * MINUTE, shows=late).holds == []


@at_length
def test_two_quiet_months_of_days_nights_and_weekends_bring_nothing_and_a_fall_is_told():
    found = Tally()
    found.plays(Own(), month(KINDS["wave of 20 an hour"], 1))
    assert (found.early, found.false) == (0, 0)
    (delays,) = found.delays
    assert delays["nothing is heard"] is None
    assert delays["none begin"] <= 2 * HOUR / MINUTE
    assert delays["ten times"] <= 10
