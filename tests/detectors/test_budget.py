"""Budgets: what is told, when, how often; the calendar, what is usual, the level, the forecast."""

import random
from datetime import UTC, datetime

import msgspec
import pytest

from detectors.cost import Cost
from detectors.costs.budget import Budget, Ledger
from detectors.costs.forecast import Forecast, forecast
from detectors.costs.hourly import Usual, usual
from detectors.costs.level import SPANS_S, Lately, all_spans, fitting
from detectors.costs.periods import end_of, start_of
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MONDAY_S = START_S + 4 * DAY


def posix(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Spender:
    """An agent that spends so much an hour, minute by minute; `told`: steps with the time they were told."""

    def __init__(self, usd, period="day", at=MONDAY_S, step=MINUTE):
        self.step = step
        self.budget = Budget(Ledger(usd, period))
        self.at = at
        self.budget.take(0.0, 0.0, at)
        self.told = []
        self.draw = random.Random(6)

    def hours(self, count, usd, spread=0.0):
        for _ in range(round(count * HOUR / self.step)):
            self.at += self.step
            noise = self.draw.lognormvariate(-(spread**2) / 2, spread) if spread else 1.0
            before = dict(self.budget.ledger.holding)
            self.budget.take(usd * self.step / HOUR * noise, self.at, self.at)
            now = self.budget.ledger.holding
            self.told += [(step, onset) for step, onset in now.items() if before.get(step) != onset]
        return self

    @property
    def steps(self):
        return [step for step, _ in self.told]

    @property
    def holding(self):
        return sorted(self.budget.ledger.holding)


def test_a_budget_that_is_spent_before_hours_without_usual_spend_is_told_of_as_spent():
    cost = Cost(Watch(budget_usd=100.0, budget_period="day"), {})
    for day in range(6):
        for minutes in range(9 * 60, 18 * 60, 20):
            at = MONDAY_S + day * DAY + minutes * MINUTE
            usd = 90 / 27 * (1.3 if day == 5 else 1.0)
            cost.observe(event(at, usage={"cost_amount": usd, "cost_currency": "USD"}), at)
            cost.findings(at + MINUTE)
    at = MONDAY_S + 5 * DAY + 18.2 * HOUR
    cost.findings(at - HOUR / 2)
    said = [each.told().summary for each in cost.findings(at)]
    assert said[0].startswith("$117.00 of the $100.00 for this day (UTC) are spent already")
    assert said[-1].startswith("the $100.00 for this day (UTC) were spent by ")


# -- what is told -------------------------------------------------------------------------------------------


@pytest.mark.no_cover  # it plays a month, and is several times as fast unmeasured
def test_a_quiet_agent_at_two_thirds_of_its_budget_is_told_of_never():
    spender = Spender(36.0, step=5 * MINUTE)
    for _ in range(30):
        spender.hours(8, 0.2, 0.5).hours(8, 2.0, 0.5).hours(8, 0.8, 0.5)
    assert spender.told == []


def test_a_tripled_spend_is_projected_long_before_the_budget_is_gone():
    spender = Spender(36.0).hours(72, 1.0)
    began = spender.at
    spender.hours(24 * 0.9, 3.0)
    assert spender.steps == [1, 2, 3]
    first, _, spent = (at for _, at in spender.told)
    assert first - began < 2 * HOUR
    assert spent - first > 9 * HOUR


def test_every_step_ends_with_the_period_and_is_told_anew_in_the_next():
    spender = Spender(36.0).hours(48, 1.0).hours(23.9, 3.0)
    assert spender.holding == [1, 2, 3]
    onset = spender.budget.ledger.holding[2]
    spender.hours(0.1, 3.0)
    assert spender.holding == [2]
    assert spender.budget.ledger.holding[2] > onset
    spender.hours(23.8, 3.0)
    assert spender.holding == [2, 3]


def test_a_projection_that_falls_back_is_over_and_only_a_higher_step_speaks_again():
    spender = Spender(36.0).hours(72, 1.0)
    while not spender.holding:
        spender.hours(1 / 60, 2.0)
    spender.hours(3, 0.2)
    assert spender.holding == []
    spender.hours(4, 2.5)
    assert spender.steps[0] == 1
    assert 1 not in spender.steps[1:]


def test_a_step_that_is_jumped_over_is_not_told():
    spender = Spender(36.0).hours(48, 1.0).hours(0.05, 3000.0)
    assert spender.steps == [3]


def test_before_a_day_is_known_only_what_is_spent_counts():
    spender = Spender(36.0).hours(9.5, 3.0)
    assert spender.steps == []
    assert not spender.budget.knows
    assert spender.budget.exhausted_at() is None
    spender.hours(0.5, 3.0)
    assert spender.steps == [1]
    spender.hours(3, 3.0)
    assert spender.steps == [1, 2, 3]


def test_it_is_expected_to_be_gone_when_it_is():
    spender = Spender(36.0).hours(72, 1.0).hours(8, 3.0)
    expected = spender.budget.exhausted_at()
    while 3 not in spender.steps:
        spender.hours(1 / 60, 3.0)
    assert abs(spender.at - expected) < 1.5 * HOUR


def test_what_is_to_be_gone_by_rounding_alone_is_gone_at_the_end():
    spender = Spender(36.0).hours(72, 1.0)
    assert spender.budget.exhausted_at() is None
    spender.budget.forecast = Forecast(0.0, 36.0, 0.1)
    assert spender.budget.exhausted_at() == spender.budget.ledger.ends
    spender.budget.ledger.spent = 36.0
    assert spender.budget.exhausted_at() == spender.at


@pytest.mark.no_cover  # it plays six weeks, and is several times as fast unmeasured
@pytest.mark.parametrize("period", ["hour", "week", "month"])
def test_every_period_has_its_budget(period):
    usual_usd = {"hour": 1.0, "week": 168.0, "month": 744.0}[period]
    spender = Spender(usual_usd * 1.5, period, START_S, 10 * MINUTE).hours(24 * 31, 1.0)
    assert spender.told == []
    spender.hours(24 * 14, 5.0)
    assert set(spender.steps) >= {2, 3}


def test_silence_spends_nothing_and_hours_without_events_are_known_as_such():
    spender = Spender(36.0).hours(48, 1.0)
    spender.budget.take(0.0, spender.at + MINUTE, spender.at + 5.5 * HOUR)
    ledger = spender.budget.ledger
    assert ledger.hours[-5:] == [0.0] * 5
    assert ledger.at == spender.at + 5.5 * HOUR


def test_after_more_than_four_weeks_it_begins_anew():
    spender = Spender(36.0).hours(48, 1.0)
    spender.budget.take(5.0, spender.at + MINUTE, spender.at + 30 * DAY)
    assert spender.budget.ledger.hours == []
    assert spender.budget.ledger.spent == 0.0


def test_a_first_hour_that_was_seen_in_part_teaches_nothing():
    spender = Spender(36.0, at=MONDAY_S + 1800).hours(1.5, 1.0)
    assert len(spender.budget.ledger.hours) == 1


def test_another_budget_counts_from_the_hours_known_and_tells_every_step_anew():
    spender = Spender(36.0).hours(30, 3.0)
    assert spender.steps[-1] == 2
    ledger = spender.budget.ledger
    spender.budget.follow(36.0, "day")
    assert ledger.told == 2
    spender.budget.follow(1000.0, "day")
    assert (ledger.told, ledger.holding) == (0, {})
    assert ledger.spent == pytest.approx(18.0)
    spender.budget.follow(80.0, "week")
    assert ledger.spent == pytest.approx(90.0)
    assert ledger.ends == MONDAY_S + 7 * DAY
    assert ledger.told == 3
    spender.budget.follow(1.0, "hour")
    assert ledger.spent == 0.0
    Budget(Ledger(1.0, "day")).follow(2.0, "week")


def test_a_forecast_survives_a_restart():
    spender = Spender(36.0).hours(50.5, 1.0).hours(1, 3.0)
    again = Budget(msgspec.msgpack.decode(msgspec.msgpack.encode(spender.budget.ledger), type=Ledger))
    assert again.forecast == spender.budget.forecast
    assert again.exhausted_at() == spender.budget.exhausted_at()


# -- its parts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "at", "start", "end"),
    [
        ("hour", "2026-03-29T01:30", "2026-03-29T01:00", "2026-03-29T02:00"),
        ("day", "2026-03-29T23:59", "2026-03-29T00:00", "2026-03-30T00:00"),
        ("week", "2026-01-04T12:00", "2025-12-29T00:00", "2026-01-05T00:00"),
        ("month", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("month", "2026-12-31T12:00", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_periods_are_the_calendars_in_utc(period, at, start, end):
    assert start_of(period, posix(at)) == posix(start)
    assert end_of(period, posix(at)) == posix(end)
    assert start_of(period, posix(start)) == posix(start)
    assert end_of(period, posix(start)) == posix(end)


def test_what_is_usual_knows_the_hours_and_after_two_weeks_the_weekdays():
    day = [0.0] * 8 + [2.0] * 12 + [0.0] * 4
    assert usual(day[:23], MONDAY_S) is None
    one = usual(day, MONDAY_S + DAY)
    assert (one.of(MONDAY_S + 9 * HOUR), one.of(MONDAY_S + 3 * HOUR), one.day) == (2.0, 0.0, 24.0)
    assert one.variance**0.5 == pytest.approx(0.3 * 24 * (3 / 4) ** 0.5)
    week = day * 5 + [0.0] * 48
    four = usual(week * 4, MONDAY_S + 28 * DAY)
    assert four.of(MONDAY_S + 5 * DAY + 9 * HOUR) < 0.5
    assert 1.5 < four.of(MONDAY_S + 9 * HOUR) < 2.1
    assert usual([0.0] * 400, MONDAY_S).day == 0.0


def test_a_level_far_off_is_believed_and_one_by_chance_is_not():
    level = Lately(HOUR)
    for _ in range(3000):
        level.take(MINUTE, 1.0, 1.0, 1 / MINUTE)
    assert level.level(1 / MINUTE) == (1.0, 0.0)
    for _ in range(3):
        level.take(MINUTE, 1.1, 1.0, 1 / MINUTE)
    assert level.level(1 / MINUTE)[0] == 1.0
    for _ in range(60):
        level.take(MINUTE, 4.0, 1.0, 1 / MINUTE)
    factor, doubt = level.level(1 / MINUTE)
    assert 2.0 < factor < 3.0
    assert doubt > 0
    assert Lately(HOUR).level(0.0) == (1.0, 0.0)


def test_a_forecast_looks_back_a_quarter_as_long_as_ahead():
    spans = all_spans()
    found = [fitting(spans, ahead).span_s for ahead in (MINUTE, 4 * HOUR, DAY, 31 * DAY)]
    assert found == [SPANS_S[0], HOUR, 4 * HOUR, SPANS_S[-1]]


def test_the_interval_widens_with_what_is_left_and_with_doubt():
    known = Usual((1.0,) * 24, (1.0,) * 7, 24.0, 36.0, 10)
    near, far = forecast(5.0, 2.0, known, (1.0, 0.0)), forecast(5.0, 20.0, known, (1.0, 0.0))
    assert near.interval[0] < 7.0 < near.interval[1]
    assert near.interval[1] - near.interval[0] < far.interval[1] - far.interval[0]
    doubted = forecast(5.0, 20.0, known, (2.0, 0.5))
    assert doubted.total == 45.0
    assert doubted.spread > far.spread
    assert far.chance(5.0) == 1.0
    assert far.chance(15.0) > 0.9 > far.chance(26.0) > 0.1 > far.chance(80.0)
    assert forecast(5.0, 0.0, known, (1.0, 0.0)).chance(5.1) == 0.0


# -- in the detector ------------------------------------------------------------------------------------


class Agent:
    """An agent that makes a call a minute, which costs so much; and what the detector says of it."""

    def __init__(self, usd=36.0, period="day", at=MONDAY_S):
        self.watch = Watch(budget_usd=usd, budget_period=period)
        self.detector = Cost(self.watch, {})
        self.at = at

    def calls(self, count, usd, model="m", **data):
        for _ in range(count):
            usage = {"cost_amount": usd, "cost_currency": "USD"}
            self.detector.observe(event(self.at, request={"model": model}, usage=usage, **data), self.at)
            self.at += MINUTE
        return self

    @property
    def found(self):
        found = [each.told() for each in self.detector.findings(self.at)]
        return {(each.finding, each.labels.get("step")): each for each in found if "budget" in each.finding}


def test_a_projected_budget_says_how_much_when_and_where_to():
    agent = Agent().calls(4320, 1 / 60).calls(60, 1 / 60).calls(120, 5 / 60, "dear", tenant={"id": "acme"})
    found = agent.found["budget", "80%"]
    assert found.unit == "USD per day"
    assert found.baseline == 36.0
    assert found.observed > 0.8 * 36
    assert found.magnitude == pytest.approx(found.observed / 36, abs=0.001)
    assert 0.5 <= found.confidence <= 1
    assert found.trend == "rising"
    assert ("model", "dear") in {(each.dimension, each.value) for each in found.contributors}
    assert found.summary.startswith(f"${found.observed:.2f} of the $36.00 for this day (UTC) will be spent (")
    assert "it is spent about" in found.summary
    assert "times its share before" in found.summary
    assert len(found.history) == 30
    onset = found.onset
    agent.calls(3, 5 / 60, "dear")
    assert agent.found["budget", "80%"].onset == onset


def test_a_spent_budget_says_so_until_the_period_ends_although_its_agent_is_silent():
    agent = Agent().calls(2880, 1 / 60).calls(200, 12 / 60)
    found = agent.found["over_budget", None]
    assert found.labels == {}
    assert found.confidence == 1.0
    assert found.summary.startswith("the $36.00 for this day (UTC) were spent by 03:01 UTC, ")
    assert "100% of today's goes to model m" in found.summary
    agent.at += 2 * HOUR
    assert ("over_budget", None) in agent.found
    assert agent.detector.wake_at == MONDAY_S + 3 * DAY
    agent.at = agent.detector.wake_at
    assert agent.found == {}
    assert agent.detector.wake_at is None


def test_what_was_spent_before_it_was_watched_is_not_known_and_said():
    agent = Agent(at=MONDAY_S + 7 * HOUR)
    for at in range(97):
        agent.detector.observe(event(agent.at, usage={"cost_amount": 0.3}), agent.at)
        agent.at += MINUTE
        assert at < 96 or agent.found
    assert agent.found["budget", "80%"].summary == (
        "$29.10 of the $36.00 for this day (UTC) are spent already, counted since Mon 05 Jan 07:00 UTC"
    )
    agent.calls(30, 0.3, "other")
    assert agent.found["over_budget", None].summary == (
        "the $36.00 for this day (UTC) were spent by 09:00 UTC, 38.10 by now, "
        "counted since Mon 05 Jan 07:00 UTC"
    )


def test_tokens_without_a_cost_are_said_not_to_be_in_it():
    agent = Agent().calls(2880, 1 / 60).calls(200, 12 / 60)
    for usage in ({"output_tokens": 7}, {"input_tokens": 7}, {"output_tokens": 0}):
        agent.detector.observe(event(agent.at, usage=usage), agent.at)
    said = agent.found["over_budget", None].summary
    assert said.endswith("; 2 calls with tokens and without a cost today are not in it")
    agent.at += DAY
    agent.detector.observe(event(agent.at), agent.at)
    assert agent.detector._state.unpriced == 0


def test_the_new_normal_ends_it_for_the_period():
    agent = Agent().calls(2880, 1 / 60).calls(200, 12 / 60)
    agent.detector.rebase(agent.at)
    assert agent.found == {}
    assert agent.calls(30, 12 / 60).found == {}


def test_a_budget_may_come_change_and_go():
    agent = Agent().calls(2880, 1 / 60).calls(200, 12 / 60)
    state = agent.detector.save()
    again = Cost.load(Watch(budget_usd=1000.0), {}, state, Cost.version)
    assert not [each for each in again.findings(agent.at) if "budget" in each.finding]
    agent.detector.configure(Watch(), {})
    assert agent.found == {}
    assert Cost.load(Watch(), {}, state, Cost.version)._budget is None
    agent.detector.configure(agent.watch, {})
    assert agent.calls(30, 12 / 60).found == {}
    assert ("over_budget", None) in agent.calls(200, 12 / 60).found


def test_free_calls_alone_leave_a_budget_whole():
    agent = Agent().calls(3000, 0.0)
    assert agent.found == {}
    assert agent.detector._budget.forecast.total == 0.0


def test_the_trend_is_that_of_the_same_hour_a_day_before():
    agent = Agent().calls(2880, 30 / 60).calls(120, 1 / 60)
    agent = Agent(30.0).calls(60, 24 / 60).calls(1380, 1 / 60).calls(60, 20 / 60)
    agent.calls(60, 10 / 60)
    assert agent.found["over_budget", None].trend in {"rising", "steady", "falling"}
