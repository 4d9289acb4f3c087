"""What texts are about of late is learnt, told by its terms, forgotten, and bounded."""

import random
from statistics import mean

import pytest

from detectors.inputs.rank_tracking import above
from detectors.inputs.text_learning import TextLearning, calibrated
from detectors.inputs.text_reading import read
from detectors.inputs.text_terms import moved
from detectors.inputs.word_mix import WordMix
from detectors.inputs.word_rates import MOST_NEW, WAITING

NAMES = [first + second + third for first in "bdfgk" for second in "aeiou" for third in "lmnrst"]


def text(draw, words=NAMES):
    return " ".join(words[min(int(draw.paretovariate(0.5)), len(words)) - 1] for _ in range(7))


def reference_of(texts):
    learning = TextLearning()
    for each in texts:
        learning.take(read(each))
    return calibrated(learning)


class Reader:
    def __init__(self, seed=1, size=400):
        self.draw = random.Random(seed)
        self.reference = reference_of([text(self.draw) for _ in range(size)])
        self.mix = WordMix(self.reference)

    def reads(self, given):
        reading = read(given)
        places = self.mix.places(reading, self.reference.scores(reading))
        found = [
            above(table, score) for table, score in zip(self.mix.tables, self.mix.scores(places), strict=True)
        ]
        self.mix.take(places)
        return [sum(pair) / (2 * len(self.mix.tables[0])) for pair in found]

    def terms(self, patterns=(), most=10):
        return {each.value: each for each in moved(self.mix.rates, self.reference, patterns, most)}


def test_ranks_stay_uniform_whatever_was_learnt():
    ranks = []
    for seed in range(8):
        reader = Reader(seed)
        seen = [reader.reads(text(reader.draw)) for _ in range(600)]
        ranks += [each for pair in seen[200:] for each in pair]
    assert abs(mean(ranks) - 0.5) < 0.03
    assert abs(mean(each <= 0.1 for each in ranks) - 0.1) < 0.03


def test_a_mix_of_known_words_that_moved_is_far_out_once_it_is_learnt():
    reader = Reader()
    rare = NAMES[40:60]
    for _ in range(4 * WAITING):
        reader.reads(text(reader.draw, rare) if reader.draw.random() < 0.3 else text(reader.draw))
    assert mean(mean(reader.reads(text(reader.draw, rare))) for _ in range(40)) < 0.1
    assert set(reader.terms()) & set(rare)


def test_terms_are_told_with_share_and_lift_and_forgotten():
    reader = Reader()
    for _ in range(150):
        reader.reads("flight")
    for _ in range(150):
        reader.reads(text(reader.draw))
    terms = reader.terms()
    assert terms["flight"].share == pytest.approx(0.35, abs=0.15)
    assert terms["flight"].lift > 100
    assert set(reader.terms(("flight",))) & {"[redacted]"}
    for _ in range(12_000):
        reader.mix.take([0])
    assert "flight" not in reader.terms(most=1000)


def test_what_vanished_is_told_too():
    reader = Reader()
    for _ in range(40):
        reader.reads("flight")
    vanished = [each for each in reader.terms().values() if each.lift == 0]
    assert vanished
    assert vanished[0].value in NAMES[:3]


def test_it_continues_from_what_was_saved():
    reader = Reader()
    for at in range(3 * WAITING + 10):
        reader.reads(f"{text(reader.draw)} fresh{'ab'[at % 2]} {'zyx'[at % 3] * 5}")
    saved = reader.mix.save()
    again = WordMix(reader.reference, saved)
    assert again.save() == saved
    assert again.tables == reader.mix.tables
    first, second = reader, Reader()
    second.mix = again
    for at in range(WAITING):
        given = f"{NAMES[at]} later{NAMES[at]}"
        assert first.reads(given) == second.reads(given)
    assert again.save() == reader.mix.save()
    assert first.terms() == second.terms()


def test_new_words_without_end_fill_it_to_a_bound():
    reader = Reader()
    for at in range(20 * WAITING):
        reader.reads(" ".join(f"n{at}x{each}" for each in range(40)) if at % 2 else "often seen of late")
        assert len(reader.mix.rates.names) <= MOST_NEW
    assert {"often", "seen", "late"} <= set(reader.terms())


def test_known_words_without_end_are_kept_to_those_that_came_most():
    draw = random.Random(3)
    words = [f"w{at}" for at in range(6000)]
    reference = reference_of(
        [" ".join(words[at % 6000] for at in range(start, start + 60)) for start in range(0, 12_000, 30)]
    )
    mix = WordMix(reference)
    for _ in range(4 * WAITING):
        reading = read(" ".join(draw.choices(words, k=60)))
        mix.take(mix.places(reading, reference.scores(reading)))
    assert len(mix.save().places) <= 2 * (2048 + 20)
