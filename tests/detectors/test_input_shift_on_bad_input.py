"""Whatever comes as an input gets a defined answer: any script, one endless token, numbers that are none."""

import math
import random

import pytest

from detectors.input_shift import InputShift, TextShift
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

SCRIPTS = {
    "Latin": 0x61, "Greek": 0x3B1, "Cyrillic": 0x430, "Armenian": 0x561, "Hebrew": 0x5D0, "Arabic": 0x627,
    "Syriac": 0x710, "Thaana": 0x780, "NKo": 0x7CA, "Samaritan": 0x800, "Devanagari": 0x905,
    "Bengali": 0x985,
    "Gurmukhi": 0xA05, "Gujarati": 0xA85, "Oriya": 0xB05, "Tamil": 0xB85, "Telugu": 0xC05, "Kannada": 0xC85,
    "Malayalam": 0xD05, "Sinhala": 0xD85, "Thai": 0xE01, "Lao": 0xE81, "Tibetan": 0xF40, "Myanmar": 0x1000,
    "Georgian": 0x10D0, "Hangul": 0xAC00, "Ethiopic": 0x1200, "Cherokee": 0x13A0, "Canadian": 0x1401,
    "Ogham": 0x1681, "Runic": 0x16A0, "Khmer": 0x1780, "Mongolian": 0x1820, "Limbu": 0x1900,
    "Tifinagh": 0x2D30,
    "Hiragana": 0x3041, "Katakana": 0x30A1, "Bopomofo": 0x3105, "Han": 0x4E00, "Yi": 0xA000,
    "Gothic": 0x10330,
    "Deseret": 0x10400,
}  # fmt: skip
REFERENCE = 300
MONTH_APART_S = 259.2


def written(draw, first):
    """A text of invented words in the script that begins at `first`."""
    words = ["".join(chr(first + draw.randrange(20)) for _ in range(2)) for _ in range(6)]
    return " ".join(words)


def reader(script="Latin"):
    draw = random.Random(1)
    return TextShift([written(draw, SCRIPTS[script]) for _ in range(REFERENCE)]), draw


def until(detector, draw, texts, most=200):
    return next((at for at in range(most) if detector.update(texts(draw)) is not None), None)


def test_there_are_forty_scripts():
    assert len(SCRIPTS) >= 40


@pytest.mark.parametrize("script", SCRIPTS)
def test_another_script_is_found_and_the_own_one_is_no_news(script):
    detector, draw = reader(script)
    assert until(detector, draw, lambda draw: written(draw, SCRIPTS[script])) is None
    other = "Latin" if script != "Latin" else "Han"
    assert until(detector, draw, lambda draw: written(draw, SCRIPTS[other])) < 30


@pytest.mark.parametrize(
    "token", ["a" * 4000, "A" * 4000, "漢" * 4000, "\ud800" * 4000, "\0" * 4000, " " * 4000]
)
def test_one_endless_token_is_a_text_like_any_other(token):
    detector, draw = reader()
    assert detector.update(token) is None
    assert until(detector, draw, lambda _: token) < 30
    alone = TextShift([token] * REFERENCE)
    assert [alone.update(token) for _ in range(200)] == [None] * 200


def test_a_reference_of_one_text_and_of_nothing_is_a_reference():
    for only in ("hello there", ""):
        detector = TextShift([only])
        assert detector.update(only) is None
        assert detector.update("something else altogether") is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_passed_over(value):
    detector, draw = InputShift(Watch(reference=REFERENCE), {}), random.Random(2)
    for at in range(REFERENCE * 3):
        bad = at >= REFERENCE and at % 2
        features = {"chars": value if bad else draw.gauss(400, 80)}
        now = START_S + at * MONTH_APART_S
        detector.observe(event(now, "chat", input={"features": features}, conversation={"id": f"{at}"}), now)
        assert detector.findings(now) == []


def test_a_field_that_is_never_a_number_is_not_watched():
    detector = InputShift(Watch(reference=REFERENCE), {})
    for at in range(REFERENCE * 2):
        now = START_S + at * MONTH_APART_S
        given = {"features": {"x": math.nan}, "embedding": (math.nan, 1.0)}
        detector.observe(event(now, "chat", input=given, conversation={"id": f"{at}"}), now)
    assert detector.findings(now) == []


def test_the_state_of_an_older_version_is_learnt_anew():
    detector, draw = InputShift(Watch(reference=REFERENCE), {}), random.Random(3)
    fresh = detector.save()
    for at in range(20):
        given = {"text": written(draw, 0x61)}
        detector.observe(event(START_S + at, "chat", input=given), START_S + at)
    assert InputShift.load(Watch(reference=REFERENCE), {}, detector.save(), 1).save() == fresh
