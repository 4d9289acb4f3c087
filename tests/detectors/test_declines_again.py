"""Scores that stay a little worse, or are so at weekends: told a few times, and then usual."""

import random
from functools import cache

import pytest

from detectors.answers.decline import Decline
from detectors.answers.usual import Usual
from detectors.quality import Quality
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event
from tests.detectors.conformance import at_length

DAY_S = 86_400.0
MEAN = 0.85


def told(mean, days, per_hour=10.0, seed=1):
    """The days when a finding began, of scores about a mean that goes by the day."""
    detector, draw, at, holding, found = Quality(Watch(), {}), random.Random(seed), START_S, set(), []
    while (at := at + draw.expovariate(per_hour / 3600)) < START_S + days * DAY_S:
        day = (at - START_S) / DAY_S
        holds = {(each.finding, each.onset) for each in detector.findings(at)}
        found += [day for _ in holds - holding]
        holding = holds
        score = round(min(1.0, max(0.0, draw.gauss(mean(day), 0.1))), 3)
        said = {"name": "helpfulness", "score_value": score}
        detector.observe(
            event(at, "evaluate", "agent.evaluation.v1", evaluation=said, conversation={"id": f"c{at}"}), at
        )
    return found


@cache
def _small():
    return tuple(told(lambda day: MEAN if day < 10 else 0.76, 24))


@at_length
def test_a_small_fall_that_stays_is_told_three_times_at_most():
    assert 1 <= len(_small()) <= 3


@at_length
def test_a_large_fall_after_small_ones_is_told_all_the_same():
    def mean(day):
        return MEAN if day < 10 else 0.76 if day < 14 else 0.3

    assert any(14 <= day < 15 for day in told(mean, 15))


@at_length
def test_weekends_that_are_always_worse_are_told_until_two_of_them_are_known():
    found = told(lambda day: MEAN if day % 7 < 5 else 0.7, 35)
    assert found
    assert max(found) < 15


def days(usual, means, count=100):
    """One day after the other with such a mean badness."""
    for number, mean in enumerate(means):
        usual.turn(number * DAY_S)
        usual.learn(number * DAY_S + 60, [count, count * mean, count * mean * mean])
    usual.turn(len(means) * DAY_S)
    return usual


@pytest.mark.parametrize(("before", "is_allowed"), [(1, False), (2, True)])
def test_what_two_of_the_same_weekday_had_is_usual_on_it(before, is_allowed):
    weeks = [0.1] * 7 * (4 - before) + ([0.5] + [0.1] * 6) * before
    usual = days(Usual(), weeks)
    assert (usual.season >= 0.5) == is_allowed
    usual.turn((len(weeks) + 1) * DAY_S)
    assert usual.season < 0.5


def test_weekdays_with_few_answers_say_nothing():
    assert days(Usual(), [0.5] * 28, count=5).season == 0


def test_what_weekdays_are_like_outlives_a_new_normal_and_counts_what_was_not_learnt():
    usual = Usual()
    for number in (0, 7):
        usual.hears(number * DAY_S, 40, 20.0)
        usual.hears(number * DAY_S + 60, 40, 20.0)
    fresh = usual.anew()
    assert (fresh.count, fresh.days.rows) == (0, [])
    fresh.learn(13 * DAY_S, [400, 20, 20])
    fresh.turn(14 * DAY_S)
    assert fresh.season >= 0.5


@pytest.mark.parametrize(("told_mean", "opens"), [(0.3, False), (0.1, True)])
def test_what_was_told_three_times_and_comes_again_is_learnt_anew(told_mean, opens):
    decline = Decline()
    decline.usual.learn(60, [1000, 50, 50])
    decline.told = [[day * DAY_S, told_mean] for day in (-6.5, 1, 2, 3)]
    for cell in range(200):
        at = 4 * DAY_S + 60 * cell
        decline.total, decline.bad, decline.squares, decline.first_bad = 10, 3, 3, at - 5
        decline.close(at, 30 * DAY_S, 0.0)
        if decline.hold is not None or len(decline.told) == 3:
            break
    assert (decline.hold is not None) == opens
    assert decline.usual.count == (1000 if opens else 0)
