"""A block's e-value has mean 1 over all labelings, exactly, whatever the values are."""

from itertools import combinations

import numpy as np
import pytest

from detectors.rollouts.blocks import log_likelihood, size
from detectors.rollouts.scores import DEVIATIONS, LOG_ODDS, Binary, Positive, Scale

TRIED = np.concatenate([-LOG_ODDS[::-1], LOG_ODDS])
DRAWS = {
    "ties": lambda draw, count: draw.integers(0, 2, count).astype(float),
    "Cauchy": lambda draw, count: np.clip(draw.standard_cauchy(count), -3, 3),
    "extremes": lambda draw, count: draw.choice([-3.0, 0.0, 3.0], count),
}


def labelings(count, canaries):
    for chosen in combinations(range(count), canaries):
        canary = np.zeros(count, dtype=bool)
        canary[list(chosen)] = True
        yield canary


@pytest.mark.parametrize("values", DRAWS)
def test_the_mean_over_all_labelings_is_one(values):
    draw, worst = np.random.default_rng(1), 0.0
    for count in range(2, 11):
        tilts = np.outer(DRAWS[values](draw, count), TRIED)
        for canaries in range(count + 1):
            all_ = [np.exp(log_likelihood(tilts, canary)) for canary in labelings(count, canaries)]
            worst = max(worst, float(np.abs(np.mean(all_, axis=0) - 1).max()))
    assert worst <= 1e-12


@pytest.mark.parametrize("scale", [Scale(), Scale(500.0, 0.3, 700.0, 2.0)])
def test_the_mean_is_one_for_every_score_whatever_its_scale(scale):
    values = np.clip(np.random.default_rng(2).standard_cauchy(8), -30, 30)
    canaries = list(labelings(8, 3))
    for score, shown in ((Positive(1.1), values), (Binary(1.5), (values > 0).astype(float))):
        logs = [log_likelihood(score.tilts(shown, each, scale), each) for each in canaries]
        # A shift is tried on what is left when it is taken away: that differs by labeling, but for none.
        worse = np.array(logs)[:, : 2 * len(DEVIATIONS)]
        assert abs(np.exp(worse).mean(axis=0) - 1).max() <= 1e-12


def test_a_shift_that_is_true_is_tried_on_exchangeable_values():
    score, scale = Positive(1.1), Scale(500.0, 0.0, 500.0, 2.3)
    noise, shift = np.random.default_rng(3).standard_normal(9), score.shifts[18]
    columns = slice(
        2 * len(DEVIATIONS) + 18 * score.shift_columns, 2 * len(DEVIATIONS) + 19 * score.shift_columns
    )
    logs = [
        log_likelihood(score.tilts(noise + shift * canary, canary, scale), canary)
        for canary in labelings(9, 4)
    ]
    assert abs(np.exp(logs).mean(axis=0)[columns] - 1).max() <= 1e-12


def test_a_block_of_one_arm_says_nothing():
    tilts = np.outer([1.0, 0.0], TRIED)
    assert not log_likelihood(tilts, np.array([True, True])).any()
    assert not log_likelihood(tilts, np.array([False, False])).any()


@pytest.mark.parametrize("canaries", [1, 40, 200, 360, 399])
def test_the_largest_block_of_the_oddest_values_neither_overflows_nor_vanishes(canaries):
    values = np.where(np.arange(400) < 130, 3.0, -3.0)
    canary = np.random.default_rng(4).permutation(400) < canaries
    assert np.isfinite(log_likelihood(np.outer(values, [-1.5, 1.5]), canary)).all()


def test_the_order_within_a_block_is_of_no_matter():
    draw = np.random.default_rng(5)
    values, canary, order = draw.standard_normal(40), draw.random(40) < 0.3, draw.permutation(40)
    one = log_likelihood(np.outer(values, TRIED), canary)
    other = log_likelihood(np.outer(values[order], TRIED), canary[order])
    assert abs(one - other).max() <= 1e-9


def test_blocks_are_larger_the_rarer_the_rarer_arm_is():
    assert [size(share) for share in (0.0, 0.001, 0.05, 0.3, 0.5, 0.99, 1.0)] == [
        400,
        400,
        40,
        20,
        20,
        200,
        400,
    ]
