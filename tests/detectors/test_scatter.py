"""How much more arrivals scatter than chance has it: what is counted coarsely leaves no debt."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detectors.volumes.scatter import PRIOR, Scatter

COUNTS = st.integers(0, 10**6).map(float)


def evenly(scatter, quarters, count, worth):
    """Quarters of an hour that are all alike."""
    for _ in range(quarters):
        scatter.learn(count, count, worth)
    return scatter


def swinging(scatter, quarters, least, most):
    """Quarters of which each counts the least or the most, each that came counted."""
    for _ in range(quarters):
        scatter.learn(least, most, 1)
    return scatter


@given(st.lists(st.tuples(COUNTS, COUNTS, st.integers(0, 7)), max_size=60))
def test_what_was_seen_is_never_less_than_nothing(quarters):
    scatter = Scatter()
    for before, count, zeros in quarters:
        scatter.learn(before, count, 1 << zeros)
        assert scatter.seen >= 0
        assert scatter.expected > 0


def test_a_crowd_that_was_counted_coarsely_does_not_hide_how_the_days_after_it_scatter():
    after = swinging(evenly(Scatter(), 100, 6400.0, 64), 40, 20.0, 80.0)
    never = swinging(Scatter(), 40, 20.0, 80.0)
    assert after.factor(1) > never.factor(1) / 2 > 2


def test_what_is_as_even_as_chance_has_it_scatters_by_chance_however_coarsely_it_is_counted():
    draw = random.Random(1)
    for worth in (1, 4, 16):
        scatter = Scatter()
        counts = [float(worth * sum(draw.random() < 0.1 for _ in range(1000))) for _ in range(400)]
        for before, count in pairwise(counts):
            scatter.learn(before, count, worth)
        assert worth <= scatter.factor(worth) <= 1.6 * worth


def test_nothing_comes_and_nothing_is_learnt():
    assert evenly(Scatter(), 10, 0.0, 8) == Scatter(PRIOR, PRIOR)
