"""Who is paged next while nobody answers."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from routing.configuration import load
from routing.oncall.responders import chosen, first_responders, responders
from routing.policy import EscalationTarget, Party, Step, User
from routing.router import Router
from schemas.cause import ConfigFile
from schemas.outcome import Delivered, Undeliverable
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, SECOND, START, Scenario, busy, dead, says_nothing


def policy(text=ESCALATED):
    return load((ConfigFile("rules.yaml", text),))


def test_nobody_answers_so_the_second_step_and_then_the_receiver_are_paged():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(HOUR)
    assert t.told == [(0, "ana", "opened"), (300, "bo", "escalated"), (900, "triage", "escalated")]
    assert t.paged == [(0, "slack U01"), (300, "pagerduty env:PD_BO"), (900, "slack #triage")]


def test_an_acknowledgement_stops_the_climb():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.acknowledge()
    t.fast_forward(29 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    assert t.updated == [(240, "U01", "acknowledged")]


def test_a_resolution_stops_the_climb():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.recover()
    t.fast_forward(HOUR)
    assert t.told == [(0, "ana", "opened")]


def test_an_acknowledgement_lapses_and_the_climb_begins_again():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.acknowledge()
    t.fast_forward(36 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (34 * 60, "ana", "repeated"), (39 * 60, "bo", "escalated")]
    assert t.incident.status == "triggered"
    assert t.incident.acknowledged_by == ""


def test_the_same_acknowledgement_twice_changes_nothing():
    t = Scenario(ESCALATED)
    t.signal()
    t.acknowledge(name="a")
    t.fast_forward(31 * MINUTE)
    t.acknowledge(name="a")
    assert t.incident.status == "triggered"
    assert t.router.counts == {"words repeated": 1}


def test_a_second_person_s_acknowledgement_counts_from_its_own_time():
    t = Scenario(ESCALATED)
    t.signal()
    t.acknowledge(by="ana")
    t.fast_forward(20 * MINUTE)
    t.acknowledge(by="bo")
    t.fast_forward(29 * MINUTE)
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "bo")
    t.fast_forward(MINUTE)
    assert t.incident.status == "triggered"


def test_a_dead_channel_falls_through_to_the_next_one_of_the_same_person():
    t = Scenario(ESCALATED, answers={"slack": dead})
    t.signal()
    assert t.paged == [(0, "slack U01"), (0, "pagerduty env:PD_ANA")]
    assert [page.reason for page in t.pages] == ["opened", "fallback"]
    t.fast_forward(5 * MINUTE)
    assert t.told[-1] == (300, "bo", "escalated")


def test_a_dead_person_falls_through_to_the_next_step_at_once():
    t = Scenario(ESCALATED, answers={"U01": dead, "env:PD_ANA": dead})
    t.signal()
    assert t.told == [(0, "ana", "opened"), (0, "ana", "fallback"), (0, "bo", "fallback")]


def test_dead_people_reach_the_root_receiver_at_once_each_reported():
    t = Scenario(ESCALATED, answers={"U01": dead, "pagerduty": dead})
    t.signal()
    assert t.paged == [
        (0, "slack U01"),
        (0, "pagerduty env:PD_ANA"),
        (0, "pagerduty env:PD_BO"),
        (0, "slack #triage"),
    ]
    assert [page.reason for page in t.pages] == ["opened", "fallback", "fallback", "fallback"]
    assert t.complaints == []


def test_where_everything_is_dead_the_owner_reads_it_among_the_dead_letters():
    t = Scenario(ESCALATED, answers={"slack": dead, "pagerduty": dead})
    t.signal()
    assert t.complaints == [f"incident {t.incident.id}: no channel is left to page"]
    t.fast_forward(5 * HOUR)
    assert [reason for *_, reason in t.told].count("repeated") == 1


def test_a_dead_page_of_a_step_that_reached_another_person_changes_nothing():
    text = ESCALATED.replace(
        "[schedule: payments], via: [slack, pagerduty]", "[user: ana, user: bo], via: [slack]"
    )
    t = Scenario(text, answers={"U01": dead})
    t.signal()
    t.fast_forward(4 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (0, "bo", "opened")]


def test_a_page_that_dies_after_the_climb_went_on_changes_nothing():
    t = Scenario(ESCALATED, answers={"pagerduty": says_nothing})
    t.signal()
    t.fast_forward(15 * MINUTE)
    told = t.told
    assert (900, "triage", "escalated") in told
    t.report([page for page in t.pages if page.to == "bo"][-1], Undeliverable(reason="gone"))
    assert t.told == told


def test_one_person_named_twice_in_a_step_is_paged_once():
    text = ESCALATED.replace("[schedule: payments]", "[schedule: payments, user: ana]")
    t = Scenario(text)
    t.signal()
    assert t.told == [(0, "ana", "opened")]


def test_rounds_are_repeated_before_the_end():
    t = Scenario(ESCALATED.replace("ack_timeout: 30m", "repeat: 1"))
    t.signal()
    t.fast_forward(HOUR)
    assert [to for _, to, _ in t.told] == ["ana", "bo", "ana", "bo", "triage"]
    assert len({page.id for page in t.pages}) == 5


def test_rounds_that_reach_nobody_are_not_repeated():
    text = ESCALATED.replace("ack_timeout: 30m", "repeat: 5")
    t = Scenario(text, answers={"U01": dead, "pagerduty": dead})
    t.signal()
    assert [to for _, to, _ in t.told] == ["ana", "ana", "bo", "triage"]


NOBODY = ESCALATED.replace(
    "layers: [{name: base, start: '2026-01-05T09:00', every: 1 week, users: [ana, bo]}]",
    "layers: [{name: base, start: '2026-06-05T09:00', every: 1 week, users: [ana, bo]}]",
)


def test_a_step_without_anybody_on_call_is_skipped_at_once():
    t = Scenario(NOBODY)
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert t.told == [(0, "bo", "opened"), (600, "triage", "escalated")]
    assert first_responders(policy(NOBODY).escalations["payments"], policy(NOBODY), START) == ("bo",)


def test_a_step_without_anybody_waits_where_the_team_says_so():
    text = NOBODY.replace("ack_timeout: 30m", "nobody_on_call: wait")
    t = Scenario(text)
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert t.told == [(300, "bo", "escalated")]
    assert first_responders(policy(text).escalations["payments"], policy(text), START) == ()


def reached_by(**contacts):
    """A reader of configurations whose people have only these contacts."""
    users = {name: User(name=name, contacts=contacts) for name in ("ana", "bo")}
    return lambda files: replace(load(files), users=users)


def test_a_person_without_a_contact_that_the_step_may_use_is_passed_over():
    found = reached_by(pagerduty="P")(
        (ConfigFile("rules.yaml", ESCALATED.replace("slack, pagerduty", "slack")),)
    )
    assert first_responders(found.escalations["payments"], found, START) == ("bo",)


def test_a_step_that_names_no_channel_uses_whatever_a_person_has():
    step = Step(parties=(Party(kind="user", name="ana"), Party(kind="user", name="gone")), via=())
    found = reached_by(email="a@example.com", slack="U9")((ConfigFile("rules.yaml", ESCALATED),))
    assert [
        (name, [each.kind for each in via]) for name, via in responders(step, found, START, "critical")
    ] == [("ana", ["email", "slack"])]


def test_a_schedule_or_channel_that_is_not_there_reaches_nobody():
    step = Step(parties=(Party(kind="schedule", name="gone"), Party(kind="channel", name="#x")), via=())
    assert responders(step, policy(), START, "critical") == ()


def test_an_escalation_in_which_nobody_can_be_reached_reaches_the_root_receiver():
    read = reached_by(email="a@example.com")
    found = read((ConfigFile("rules.yaml", ESCALATED),))
    assert first_responders(found.escalations["payments"], found, START) == ()
    t = Scenario(ESCALATED, router=Router(read))
    t.signal()
    assert t.told == [(0, "triage", "escalated")]


def test_a_rise_in_severity_pages_the_present_step_once_more():
    t = Scenario(ESCALATED)
    t.signal("s1", detector="cost")
    t.fast_forward(6 * MINUTE)
    t.signal("s2", detector="silence")
    assert t.told == [(0, "ana", "opened"), (300, "bo", "escalated"), (360, "bo", "joined")]
    t.fast_forward(HOUR)
    assert t.told[3:] == [(960, "triage", "escalated")]


def test_a_rise_after_the_end_of_the_climb_begins_it_again():
    t = Scenario(ESCALATED)
    t.signal("s1", detector="cost")
    t.fast_forward(20 * MINUTE)
    t.signal("s2", detector="silence")
    assert t.told[-1] == (1200, "ana", "joined")


def test_a_rise_in_an_acknowledged_incident_pages_but_does_not_climb():
    t = Scenario(ESCALATED, answers={"U01": dead})
    t.signal("s1", detector="cost")
    t.fast_forward(MINUTE)
    t.acknowledge(by="ana")
    t.signal("s2", detector="silence")
    t.fast_forward(20 * MINUTE)
    assert t.told[2:] == [(60, "ana", "joined"), (60, "ana", "fallback")]
    assert t.incident.status == "acknowledged"


def test_a_repeat_climbs_from_the_first_step():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(5 * HOUR)
    again = [each for each in t.told if each[2] == "repeated"]
    assert [to for _, to, _ in again] == ["ana"]
    # 4 h after the last page of the climb, on the grid of group_interval
    assert again[0][0] == 900 + 4 * 3600 + 60


def test_what_fires_again_climbs_from_the_first_step():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(6 * MINUTE)
    t.recover()
    t.fast_forward(MINUTE)
    t.signal()
    t.fast_forward(2 * MINUTE)
    assert t.told[2:] == [(480, "ana", "reopened")]


def test_a_climb_over_a_channel():
    text = ESCALATED.replace("[user: bo], via: [pagerduty]", "[slack: '#payments']")
    t = Scenario(text)
    t.signal()
    t.fast_forward(5 * MINUTE)
    assert t.paged[-1] == (300, "slack #payments")


@pytest.mark.parametrize(
    ("target", "labels", "name"),
    [
        (EscalationTarget(escalation="{{ labels.team }}"), {"team": "payments"}, "payments"),
        (EscalationTarget(escalation="{{labels.team}}"), {"team": "payments"}, "payments"),
        (EscalationTarget(escalation="payments"), {}, "payments"),
        (EscalationTarget(escalation="{{ labels.team }}", fallback="payments"), {"team": "x"}, "payments"),
        (EscalationTarget(escalation="{{ labels.team }}"), {}, None),
        (EscalationTarget(escalation="x", fallback="y"), {}, None),
    ],
)
def test_an_escalation_is_named_by_a_label_a_team_or_itself(target, labels, name):
    found = chosen(target, labels, policy())
    assert (found.name if found else None) == name


def test_an_escalation_that_is_not_there_reaches_the_root_receiver():
    t = Scenario(ESCALATED.replace("agents: [{name: '*', team: payments}]", ""))
    t.signal()
    assert t.told == [(0, "triage", "escalated")]
    t.fast_forward(5 * HOUR)
    assert len(t.told) == 2


def test_a_late_delivery_of_an_earlier_channel_is_kept_up_to_date():
    t = Scenario(ESCALATED, answers={"slack": busy})
    t.signal()
    t.fast_forward(4 * MINUTE)
    assert [page.reason for page in t.pages[-1:]] == ["fallback"]
    t.report(t.pages[0], Delivered(reference="late"), attempt=1)
    t.recover()
    assert [(each.channel.kind, each.reason) for each in t.updates] == [
        ("slack", "resolved"),
        ("pagerduty", "resolved"),
    ]


def test_the_wait_of_a_step_ends_at_its_own_time_whenever_the_router_wakes():
    t = Scenario(ESCALATED, every=timedelta(minutes=7))
    t.signal()
    t.forget()
    t.fast_forward(14 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (300, "bo", "escalated")]


def test_two_pages_to_one_person_that_die_together_fall_back_once():
    t = Scenario(ESCALATED, answers={"U01": says_nothing})
    t.signal("s1", detector="cost")
    t.fast_forward(30 * SECOND)
    t.signal("s2")
    first, second = t.pages
    assert (first.to, second.to, second.reason) == ("ana", "ana", "joined")
    t.report(first, Undeliverable(reason="gone"))
    t.report(second, Undeliverable(reason="gone"))
    assert [page.channel.target for page in t.pages[2:]] == ["env:PD_ANA"]


def test_a_rise_at_the_instant_of_the_next_step_pages_that_step_once():
    t = Scenario(ESCALATED.replace("group_interval: 2m", "group_interval: 5m"))
    t.signal(detector="cost")
    t.silence("detector=silence", lasts=4 * MINUTE)
    t.fast_forward(MINUTE)
    t.signal("s2", detector="silence")
    t.fast_forward(5 * MINUTE)
    assert t.told == [(0, "ana", "opened"), (300, "bo", "escalated")]
    assert [page.severity for page in t.pages] == ["warning", "critical"]


def test_a_page_that_a_later_one_has_overtaken_is_tried_over_no_other_channel():
    t = Scenario(ESCALATED, answers={"slack": says_nothing})
    t.signal(detector="cost")
    t.signal("s2", detector="silence")
    first, second = t.pages
    assert (first.to, second.to) == ("ana", "ana")
    t.report(first, Undeliverable(reason="gone"))
    assert t.pages == [first, second]


def test_entries_that_mean_the_same_escalation_page_its_people_once():
    t = Scenario(
        ESCALATED.replace(
            "[{escalation: '{{ labels.team }}'}]",
            "[{escalation: '{{ labels.team }}'}, {escalation: payments}]",
        )
    )
    t.signal()
    t.fast_forward(6 * MINUTE)
    assert [each.to for each in t.pages] == ["ana", "bo"]
