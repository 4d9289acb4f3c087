"""Agents that stop sending, told by their own habits."""

import gzip
import random
import re
from math import inf

import pytest

from benchmarks.silence import MONDAY_S, play
from detectors.bank import Bank
from detectors.detector import outlives
from detectors.rhythms.worth import reached
from detectors.settings import Settings, Watch
from detectors.silence import Silence
from schemas.record import Record
from tests.conftest import shared_data
from tests.detectors.agent_events import event
from tests.detectors.made_up import Tape, signals

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
OFFICE = range(9, 18)


class Agent:
    """An agent and who listens to it. Times in seconds after a Monday's midnight."""

    def __init__(self, detector=None, **options):
        self.detector = detector or Silence(Watch(), options)
        self.told = []

    def speak(self, *times, **data):
        for at in times:
            self.wait(at)
            self.detector.observe(event(MONDAY_S + at, **data), MONDAY_S + at)
        return self

    def every(self, step, begin, end, hours=range(24), days=range(7)):
        at = begin
        while at < end:
            if at % DAY // HOUR in hours and at // DAY % 7 in days:
                self.speak(at)
            at += step
        return self

    def wait(self, until):
        """Nothing is heard until then; what is told is kept, each with when."""
        while (due := self.detector.wake_at) is not None and due <= MONDAY_S + until:
            self.told += [(due - MONDAY_S, each) for each in self.detector.findings(due)]
        return self

    def holds(self, at):
        return list(self.detector.findings(MONDAY_S + at))


def busy(days=4.0, **options):
    return Agent(**options).every(30, 0, days * DAY)


def test_an_agent_that_never_rests_is_told_after_five_minutes():
    agent = busy().wait(5 * DAY)
    [(at, finding)] = agent.told
    assert at == 4 * DAY - 30 + 5 * MINUTE
    assert finding.finding == "agent_down"
    assert finding.onset == MONDAY_S + 4 * DAY - 30
    assert "since 2026-01-08 23:59 UTC (5 minutes): usually 120 events an hour" in finding.summary
    assert "never silent for two minutes" in finding.summary
    assert finding.observed == 5
    assert finding.confidence > 0.9
    assert finding.samples[0].text == "last seen: chat"
    assert finding.history[-10:] == (1.0,) * 5 + (0.0,) * 5


def test_it_holds_while_it_is_silent_and_ends_when_it_speaks():
    agent = busy().wait(5 * DAY)
    [later] = agent.holds(4 * DAY + 2 * HOUR)
    assert later.onset == agent.told[0][1].onset
    assert later.magnitude > agent.told[0][1].magnitude
    assert later.history == (0.0,) * 30
    agent.every(30, 4 * DAY + 3 * HOUR, 4 * DAY + 3 * HOUR + 4 * MINUTE)
    [hardly] = agent.holds(4 * DAY + 3 * HOUR + 4 * MINUTE)
    assert hardly.onset == later.onset
    agent.speak(4 * DAY + 3 * HOUR + 4 * MINUTE)
    assert agent.holds(4 * DAY + 3 * HOUR + 4 * MINUTE) == []


def test_nobody_is_told_before_three_days_are_known():
    assert busy(2.9).wait(4 * DAY).told == []


def test_the_shortest_silence_that_is_told_can_be_set():
    agent = busy(least="1h").wait(5 * DAY)
    assert agent.told[0][0] == 4 * DAY - 30 + HOUR
    agent.speak(4 * DAY + 2 * HOUR)
    agent.detector.configure(Watch(), {"least": "2h"})
    agent.every(30, 4 * DAY + 2 * HOUR, 5 * DAY).wait(6 * DAY)
    assert agent.told[1][0] == 5 * DAY - 30 + 2 * HOUR


def test_a_span_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'soon' is no span of time"):
        Silence(Watch(), {"least": "soon"})


def test_state_of_another_version_is_not_read():
    with pytest.raises(ValueError, match="state of silence has version 9, this is 1"):
        Silence.load(Watch(), {}, Silence(Watch(), {}).save(), 9)


def test_nights_and_weekends_are_learnt_and_left_alone():
    agent = Agent().every(120, 0, 8 * 7 * DAY, OFFICE, range(5))
    assert agent.told == []


def test_who_works_in_office_hours_is_missed_within_the_hour_of_grace_and_some_minutes():
    agent = Agent().every(120, 0, 8 * 7 * DAY, OFFICE, range(5)).wait(8 * 7 * DAY + 12 * HOUR)
    [(at, finding)] = agent.told
    monday = 8 * 7 * DAY + 9 * HOUR
    assert monday + HOUR < at < monday + 2 * HOUR
    assert "heard at this hour of the week" in finding.summary


def test_who_comes_an_hour_late_because_clocks_were_changed_is_not_missed():
    weeks = 8 * 7 * DAY
    agent = Agent().every(120, 0, weeks, OFFICE, range(5)).every(120, weeks, weeks + DAY, range(10, 19))
    assert agent.told == []


FEW = (9.25, 11.0, 13.5, 14.25, 16.0)


def few(weeks, holidays=(), hours=FEW):
    """An agent that is used a few times a day on weekdays."""
    days = [day for day in range(weeks * 7) if day % 7 < 5 and day not in holidays]
    return Agent().speak(*(day * DAY + hour * HOUR for day in days for hour in hours))


def test_who_is_used_five_times_a_weekday_is_missed_on_the_third_of_them():
    agent = few(8).wait(60 * DAY)
    [(at, finding)] = agent.told
    last = 53 * DAY + 16 * HOUR
    assert last == finding.onset - MONDAY_S
    assert (round((at - last) / DAY, 1), 9 <= at % DAY / HOUR <= 17) == (4.9, True)
    assert finding.summary.endswith("; it is heard on these days of the week")
    assert (finding.magnitude, round(finding.confidence, 3)) == (3.62, 0.994)
    assert agent.holds(at + MONDAY_S + DAY)[0].confidence > finding.confidence


@pytest.mark.parametrize("hours", [(10.5,), (10.5, 15.0), FEW])
def test_a_holiday_of_one_or_two_days_is_not_missed(hours):
    assert few(13, holidays=(42, 53, 67, 68, 80), hours=hours).told == []


def test_days_that_were_not_seen_after_an_outage_are_no_reason_to_be_silent():
    agent = few(8).wait(60 * DAY)
    agent.speak(*((63 + day) * DAY + hour * HOUR for day in range(5) for hour in FEW)).wait(75 * DAY)
    assert len(agent.told) == 2


def test_who_falls_silent_at_three_in_the_afternoon_is_missed_before_four():
    weeks = 8 * 7 * DAY
    agent = Agent().every(120, 0, weeks, OFFICE, range(5)).every(120, weeks, weeks + 15 * HOUR, OFFICE)
    assert agent.wait(weeks + 16 * HOUR).told


def test_a_silence_that_was_told_does_not_make_the_next_one_usual():
    agent = busy()
    for day in (4, 5):
        agent.every(30, day * DAY + HOUR, (day + 1) * DAY)
    agent.wait(6 * DAY + HOUR)
    assert [at for at, _ in agent.told] == [day * DAY - 30 + 5 * MINUTE for day in (4, 5, 6)]


def test_the_third_within_a_week_makes_it_a_habit():
    agent = busy()
    for day in (4, 5, 6, 7):
        agent.every(30, day * DAY + HOUR, (day + 1) * DAY)
    assert len(agent.told) == 3
    assert agent.wait(8 * DAY + 70 * MINUTE).told[3:] == []
    assert agent.wait(9 * DAY).told[3:]


def test_what_is_said_to_be_normal_is_told_no_more_and_is_learnt():
    agent = busy().wait(4 * DAY + HOUR)
    assert agent.holds(4 * DAY + HOUR)
    agent.detector.rebase(MONDAY_S + 4 * DAY + HOUR)
    assert agent.holds(4 * DAY + 20 * HOUR) == []
    agent.every(30, 4 * DAY + 20 * HOUR, 5 * DAY).wait(5 * DAY + 20 * HOUR)
    assert len(agent.told) == 1


def test_that_all_is_normal_while_nothing_holds_changes_nothing():
    agent = busy()
    before = agent.detector.save()
    agent.detector.rebase(MONDAY_S + 4 * DAY)
    assert agent.detector.save() == before


def test_one_event_alone_says_nothing_of_when_the_next_is_due():
    agent = Agent().speak(0).wait(60 * DAY)
    assert agent.told == []
    assert agent.detector.wake_at is None


def test_a_slow_agent_is_missed_by_the_clock_after_a_week_of_its_longest_silences():
    draw, at, agent = random.Random(1), 0.0, Agent()
    while at < 20 * DAY:
        agent.speak(at)
        at += draw.expovariate(1 / HOUR)
    assert agent.told == []
    agent.wait(22 * DAY)
    [(told_at, finding)] = agent.told
    assert told_at < 20 * DAY + 16 * HOUR
    assert "minutes at the longest" in finding.summary or "hours at the longest" in finding.summary


def test_a_jump_of_the_clock_by_a_day_is_a_day_of_silence_that_ends_soon():
    agent = busy()
    agent.every(30, 5 * DAY, 5 * DAY + 5 * MINUTE)
    assert len(agent.told) == 1
    assert agent.holds(5 * DAY + 5 * MINUTE) == []
    agent.every(30, 5 * DAY + 5 * MINUTE, 6 * DAY)
    assert len(agent.told) == 1


def test_times_of_events_that_lie_a_day_back_change_nothing():
    one, other = busy(), busy()
    one.detector.observe(event(MONDAY_S + 3 * DAY), MONDAY_S + 4 * DAY)
    other.detector.observe(event(MONDAY_S + 4 * DAY), MONDAY_S + 4 * DAY)
    assert one.detector.wake_at == other.detector.wake_at


def test_a_silence_of_a_month_is_learnt_like_any_other():
    agent = Agent().speak(0, 30 * DAY, 31 * DAY).wait(60 * DAY)
    assert agent.told == []


def test_after_a_year_of_silence_it_goes_on():
    agent = busy().speak(400 * DAY)
    agent.every(30, 400 * DAY, 404 * DAY).wait(405 * DAY)
    assert agent.told[-1][0] == 404 * DAY - 30 + 5 * MINUTE


def test_an_agent_that_is_renamed_is_missed_under_its_old_name_for_two_weeks_and_a_day():
    tape = Tape(Bank(lambda _: Settings(), kinds={"silence": Silence}))
    for at in range(0, int(4 * DAY), 120):
        tape.event(at, agent="ana" if at < 3.5 * DAY else "ana-two")
    assert {each.labels["agent"] for each in tape.signals} == {"ana"}
    assert len({each.id for each in tape.signals}) == 1
    assert outlives(Silence) == 15 * DAY


def test_in_the_bank_it_speaks_though_no_event_comes_and_resolves_when_one_does():
    tape = Tape(Bank(lambda _: Settings(), kinds={"silence": Silence}))
    for at in range(0, int(4 * DAY), 60):
        tape.event(at)
    assert tape.bank.wake_at is not None
    tape.tick(4 * DAY + 10 * MINUTE)
    assert tape.signals[-1].finding == "agent_down"
    tape.tick(4 * DAY + 3 * HOUR)
    assert tape.signals[-1].state == "firing"
    for at in range(5):
        assert tape.signals[-1].state == "firing"
        tape.event(4 * DAY + 3 * HOUR + at * MINUTE)
    (ended,) = signals(tape.tick(4 * DAY + 3 * HOUR + 5 * MINUTE))
    assert (ended.state, ended.reason) == ("resolved", "recovered")


def hardly(days=5.0, **options):
    """An agent that fell from two events a minute to one in seven minutes, at the end of the fourth day."""
    return busy(4.0, **options).every(7 * MINUTE, 4 * DAY, days * DAY)


def test_an_agent_that_hardly_speaks_any_more_is_told_once():
    agent = hardly(4.5)
    assert agent.told[0][0] == 4 * DAY + 5 * MINUTE
    [finding] = agent.holds(4.5 * DAY)
    assert finding.onset == MONDAY_S + 4 * DAY
    assert finding.summary == (
        "hardly anything is heard of the agent since 00:00 UTC (12 hours): something in 102 of 720 minutes, "
        "59 of 60 are usual, the last at 11:54 UTC; usually 120 events an hour, and never silent for two "
        "minutes in 28 days; it is heard at every hour"
    )
    assert (finding.observed, finding.baseline, finding.unit) == (618.0, 2.0, "minutes of silence")
    agent.every(30, 4.5 * DAY, 4.6 * DAY)
    assert agent.holds(4.6 * DAY) == []
    assert len({each.onset for _, each in agent.told}) == 1


@pytest.mark.parametrize("minutes", [1.5, 5])
def test_who_dies_while_hardly_heard_is_told_anew(minutes):
    agent = busy().wait(4 * DAY + HOUR)
    agent.every(minutes * MINUTE, 4 * DAY + HOUR, 4 * DAY + 4 * HOUR)
    [partly] = agent.holds(4 * DAY + 4 * HOUR)
    last = agent.detector._heard.last
    agent.wait(5 * DAY)
    [again] = agent.holds(5 * DAY)
    assert (partly.onset, again.onset) == (MONDAY_S + 4 * DAY - 30, last)
    at = min(at for at, each in agent.told if each.onset == last)
    assert at == last - MONDAY_S + 15 * MINUTE
    assert again.summary.startswith("nothing is heard of the agent since")


def test_after_one_event_amid_a_silence_it_takes_three_times_as_long():
    agent = busy().wait(4 * DAY + HOUR).speak(4 * DAY + HOUR)
    [hardly_any] = agent.holds(4 * DAY + HOUR)
    assert hardly_any.onset == MONDAY_S + 4 * DAY - 30
    agent.wait(5 * DAY)
    again = [(at, each.onset - MONDAY_S) for at, each in agent.told if each.onset != hardly_any.onset]
    assert again == [(4 * DAY + HOUR + 3 * (HOUR + 30), 4 * DAY + HOUR)]


def test_so_little_is_normal_after_a_day():
    agent = hardly(5.1)
    assert agent.holds(5.1 * DAY) == []
    agent.every(7 * MINUTE, 5.1 * DAY, 6 * DAY)
    assert agent.holds(6 * DAY) == []
    assert agent.wait(6 * DAY + 12 * HOUR).holds(6 * DAY + 12 * HOUR)


def test_a_day_of_silence_amid_it_is_nobodys_normal():
    agent = hardly(4.2).speak(*(5.5 * DAY + each * 7 * MINUTE for each in range(103)))
    [finding] = agent.holds(6 * DAY)
    assert finding.onset == agent.told[-1][1].onset
    agent.every(30, 6 * DAY, 7 * DAY)
    assert agent.wait(7 * DAY + 5 * MINUTE).holds(7 * DAY + 5 * MINUTE)


def test_so_little_is_normal_when_somebody_says_so():
    agent = hardly(4.5)
    agent.detector.rebase(MONDAY_S + 4.5 * DAY)
    assert agent.holds(4.5 * DAY) == []
    agent.every(7 * MINUTE, 4.5 * DAY, 5.5 * DAY)
    assert agent.holds(5.5 * DAY) == []


def test_the_silence_amid_so_little_is_normal_too_when_somebody_says_so():
    agent = hardly(4.5).wait(5 * DAY)
    agent.detector.rebase(MONDAY_S + 5 * DAY)
    assert agent.holds(5.2 * DAY) == []


def test_who_is_seldom_heard_is_back_with_one_event():
    agent = few(8).wait(60 * DAY)
    [finding] = agent.holds(60 * DAY)
    assert re.search(r"usually \d events a day", finding.summary)
    agent.speak(63 * DAY + FEW[0] * HOUR)
    assert agent.holds(63 * DAY + FEW[0] * HOUR) == []


@pytest.mark.data
def test_real_sessions_in_bursts_with_hours_of_silence_between_page_nobody():
    lines = gzip.decompress(shared_data("retail_agent_events.jsonl.gz").read_bytes()).splitlines()
    bank = Bank(lambda _: Settings(), "events", kinds={"silence": Silence})
    outputs = [output for offset, line in enumerate(lines) for output in bank.apply(Record(offset, line))]
    assert signals(outputs) == []


@pytest.mark.no_cover  # it plays ten weeks, and is several times as fast unmeasured
@pytest.mark.parametrize("name", ["2 an hour", "office hours", "nightly batch", "bursts, heavy tails"])
def test_made_up_traffic_of_ten_weeks_is_never_falsely_told_and_a_death_is(name):
    played = play(name, 1)
    assert (played.early, played.false) == (0, 0)
    assert played.delay_s is not None or name == "bursts, heavy tails"


def test_no_silence_is_long_where_nothing_is_usual_at_any_hour():
    assert reached(3.0, iter([(HOUR, 0.0)] * 168)) == inf
    assert reached(3.0, iter([(HOUR, 0.0), (HOUR, 0.01)])) == HOUR + 300
