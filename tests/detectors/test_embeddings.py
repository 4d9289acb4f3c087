"""Embeddings that move are found; those that stay, or are no numbers, are not."""

import random

import pytest

from detectors.input_shift import InputShift
from detectors.inputs.embedding_watch import EmbeddingWatch
from detectors.inputs.text_watch import TextWatch
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

WIDTH = 32
SIZE = 800


def embedding(draw, shift=0.0, spread=1.0):
    """Gaussian; the first dimensions spread more, as those of embeddings do."""
    return [draw.gauss(shift if at < 4 else 0.0, spread * (2.0 if at < 4 else 1.0)) for at in range(WIDTH)]


class Reader:
    def __init__(self, seed=1, size=SIZE):
        self.draw = random.Random(seed)
        self.watch = EmbeddingWatch(size, 8000.0)
        self.at = 0
        self.reads(size)

    def reads(self, count, **changes):
        """Until one alarms; how many were read."""
        for taken in range(count):
            self.at += 1
            self.watch.take(embedding(self.draw, **changes), (self.at, 0, 0), self.at * 259.2)
            if self.watch.hold is not None:
                return taken
        return None


class Agent:
    """An agent whose inputs have a text, and an embedding or none."""

    def __init__(self, watch):
        self.settings = watch
        self.detector = InputShift(watch, {})
        self.now = START_S
        self.told = []

    def hears_all(self, count, given):
        for _ in range(count):
            self.now += 60.0
            what = {"text": "where is my order"} | ({"embedding": found} if (found := given()) else {})
            told = {"input": what, "conversation": {"id": f"c{self.now}"}}
            self.detector.observe(event(self.now, "receive_input", **told), self.now)
            holds = bool(self.detector.findings(self.now))
            if self.told[-1:] != [holds]:
                self.told.append(holds)

    def restart(self):
        state = self.detector.save()
        self.detector = InputShift.load(self.settings, {}, state, InputShift.version)


def test_a_cloud_that_moves_or_widens_is_found():
    for changes in ({"shift": 3.0}, {"spread": 1.5}):
        reader = Reader()
        assert reader.reads(300) is None
        assert reader.reads(150, **changes) < 100
        story = reader.watch.story()
        assert 0 < story.blast.share <= 1


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_a_cloud_that_stays_is_left_in_peace():
    assert [seed for seed in range(6) if Reader(seed).reads(2000) is not None] == []


def test_it_is_over_when_they_are_back():
    reader = Reader()
    reader.reads(100, shift=3.0)
    assert reader.watch.hold is not None
    for _ in range(120):
        reader.reads(1)
    assert reader.watch.hold is None
    assert reader.watch.story() is None


def test_it_is_over_when_none_are_sent_any_more_and_found_again_when_they_are():
    agent, draw = Agent(watch=Watch(reference=SIZE)), random.Random(3)
    agent.hears_all(SIZE, lambda: embedding(draw))
    agent.hears_all(60, lambda: embedding(draw, shift=3.0))
    agent.hears_all(127, lambda: None)
    agent.hears_all(1, lambda: embedding(draw, shift=3.0))
    agent.hears_all(127, lambda: None)
    assert agent.told == [False, True]
    agent.restart()
    agent.hears_all(1, lambda: None)
    assert agent.told == [False, True, False]
    agent.hears_all(60, lambda: embedding(draw, shift=3.0))
    assert agent.told == [False, True, False, True]


def test_it_is_over_when_embeddings_of_another_width_come_for_long():
    reader = Reader()
    reader.reads(100, shift=3.0)
    for at in range(128):
        assert reader.watch.hold is not None
        reader.watch.take([0.0] * (WIDTH + 1), (0, 0, 0), 1e6 + at)
    assert reader.watch.hold is None


@pytest.mark.parametrize("count", [0, 10, SIZE + 5, SIZE + 400])
def test_it_continues_from_what_was_saved(count):
    draw, watch = random.Random(2), EmbeddingWatch(SIZE, 8000.0)
    for at in range(count):
        watch.take(embedding(draw), (0, 0, 0), at * 259.2)
    saved, parts = watch.save()
    again = EmbeddingWatch(SIZE, 8000.0, saved, parts)
    for at in range(count, count + 60):
        given = embedding(draw, shift=2.0)
        for each in (watch, again):
            each.take(given, (0, 0, 0), at * 259.2)
    assert again.save() == watch.save()


def test_another_width_and_what_is_no_number_are_passed_over():
    reader = Reader()
    before = reader.watch.save()
    for given in ([0.0] * (WIDTH + 1), [float("nan")] * WIDTH, [float("inf")] + [0.0] * (WIDTH - 1)):
        reader.watch.take(given, (0, 0, 0), 1e6)
    assert reader.watch.save() == before


def test_embeddings_that_are_all_the_same_are_no_news_until_they_differ():
    watch = EmbeddingWatch(400, 8000.0)
    for at in range(800):
        watch.take([1.0, 2.0], (0, 0, 0), at * 259.2)
    assert watch.hold is None
    for at in range(800, 900):
        watch.take([1.0, 3e38], (0, 0, 0), at * 259.2)
    assert watch.hold is not None


def test_an_agent_of_low_traffic_has_a_reference_after_a_week():
    watch = EmbeddingWatch(SIZE, 8000.0)
    draw = random.Random(4)
    for at in range(320):
        watch.take(embedding(draw), (0, 0, 0), at * 1900.0)
    assert "embedding-reference" in watch.save()[1]


def test_the_finding_says_that_it_is_embeddings_and_keeps_to_its_bounds():
    detector, draw = InputShift(Watch(reference=400), {}), random.Random(3)
    for at in range(700):
        given = [draw.gauss(3.0 if at >= 500 and each < 20 else 0.0, 1.0) for each in range(128)]
        told = {"input": {"embedding": given}, "conversation": {"id": f"c{at}"}}
        detector.observe(event(START_S + at * 60.0, "receive_input", **told), START_S + at * 60.0)
    (finding,) = detector.findings(START_S + 42_000.0)
    assert (finding.finding, dict(finding.labels)) == ("features", {"feature": "embedding"})
    assert "Embeddings" in finding.summary
    state = detector.save()
    assert len(state.body) < 20_000
    assert len(state.parts["embedding-reference"]) < 30_000


def test_where_nothing_has_been_learnt_there_is_nothing_to_end():
    watch, texts = EmbeddingWatch(SIZE, 8000.0), TextWatch(SIZE, 8000.0)
    before = watch.save(), texts.save()
    watch.end(1e9)
    texts.end(1e9)
    assert (watch.save(), texts.save()) == before
