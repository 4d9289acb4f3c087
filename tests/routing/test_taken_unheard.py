"""Incidents that somebody took before anybody was paged: they come back when they get worse, or lapse."""

from msgspec.structs import replace

from schemas.signal import Blast
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario

DAY = 24 * HOUR


def hidden(config=ESCALATED, detector="cost"):
    """An incident that a silence of 20 minutes hides, two minutes old."""
    t = Scenario(config)
    t.silence('agent="refund-agent"', lasts=20 * MINUTE)
    t.signal(detector=detector)
    t.fast_forward(2 * MINUTE)
    return t


def test_what_was_taken_as_a_warning_and_becomes_critical_pages_at_once():
    t = hidden()
    t.acknowledge(by="cy")
    t.fast_forward(23 * MINUTE)
    assert t.pages == []
    t.signal("s2", detector="silence")
    t.fast_forward(2 * MINUTE)
    assert t.told == [(25 * 60, "ana", "joined")]
    assert t.incident.status == "acknowledged"


def test_a_signal_that_gets_worse_pages_too():
    config = ONE_CHANNEL.replace("base: {", "base: {budget: 45, ")
    t = hidden(config, detector="budget")
    t.acknowledge()
    t.fast_forward(23 * MINUTE)
    worse = {"magnitude": 10.0, "magnitude_unit": "ratio", "blast": Blast(share=1.0)}
    t.firing["s1"] = replace(t.firing["s1"], **worse)
    t.say_again()
    t.fast_forward(MINUTE)
    assert t.told == [(25 * 60, "oncall", "joined")]


def test_what_was_taken_as_an_error_pages_nobody_until_that_lapses():
    t = hidden(detector="error_rate")
    t.acknowledge(by="bo")
    t.fast_forward(29 * MINUTE)
    assert t.pages == []
    t.fast_forward(10 * MINUTE)
    assert t.told[0][1:] == ("ana", "opened")
    assert 32 * 60 <= t.told[0][0] <= 34 * 60
    assert t.told[1][1:] == ("bo", "escalated")


def test_an_acknowledgement_before_any_page_lapses_as_the_escalation_says():
    t = hidden()
    t.acknowledge(by="cy")
    t.fast_forward(40 * MINUTE)
    assert [each[1:] for each in t.told[:2]] == [("ana", "opened"), ("bo", "escalated")]


def test_an_acknowledgement_of_what_goes_to_a_channel_alone_does_not_lapse():
    t = hidden(ONE_CHANNEL)
    t.acknowledge()
    t.fast_forward(DAY)
    assert t.pages == []


def test_what_is_handed_over_before_any_page_climbs_the_receivers_escalation_afterwards():
    t = hidden()
    t.hand("bo", by="cy")
    t.acknowledge(by="bo")
    t.fast_forward(29 * MINUTE)
    assert t.told == [(120, "bo", "reassigned")]
    t.fast_forward(8 * MINUTE)
    assert t.told[1:] == [(32 * 60, "bo", "repeated"), (37 * 60, "ana", "escalated")]


def test_what_was_taken_outlives_a_restart():
    t = hidden(detector="error_rate")
    t.acknowledge(by="bo")
    t.restart()
    t.fast_forward(29 * MINUTE)
    assert t.pages == []
