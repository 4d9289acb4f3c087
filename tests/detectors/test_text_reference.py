"""Texts like the reference have ranks like the reference's; others do not."""

import random
from array import array
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.indicators import Indicators
from detectors.inputs.quantities import strided
from detectors.inputs.ranked import Ranked
from detectors.inputs.recent_terms import HALF_LIFE, MOST_TERMS, RecentTerms
from detectors.inputs.text_reading import MOST_WORDS, read
from detectors.inputs.text_reference import MOST_NAMES, TextLearning, TextReference, calibrated


def text(draw):
    """Words as frequent as words are: a few common, many rare."""
    ranks = [(int(draw.paretovariate(0.9)), int(draw.paretovariate(0.9))) for _ in range(8)]
    return " ".join(f"w{chr(97 + first % 26)}{second}" for first, second in ranks)


def reference_of(texts):
    learning = TextLearning()
    for each in texts:
        learning.take(read(each))
    return calibrated(learning)


def test_left_out_scores_make_ranks_of_new_texts_uniform():
    draw = random.Random(4)
    ranks = []
    for _ in range(10):
        reference = reference_of([text(draw) for _ in range(300)])
        scores = [reference.scores(read(text(draw))) for _ in range(200)]
        ranks += [reference.wording.rank(each[0]) for each in scores]
    assert abs(mean(ranks) - 0.5) < 0.03
    assert abs(mean(rank >= 0.9 for rank in ranks) - 0.1) < 0.03


def test_what_is_saved_scores_the_same():
    draw = random.Random(5)
    reference = reference_of([text(draw) for _ in range(100)])
    again = TextReference(reference.save())
    assert again.save() == reference.save()
    fresh = [read(text(draw)) for _ in range(50)]
    assert [again.scores(each) for each in fresh] == [reference.scores(each) for each in fresh]


def test_a_vocabulary_without_end_is_cut_to_its_most_frequent():
    learning = TextLearning()
    for at in range(1000):
        learning.take(read("hello " + " ".join(f"x{at}y{each}" for each in range(60))))
    reference = calibrated(learning)
    assert reference.frequency(read("hello").hashes[0]) == 1000
    assert len(reference.names) <= MOST_NAMES


@given(st.text(max_size=300))
def test_any_text_is_read(given_text):
    reading = read(given_text)
    assert len(reading.words) == len(reading.hashes) <= MOST_WORDS
    assert reading.length == len(given_text)
    reference = reference_of(["hello world"])
    assert all(score >= 0 for score in reference.scores(reading))


@given(st.integers(1, 3000))
def test_a_baseline_has_each_value_once(size):
    assert sorted(strided(size)) == list(range(size))


def test_a_baseline_has_no_trend():
    ranked = Ranked("length", array("d", range(1000)), ("rank",), unit="characters")
    values = list(ranked.baseline(0))
    assert abs(mean(values[:500]) - mean(values[500:])) < 0.03
    assert mean(values[:50]) < 0.7


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
def test_the_reference_itself_is_not_affected(raws):
    ranked = Ranked("length", array("d", sorted(raws)), ("rank", "spread", "top1"), unit="characters")
    assert ranked.affected(raws, 0) == 0
    assert abs(ranked.means[0] - 0.5) < 1e-9


def test_the_share_affected_is_the_share_that_came_or_went():
    kinds = Indicators("value", ("en", "de"), (0.8, 0.2), 100)
    assert kinds.affected([1] * 60 + [2] * 40, 1) == pytest.approx(0.25)
    assert kinds.affected([1] * 60 + [2] * 40, 0) == pytest.approx(0.25)
    ranked = Ranked("length", array("d", range(100)), ("rank",), unit="characters")
    assert ranked.affected([*range(100), *([500] * 100)], 0) == pytest.approx(0.5)
    assert ranked.affected([*range(100), *([-5] * 100)], 0) == pytest.approx(0.5)


def test_terms_are_forgotten_by_half_life_and_bounded():
    reference = reference_of(["hello world"] * 20)
    terms = RecentTerms()
    for at in range(2000):
        terms.take([f"word{chr(97 + at % 26)}{chr(97 + at // 26 % 26)}{chr(97 + at // 676)}"])
        assert len(terms.save().weights) <= MOST_TERMS * 3 // 2
    for _ in range(HALF_LIFE):
        terms.take(["flight"])
    moved = {each.value: each for each in terms.moved(reference, (), 3)}
    assert moved["flight"].share == pytest.approx(0.5, abs=0.01)
    assert moved["hello"].lift == 0


def test_terms_are_words():
    terms = RecentTerms()
    terms.take(["a", "w5", "ok2", "x" * 30, "plain", "plain"])
    assert list(terms.save().weights) == ["plain"]
    assert terms.save().weights["plain"] == 1
