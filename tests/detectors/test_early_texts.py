"""Texts that change while their reference is learnt are told, for a while."""

import random

import pytest

from detectors.input_shift import InputShift
from detectors.inputs.early_texts import LASTS, LASTS_S, EarlyTexts
from detectors.inputs.text_reading import read
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

STEP_S = 5.0


def asks(draw, most=12):
    return " ".join("word" for _ in range(draw.randrange(4, most)))


def fed(early, texts, start=0):
    for at, text in enumerate(texts, start):
        early.take(at * STEP_S, read(text))
        if early.change is not None:
            return at
    return None


def test_longer_texts_are_told_by_their_length():
    draw, early = random.Random(1), EarlyTexts()
    assert fed(early, (asks(draw) for _ in range(400))) is None
    found = fed(early, (asks(draw, 60) for _ in range(400)), 400)
    assert found < 600
    assert (early.change.what, early.change.unit) == ("length", "characters per input")
    assert early.change.usual == pytest.approx(36, rel=0.2)
    assert early.change.observed > 1.3 * early.change.usual


def test_another_structure_is_told_by_its_share():
    draw, early = random.Random(2), EarlyTexts()
    fed(early, (asks(draw) for _ in range(300)))
    fed(early, (f"{asks(draw)} 12" for _ in range(300)), 300)
    assert (early.change.what, early.change.unit, round(early.change.usual, 2)) == (
        "digits",
        "share of inputs",
        0,
    )


def test_texts_that_stay_are_left_in_peace():
    for seed in range(10):
        draw = random.Random(seed)
        assert fed(EarlyTexts(), (asks(draw) for _ in range(2000))) is None


def test_it_is_told_for_a_while_and_once():
    draw, early = random.Random(3), EarlyTexts()
    fed(early, (asks(draw) for _ in range(400)))
    found = fed(early, (asks(draw, 60) for _ in range(400)), 400)
    assert early.told(found * STEP_S) is early.told(found * STEP_S + LASTS_S - 1) is early.change
    assert early.told(found * STEP_S + LASTS_S) is None
    for at in range(LASTS):
        assert early.told(found * STEP_S) is not None
        early.take((found + at) * STEP_S, read(asks(draw)))
    assert early.told(found * STEP_S) is None


def test_it_continues_from_what_was_saved():
    draw, early = random.Random(4), EarlyTexts()
    fed(early, (asks(draw) for _ in range(100)))
    again = EarlyTexts(early.save())
    texts = [asks(draw, 60) for _ in range(300)]
    assert fed(early, texts) == fed(again, texts)
    assert early.save() == again.save()


def test_the_finding_is_over_when_the_reference_is_there():
    detector, draw, told = InputShift(Watch(reference=900), {}), random.Random(5), []
    for at in range(1000):
        now = START_S + at * 60.0
        given = {"text": asks(draw, 12 if at < 400 else 60)}
        detector.observe(event(now, "receive_input", input=given, conversation={"id": f"c{at}"}), now)
        told += [each.summary for each in detector.findings(now) if "being learnt" in each.summary]
    assert told
    assert "length" in told[0]
    assert len(set(told)) == 1
    assert detector.findings(now) == []


def test_a_structure_that_never_came_before_is_told_with_its_share():
    detector, draw = InputShift(Watch(reference=900), {}), random.Random(6)
    for at in range(700):
        now = START_S + at * 60.0
        given = {"text": asks(draw) + (" 12" if at >= 400 else "")}
        detector.observe(event(now, "receive_input", input=given, conversation={"id": f"c{at}"}), now)
        if detector.findings(now):
            break
    (finding,) = detector.findings(now)
    assert finding.observed > 0.1
    assert finding.baseline < 0.02
    assert finding.magnitude > 5
