"""What is pressed in Slack becomes a cause."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from routing.callbacks.refused import Ignored, Refused
from routing.callbacks.slack import MEANING, pressed
from routing.content import built_in
from routing.words.blocks import BUTTONS, RULINGS, blocks
from schemas.cause import Acknowledged, Approved, Judged, Resolved, Silenced, Snoozed
from tests.fakes import page
from tests.routing.callbacks.presses import press
from tests.routing.scenario import ESCALATED, MINUTE, Scenario

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def only(payload, now=NOW):
    (cause,) = pressed(payload, now)
    return cause


def test_every_button_of_a_page_has_a_meaning():
    assert {name for names in (*BUTTONS.values(), RULINGS) for name in names} == set(MEANING)


def test_what_each_button_means():
    later = NOW + timedelta(hours=1)
    known = {"at": NOW, "incident": "inc-1", "by": "ana.s", "via": "slack", "account": "U01"}
    for name, made in {
        "acknowledge": Acknowledged,
        "resolve": Resolved,
        "snooze": lambda **said: Snoozed(**said, until=later),
        "silence": lambda **said: Silenced(**said, until=later),
        "useful": lambda **said: Judged(**said, verdict="useful"),
        "false_alarm": lambda **said: Judged(**said, verdict="false_alarm"),
    }.items():
        cause = only(press(f"oversight.{name}", "inc-1"))
        assert cause == made(id=cause.id, **known)
    for name, verdict in {"grant": "granted", "refuse": "refused"}.items():
        cause = only(press(f"oversight.{name}", "inc-1 dec-1"))
        assert cause == Approved(id=cause.id, **known, decision="dec-1", verdict=verdict)


def test_the_same_press_has_the_same_id_and_another_has_another():
    assert (
        only(press("oversight.acknowledge", "inc-1")).id == only(press("oversight.acknowledge", "inc-1")).id
    )
    ids = {
        only(press("oversight.acknowledge", "inc-1")).id,
        only(press("oversight.acknowledge", "inc-2")).id,
        only(press("oversight.resolve", "inc-1")).id,
        only(press("oversight.acknowledge", "inc-1", user="U02")).id,
        only(press("oversight.acknowledge", "inc-1", at="171.9")).id,
    }
    assert len(ids) == 5


@pytest.mark.parametrize(
    "payload",
    [
        msgspec.json.encode({"type": "view_submission", "user": {"id": "U01"}}),
        msgspec.json.encode({"type": "block_actions"}),
        press("theirs.acknowledge", "inc-1"),
        press("oversight.explode", "inc-1"),
    ],
)
def test_what_is_about_something_else_is_ignored(payload):
    with pytest.raises(Ignored):
        pressed(payload, NOW)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"type": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_interaction_is_refused(payload):
    with pytest.raises(Refused):
        pressed(payload, NOW)


def test_a_button_of_a_page_that_is_pressed_stops_the_climb():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    sent = t.pages[0]
    button = blocks(sent, built_in(sent))[-1]["elements"][0]
    t.write(only(press(button["action_id"], button["value"]), t.now))
    t.fast_forward(29 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "ana")
    (deed,) = t.incident.deeds
    assert (deed.by, deed.did, deed.via) == ("ana", "acknowledged", "slack")


def test_buttons_are_named_in_words():
    names = [each["text"]["text"] for each in blocks(page(), built_in(page()))[-1]["elements"]]
    assert names == ["Acknowledge", "Snooze 1 h", "Silence 1 h", "Resolve", "False alarm"]


def test_a_button_of_somebody_else_s_with_a_like_name_is_none_of_ours():
    with pytest.raises(Ignored):
        pressed(press("acknowledge", "inc-1"), NOW)
