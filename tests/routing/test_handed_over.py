"""Whoever an incident was handed to hears of it from then on, not those from whom it was taken."""

from schemas.outcome import Undeliverable
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, Scenario, says_nothing
from tests.routing.test_hands import TEAMS


def test_a_rise_in_severity_is_told_to_the_team_that_has_it():
    t = Scenario(TEAMS)
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.hand(team="platform")
    t.acknowledge(by="cy")
    t.fast_forward(4 * MINUTE)
    t.signal("s2", detector="silence")
    t.fast_forward(20 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (60, "cy", "reassigned"), (300, "cy", "joined")]


def test_what_nobody_answers_is_repeated_to_the_team_that_has_it():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand(team="platform")
    t.fast_forward(9 * HOUR)
    told = [(to, reason) for _, to, reason in t.told[1:]]
    assert told == [
        ("cy", "reassigned"),
        ("triage", "escalated"),
        *[("cy", "repeated"), ("triage", "escalated")] * 2,
    ]


def test_what_is_handed_over_before_its_first_page_is_not_opened_for_those_before():
    t = Scenario(ESCALATED.replace("group_wait: 0s", "group_wait: 2m"))
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("bo")
    t.fast_forward(4 * MINUTE)
    assert t.told == [(60, "bo", "reassigned")]
    t.fast_forward(2 * MINUTE)
    assert t.told[1:] == [(360, "ana", "escalated")]


def test_what_fires_again_is_told_to_whom_it_was_handed():
    t = Scenario(TEAMS)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.recover()
    t.fast_forward(MINUTE)
    t.signal()
    t.fast_forward(2 * MINUTE)
    assert [(to, reason) for _, to, reason in t.told[1:]] == [("cy", "reassigned"), ("cy", "reopened")]


def test_a_channel_hears_of_it_still():
    t = Scenario(ONE_CHANNEL + "users: {cy: {slack: U03}}\n")
    t.signal(detector="cost")
    t.hand("cy")
    t.acknowledge(by="cy")
    t.fast_forward(MINUTE)
    t.signal("s2", detector="silence")
    t.fast_forward(MINUTE)
    assert sorted((to, reason) for _, to, reason in t.told) == [
        ("cy", "joined"),
        ("cy", "reassigned"),
        ("oncall", "joined"),
    ]


def test_whoever_was_handed_what_a_silence_hides_is_not_told_the_same_at_its_end():
    t = Scenario(TEAMS)
    t.silence('agent="refund-agent"', lasts=20 * MINUTE)
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.acknowledge(by="cy")
    t.fast_forward(25 * MINUTE)
    assert t.told == [(60, "cy", "reassigned")]


def test_whom_a_climb_paged_before_is_tried_over_other_channels_when_it_gets_worse():
    t = Scenario(TEAMS.replace("cy: {slack: U03}", "cy: {slack: U03, email: cy@example.com}"))
    t.answers["U03"] = says_nothing
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.hand("cy")
    t.fast_forward(6 * MINUTE)
    t.signal("s2", detector="silence")
    t.fast_forward(MINUTE)
    assert t.told[-1] == (420, "ana", "joined")
    last = [each for each in t.pages if each.to == "cy"][-1]
    t.report(last, Undeliverable(reason="account_inactive"))
    assert (t.pages[-1].to, t.pages[-1].channel.kind, t.pages[-1].reason) == ("cy", "email", "fallback")


def test_from_whom_it_was_taken_is_not_tried_over_other_channels():
    t = Scenario(TEAMS.replace("cy: {slack: U03}", "cy: {slack: U03, email: cy@example.com}"))
    t.answers["U03"] = says_nothing
    t.signal()
    t.fast_forward(MINUTE)
    t.hand("cy")
    first = t.pages[1]
    t.hand("bo")
    t.report(first, Undeliverable(reason="account_inactive"))
    assert [each.to for each in t.pages] == ["ana", "cy", "bo"]


def test_a_rise_in_what_was_handed_over_and_taken_pages_its_owner_and_does_not_climb():
    t = Scenario(ESCALATED.replace("30m", "4h"))
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.hand("bo")
    t.fast_forward(MINUTE)
    t.acknowledge(by="bo")
    t.signal("s2", detector="silence")
    t.fast_forward(HOUR)
    assert t.told == [(0, "ana", "opened"), (60, "bo", "reassigned"), (120, "bo", "joined")]


def test_a_channel_that_came_while_somebody_had_it_is_told_once_it_is_handed_on():
    t = Scenario(ESCALATED.replace("30m", "4h"))
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.configure(ESCALATED.replace("labels.team }}'}", "labels.team }}'}, {slack: '#more'}"))
    t.fast_forward(9 * MINUTE)
    t.hand("bo")
    t.fast_forward(3 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (600, "bo", "reassigned"), (660, "people", "opened")]


def test_who_was_handed_it_and_waits_for_another_page_gets_it_by_the_channels_they_have_then():
    rules = ESCALATED.replace("wait: 5m", "wait: 50m") + "limits: {pages_per_person: 1 per 1h}\n"
    t = Scenario(rules)
    t.signal()
    t.hand("bo")
    t.acknowledge(by="bo")
    t.fast_forward(31 * MINUTE)
    assert t.incident.held == ("bo",)
    t.configure(rules.replace("U02", "U09"))
    t.fast_forward(30 * MINUTE)
    assert (t.told[-1], t.paged[-1]) == ((3600, "bo", "repeated"), (3600, "slack U09"))
