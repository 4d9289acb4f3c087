"""Advice that waits for a person: shown on the page, granted or refused once, by whoever is asked."""

from datetime import timedelta

import pytest

from routing.callbacks.refused import Refused
from routing.callbacks.slack import pressed
from routing.content import built_in
from routing.words.blocks import blocks
from tests.routing.callbacks.presses import press
from tests.routing.scenario import HOUR, MINUTE, Scenario
from tests.routing.test_advice import OWNED, WAITING, rule


def rolled_out():
    t = Scenario(OWNED)
    t.signal(detector="rollout", finding="worse", release="v2")
    t.fast_forward(MINUTE)
    return t


def buttons(message):
    found = [each for each in blocks(message, built_in(message)) if each["type"] == "actions"]
    return [button for each in found[:-1] for button in each["elements"]]


def press_of(button, at="1.0"):
    return press(button["action_id"], button["value"], at=at)


def test_a_page_says_what_waits_and_has_buttons_for_it():
    t = rolled_out()
    facts = {each.label: each.text for each in built_in(t.pages[0]).facts}
    assert (
        facts["To grant"] == f"roll back agent refund-agent, release v2, team payments ({t.decisions[0].id})"
    )
    assert [each["text"]["text"] for each in buttons(t.pages[0])] == [
        "Grant: roll back agent refund-agent, release v2, team payments",
        "Refuse",
    ]


def test_a_button_grants_it_and_the_page_says_who_did():
    t = rolled_out()
    (cause,) = pressed(press_of(buttons(t.pages[0])[0]), t.now)
    t.write(cause)
    assert (t.decisions[-1].id, t.decisions[-1].granted_by) == (t.decisions[0].id, "ana")
    assert t.incident.waiting == ()
    assert [(each.by, each.did, each.via) for each in t.incident.deeds] == [("ana", "granted", "slack")]
    assert t.updates[-1].reason == "updated"
    assert buttons(t.updates[-1]) == []


def test_a_repeated_callback_changes_nothing_nor_does_a_second_press():
    t = rolled_out()
    for at in ("1.0", "1.0", "2.0"):
        t.write(*pressed(press_of(buttons(t.pages[0])[0], at), t.now))
    assert (len(t.decisions), len(t.incident.deeds)) == (2, 1)
    assert t.router.counts == {"words repeated": 1, "decisions granted or refused before": 1}


def test_what_was_refused_may_be_granted_after_all_and_the_other_way():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    first = t.decisions[0].id
    rule(t, "refused", first)
    t.fast_forward(5 * MINUTE)
    rule(t, "granted", first)
    assert (t.decisions[-1].granted_by, t.decisions[-1].until) == ("ana", t.now + HOUR)
    rule(t, "refused", first)
    assert (t.decisions[-1].granted_by, t.decisions[-1].until) == ("", t.now)
    t.fast_forward(3 * HOUR)
    assert len(t.decisions) == 4


def test_advice_that_was_given_again_meanwhile_is_granted_by_the_page_that_was_sent_before():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    t.fast_forward(2 * HOUR + MINUTE)
    assert len({each.id for each in t.decisions}) == 3
    rule(t, "granted", t.decisions[0].id)
    assert (t.decisions[-1].id, t.decisions[-1].granted_by) == (t.decisions[2].id, "ana")
    assert t.incident.deeds[-1].note.startswith("defer ")


def test_advice_that_comes_to_wait_later_is_shown_by_an_edit():
    t = Scenario(WAITING)
    t.signal()
    t.fast_forward(MINUTE)
    t.signal("s2", detector="input_shift")
    assert [each.action for each in t.incident.waiting] == ["defer"]
    assert "To grant" in {each.label for each in built_in(t.updates[-1]).facts}


def test_what_is_automatic_or_over_waits_for_nobody():
    t = Scenario(WAITING.replace("for: 1h", "for: 1h, automatic: true"))
    t.signal(detector="input_shift")
    t.fast_forward(MINUTE)
    assert (t.incident.waiting, t.pages[0].content.waiting) == ((), ())
    t = rolled_out()
    t.recover()
    assert t.incident.waiting == ()
    assert buttons(t.updates[-1]) == []


def test_what_waits_survives_a_restart():
    t = rolled_out()
    t.restart()
    rule(t, "granted", t.decisions[0].id)
    assert t.decisions[-1].granted_by == "ana"
    assert t.decisions[-1].time - t.decisions[0].time == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("action", "value"), [("grant", "inc-1"), ("refuse", "inc-1 "), ("acknowledge", "inc-1 dec-1")]
)
def test_a_button_that_does_not_say_what_it_should_is_refused(action, value):
    t = rolled_out()
    with pytest.raises(Refused, match="does not say what it should"):
        pressed(press(f"oversight.{action}", value), t.now)
