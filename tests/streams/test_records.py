"""What `--json` prints."""

import json

import pytest

from schemas.decision import Decision
from streams.records import Turns, line
from tests.streams.words import MINUTE, NOON, incident, page, signal, update

ADVICE = Decision(
    id="dec-1",
    time=NOON,
    action="open_circuit",
    subject={"dependency": "provider"},
    reason="it is down",
    incident="inc-1",
)
PROMISED = {
    "signal": {"id", "time", "detector", "state", "labels", "onset", "summary"},
    "incident": {"id", "time", "status", "severity", "labels", "summary"},
    "page": {"id", "time", "incident", "severity", "to", "channel", "reason", "summary"},
    "update": {"id", "time", "incident", "to", "channel", "reason"},
    "decision": {"id", "time", "action", "subject", "reason", "incident"},
}


@pytest.mark.parametrize(
    "word", [signal(), incident(), page(), update(), ADVICE], ids=lambda each: type(each).__name__
)
def test_a_record_has_every_field_that_scripts_may_rely_on(word):
    found = json.loads(line(word))
    assert PROMISED[found["kind"]] <= found.keys()
    assert found["kind"] == type(word).__name__.lower()
    assert found["time"].endswith("Z")
    assert b"\n" not in line(word)


def test_a_channel_is_told_by_kind_and_target_without_its_options():
    assert json.loads(line(page()))["channel"] == "terminal:screen"


def test_a_signal_that_is_asserted_again_is_no_turn_but_its_end_is():
    turns = Turns()
    told = [turns.is_turn(signal(time=NOON + n * MINUTE)) for n in range(3)]
    assert told == [True, False, False]
    assert turns.is_turn(signal(state="resolved"))
    assert turns.is_turn(signal(id="sig-2"))


def test_an_incident_is_a_turn_when_its_status_or_severity_changes():
    turns = Turns()
    assert turns.is_turn(incident())
    assert not turns.is_turn(incident(summary="other words"))
    assert turns.is_turn(incident(severity="critical"))
    assert turns.is_turn(incident(severity="critical", status="acknowledged"))


def test_every_page_update_and_piece_of_advice_is_a_turn():
    turns = Turns()
    assert all(turns.is_turn(word) for word in (page(), page(), update(), update(), ADVICE, ADVICE))
