"""What the demo shows and how it judges."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from schemas.page import Page
from streams.cli.console import THEME
from streams.cli.demo import Screen, judged
from streams.demonstration.scenario import DEMO, SCRIPTED, judge
from tests.streams.words import content, page, signal, update

OUTAGE, SPIKE, SHIFT = SCRIPTED
DETECTORS = {OUTAGE: "error_rate", SPIKE: "cost", SHIFT: "input_shift"}


def about(scripted, after: timedelta = timedelta(minutes=5), **changes: object) -> Page:
    """A page as the incident should bring it about."""
    labels = {"agent": scripted.agents[0]}
    told = content(signal(detector=DETECTORS[scripted], labels=labels))
    return page(**({"time": scripted.start + after, "content": told} | changes))


def shown(*messages) -> str:
    out = io.StringIO()
    look = Console(file=out, theme=THEME, width=120)
    with Screen(DEMO, look) as screen:
        screen.hears("a [worker] runs")
        screen.sees_published(OUTAGE.start, 1000)
        for message in messages:
            screen.sees_message(message)
        screen.sees_watched(SHIFT.end)
    return out.getvalue()


def test_an_incident_is_found_by_the_first_page_about_it():
    verdict = judge([about(OUTAGE, timedelta(minutes=9)), about(OUTAGE), about(SPIKE), about(SHIFT)])
    assert [found.delay for found in verdict.found] == [timedelta(minutes=5)] * 3
    assert (list(verdict.missed), list(verdict.false)) == ([], [])


def test_an_incident_without_a_page_is_missed():
    assert judge([about(OUTAGE), about(SHIFT)]).missed == [SPIKE]
    assert [found.delay for found in judge([]).found] == [None] * 3


@pytest.mark.parametrize("after", [timedelta(minutes=-1), timedelta(hours=3)])
def test_a_page_outside_the_time_of_an_incident_is_false(after):
    early = about(OUTAGE, after)
    verdict = judge([early])
    assert list(verdict.false) == [early]
    assert OUTAGE in verdict.missed


def test_a_page_about_another_agent_is_false():
    other = about(SPIKE, content=content(signal(detector="cost", labels={"agent": "code-reviewer"})))
    assert list(judge([other]).false) == [other]


def test_a_page_about_another_kind_of_trouble_finds_nothing_but_is_explained():
    side = about(SPIKE, content=content(signal(detector="error_rate", labels={"agent": SPIKE.agents[0]})))
    verdict = judge([side])
    assert list(verdict.false) == []
    assert SPIKE in verdict.missed


def test_the_script_is_told_before_the_pages_that_it_brings_about():
    text = shown(about(OUTAGE), about(SHIFT))
    places = [
        text.index(words) for words in (OUTAGE.story[:20], "page to ana", SPIKE.story[:20], SHIFT.story[:20])
    ]
    assert places == sorted(places)


def test_a_page_is_shown_whole_an_update_in_one_line():
    text = shown(about(OUTAGE), update(summary="[costs] as before"))
    assert "costs five times as much" in text
    assert "resolved for ana: [costs] as before" in text


def test_what_is_set_up_is_told_word_for_word():
    assert "✓ a [worker] runs" in shown()


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([about(OUTAGE), about(SPIKE), about(SHIFT)], ["✓ false pages: 0", "found: 3 of 3", "5 min 00 s"]),
        ([about(OUTAGE), about(SHIFT, timedelta(hours=-3))], ["✗ false pages: 1", "found: 1 of 3", "missed"]),
    ],
)
def test_the_verdict_is_told_in_a_table(pages, words):
    out = io.StringIO()
    judged(judge(pages), Console(file=out, theme=THEME, width=120))
    assert all(word in out.getvalue() for word in words)
