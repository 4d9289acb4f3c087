"""Texts like the reference have ranks like the reference's; others do not."""

import random
from array import array
from statistics import mean

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.bare_texts import TextShift
from detectors.inputs.indicators import Indicators
from detectors.inputs.quantities import strided
from detectors.inputs.rank_tracking import above
from detectors.inputs.ranked import Ranked
from detectors.inputs.text_learning import MOST_KEPT, MOST_PLACES, NAMES_BYTES, TextLearning, calibrated
from detectors.inputs.text_reading import MOST_WORDS, read
from detectors.inputs.text_reference import TextReference


def text(draw):
    """Words as frequent as words are: a few common, many rare."""
    ranks = [(int(draw.paretovariate(0.9)), int(draw.paretovariate(0.9))) for _ in range(8)]
    return " ".join(f"w{chr(97 + first % 26)}{second}" for first, second in ranks)


def reference_of(texts):
    learning = TextLearning()
    for each in texts:
        learning.take(read(each))
    return calibrated(learning)


def out(table, value):
    """Share of a reference that is at least as far out, ties by half."""
    return sum(above(table, value)) / (2 * len(table))


@pytest.mark.parametrize("which", ["novelty", "surprise"])
def test_left_out_scores_make_ranks_of_new_texts_uniform(which):
    draw = random.Random(4)
    ranks = []
    for _ in range(10):
        reference = reference_of([text(draw) for _ in range(300)])
        table = reference.tables[which == "surprise"]
        ranks += [out(table, getattr(reference.scores(read(text(draw))), which)) for _ in range(200)]
    assert abs(mean(ranks) - 0.5) < 0.03
    assert abs(mean(rank <= 0.1 for rank in ranks) - 0.1) < 0.03


def test_what_is_saved_scores_the_same():
    draw = random.Random(5)
    reference = reference_of([text(draw) for _ in range(100)])
    again = TextReference(reference.fixed)
    fresh = [read(text(draw)) for _ in range(50)]
    assert [again.scores(each) for each in fresh] == [reference.scores(each) for each in fresh]


def test_a_word_has_its_place_and_one_never_seen_has_none():
    reference = reference_of(["where is my order", "where is it"])
    known, fresh = (read(each) for each in ("where is my order", "zebra"))
    assert [reference.frequencies[place] for place in reference.scores(known).places.values()] == [2, 2, 1, 1]
    assert list(reference.scores(fresh).places.values()) == [-1]
    assert reference.scores(known).novelty == 0 < reference.scores(fresh).novelty
    assert reference.scores(known).surprise < reference.scores(fresh).surprise


def test_a_pair_of_known_words_that_never_met_is_new():
    reference = reference_of(["where is my order", "where is it"])
    met, apart = (reference.scores(read(each)).novelty for each in ("is my", "my is"))
    assert met == 0 < apart


def test_a_vocabulary_without_end_is_cut_to_what_is_frequent():
    learning = TextLearning()
    for at in range(1000):
        learning.take(read("hello there " + " ".join(f"x{at}y{each}" for each in range(60))))
    reference = calibrated(learning)
    assert reference.known == 2
    places = reference.scores(read("hello there")).places.values()
    assert [reference.frequencies[place] for place in places] == [500, 500]


def test_a_vocabulary_that_is_all_seldom_is_forgotten_whole():
    learning = TextLearning()
    for _ in range(2):
        for at in range(150):
            learning.take(read(" ".join(f"x{at}y{each}" for each in range(60))))
    reference = calibrated(learning)
    assert reference.known == 0
    assert reference.scores(read("x1y2 x1y3")).novelty > 0


def test_names_are_cut_to_their_room():
    learning = TextLearning()
    for at in range(3000):
        word = "".join(chr(97 + at // 26**power % 26) for power in range(4))
        learning.take(read(f"always{word} {'q' * 16}{word}"))
    names = calibrated(learning).fixed.names
    assert NAMES_BYTES * 0.9 < sum(len(each) + 4 for each in names.values()) <= NAMES_BYTES


def test_the_farthest_out_are_above():
    table = array("I", [1, 2, 2, 5])
    assert [above(table, each) for each in (0, 1, 2, 3, 5, 6)] == [
        (4, 4),
        (3, 4),
        (1, 3),
        (1, 1),
        (0, 1),
        (0, 0),
    ]


@given(st.text(max_size=300))
def test_any_text_is_read(given_text):
    reading = read(given_text)
    assert len(reading.words) == len(reading.hashes) <= MOST_WORDS
    assert reading.length == len(given_text)
    reference = reference_of(["hello world"])
    scored = reference.scores(reading)
    assert min(scored.novelty, scored.surprise) >= 0
    assert reference.others(reading)


@given(st.integers(1, 3000))
def test_a_baseline_has_each_value_once(size):
    assert sorted(strided(size)) == list(range(size))


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


def test_more_texts_than_there_is_room_for_are_thinned():
    learning = TextLearning()
    for at in range(MOST_KEPT + 1):
        learning.take(read(f"a{at % 2} b{at % 3}"))
    assert (learning.seen, len(learning.texts())) == (MOST_KEPT + 1, MOST_KEPT // 2)
    assert calibrated(learning).size == MOST_KEPT // 2
    restored = TextLearning(learning.save())
    for each in (learning, restored):
        each.take(read("once more"))
        each.take(read("and again"))
    assert restored.save() == learning.save()
    assert MOST_KEPT // 2 < len(learning.texts()) <= MOST_KEPT // 2 + 2


def test_of_texts_that_alternate_both_kinds_stay_however_often_they_are_thinned():
    learning = TextLearning()
    for at in range(4 * MOST_KEPT + 2):
        learning.take(read("where is my order" if at % 2 else "thanks"))
    reference = calibrated(learning)
    thanks = reference.frequencies[reference.scores(read("thanks")).places.popitem()[1]]
    assert 0.4 < thanks / reference.size < 0.6


@pytest.mark.parametrize("count", [100, 300, 1000, 2000])
@pytest.mark.parametrize("kinds", [1, 2])
def test_the_same_few_texts_over_and_over_are_as_usual_as_they_were(count, kinds):
    texts = ["where is my order please", "cancel it"][:kinds]
    shift = TextShift([texts[at % kinds] for at in range(count)])
    assert not any(shift.update(texts[at % kinds]) for at in range(3000))
    assert any(shift.update("please tell me a joke about lawyers") for _ in range(200))


def test_a_reference_of_an_earlier_version_had_a_byte_for_each_pair():
    reference = reference_of(["where is my order", "where is it"])
    counts = bytes(array("H", reference.fixed.couples))
    earlier = TextReference(msgspec.structs.replace(reference.fixed, couples=counts))
    readings = [read(each) for each in ("where is it", "is where it", "my order is where")]
    assert [earlier.scores(each) for each in readings] == [reference.scores(each) for each in readings]


def test_words_without_end_keep_what_is_learnt_to_its_limit():
    learning = TextLearning()
    for at in range(2000):
        learning.take(read(" ".join(f"word{chr(97 + each % 26)}x{at * 64 + each}" for each in range(64))))
        assert len(msgspec.msgpack.encode(learning.save())) <= 175_000
    reference = calibrated(learning)
    assert len(msgspec.msgpack.encode(reference.fixed)) <= 200_000
    assert reference.scores(read("word wordax0")).novelty > 0


def test_of_texts_with_many_words_as_many_are_ranked_as_there_is_room_for():
    learning = TextLearning()
    for at in range(1500):
        learning.take(read(" ".join(f"w{(at * 7 + each * 13) % 400}" for each in range(20))))
    fixed = calibrated(learning).fixed
    assert len(fixed.rows) <= 2 * MOST_PLACES
    assert 900 <= len(fixed.widths) < 1500
