"""A language or script is named where many words tell it, and nothing is said where they do not."""

import random

import pytest

from detectors.input_shift import InputShift
from detectors.inputs.languages import _COMMON, told_by
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("für wecker von mich eine heute stelle", "German"),
        ("para quiero mañana cuando reserva", "Spanish"),
        ("погода завтра какая lisbon", "Cyrillic script"),
        ("طقس غدا منبه", "Arabic script"),
        ("ください 天気 こんにちは です", "Japanese"),
        ("天气 明天 提醒", "Chinese or Japanese"),
        ("내일 날씨 알려줘", "Korean"),
        ("til det gerne vil jeg sæt tilføj", ""),
        ("flight lisbon seat boarding", ""),
        ("het voor", ""),
        ("het voor van quiero", ""),
        ("naïve café déjà", ""),
        ("погода завтра flight seat pass window luggage", ""),
        ("", ""),
    ],
)
def test_words_tell_their_language_or_script(words, language):
    assert told_by(words.split()) == language


def test_each_word_stands_in_one_list_alone():
    words = [word for each in _COMMON.values() for word in each.split()]
    assert len(words) == len(set(words))
    assert all(len(word) > 2 for word in words)


def test_a_finding_says_in_which_language_its_texts_are():
    detector, draw, now = InputShift(Watch(reference=300), {}), random.Random(3), START_S
    dutch = ("zet een wekker voor morgen", "hoe is het weer vandaag", "wat is het weer van morgen")
    known = ("where is my order", "cancel the blue shirt", "change my address please", "i want it back")
    for at in range(460):
        now += 60
        text = draw.choice(dutch if at > 350 and draw.random() < 0.5 else known)
        given = {"text": f"{text} {draw.choice(('a', 'b', 'c', 'd'))}"}
        detector.observe(event(now, "chat", input=given), now)
    (finding,) = detector.findings(now)
    assert "; in Dutch; more: " in finding.told().summary
    assert len(finding.told().contributors) <= 10
