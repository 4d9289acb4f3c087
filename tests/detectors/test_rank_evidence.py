"""Ranks like the reference's bring no evidence; ranks far out do, soon."""

import random
from statistics import mean

import pytest

from detectors.inputs.rank_evidence import SETTINGS, RankEvidence, gains


@pytest.mark.parametrize("size", [1, 2, 10, 300, 2000])
def test_an_e_value_is_at_most_1_on_average_over_the_ranks(size):
    assert len(gains(size)) == len(SETTINGS)
    for table in gains(size):
        values = list(table)
        assert len(values) == size + 1
        assert 0.5 < mean(values) <= 1 + 1e-9
        assert values == sorted(values, reverse=True)


def until(draw, rank, enough, most=200_000):
    evidence = RankEvidence([500, 500], [1, 1])
    for taken in range(1, most):
        at = rank(draw)
        if evidence.take([(at, at), (draw.randrange(501),) * 2]) >= enough:
            return taken
    return most


def test_on_ranks_like_the_references_it_takes_as_long_as_the_threshold_says():
    runs = [until(random.Random(seed), lambda draw: draw.randrange(501), 500) for seed in range(20)]
    assert mean(runs) >= 500


def test_a_tenth_of_texts_far_out_is_evidence_soon():
    def rank(draw):
        return draw.randrange(5) if draw.random() < 0.1 else draw.randrange(501)

    assert mean(until(random.Random(seed), rank, 6000) for seed in range(20)) < 200


def test_what_leads_is_what_is_far_out():
    evidence = RankEvidence([100, 100, 100], [1, 1, 1])
    for _ in range(20):
        evidence.take([(50, 50), (0, 1), (50, 60)])
    assert evidence.leading() == 1
    evidence.forget()
    assert evidence.sums == [0.0] * 6


def test_it_continues_from_what_was_saved():
    evidence = RankEvidence([100], [1])
    evidence.take([(3, 5)])
    again = RankEvidence([100], [1], evidence.sums)
    assert again.take([(7, 7)]) == evidence.take([(7, 7)])
