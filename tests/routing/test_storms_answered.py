"""What an answer to a storm's page takes, and what it leaves to others."""

import pytest

from schemas.cause import Resolved, Snoozed
from schemas.outcome import Undeliverable
from tests.routing.bursts import BY_SLACK, PATIENT, burst, end_lead, only_storms, sated, statuses, to
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, SECOND, Scenario, says_nothing


def test_an_acknowledgement_of_the_storm_takes_each_of_its_incidents():
    t = Scenario(ESCALATED)
    burst(t, 6)
    t.fast_forward(MINUTE)
    t.acknowledge(t.pages[1].incident, by="ana", name="once")
    assert statuses(t) == ["triggered"] + ["acknowledged"] * 5
    deeds = [each.deeds[-1] for each in t.incidents[1:]]
    assert {each.by for each in deeds} == {"ana"}
    assert sum(each.note == f"by the page of {t.pages[1].incident}" for each in deeds) == 4
    t.fast_forward(25 * MINUTE)
    assert to(t, "bo") == [(300, "escalated")]
    t.acknowledge(t.pages[1].incident, by="ana", name="once")
    assert t.router.counts["words repeated"] == 1


def test_who_did_not_get_the_storm_takes_its_first_incident_alone():
    t = Scenario(ESCALATED)
    burst(t, 6)
    t.fast_forward(MINUTE)
    t.acknowledge(t.pages[1].incident, by="bo")
    assert statuses(t).count("acknowledged") == 1


@pytest.mark.parametrize("way", [Snoozed, Resolved])
def test_who_puts_the_first_incident_off_or_closes_it_has_the_others(way):
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)
    lead = t.pages[1].incident
    others = [each for each in t.incidents[1:] if each.id != lead]
    assert [each.folded for each in others] == [(lead,)] * 2
    more = {"until": t.now + 2 * HOUR} if way is Snoozed else {}
    t.write(way(at=t.now, id="once", incident=lead, by="ana", **more))
    assert [each.status for each in t.incidents if each.folded] == ["acknowledged"] * 2


def after_its_lead():
    """A storm of three incidents, the first of which is over."""
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)
    return t, end_lead(t)


def test_the_page_of_a_storm_is_answered_though_its_first_incident_is_over():
    t, lead = after_its_lead()
    t.acknowledge(lead, by="ana", name="once")
    assert sorted(statuses(t)) == ["acknowledged", "acknowledged", "resolved", "triggered"]
    assert not t.router.counts.get("words about incidents that are not open")
    t.fast_forward(20 * MINUTE)
    assert {each.incident for each in t.pages if each.to == "bo"} == {t.incidents[0].id}


@pytest.mark.parametrize("way", [Snoozed, Resolved])
def test_who_puts_a_storm_off_or_closes_it_after_its_first_incident_has_the_others(way):
    t, lead = after_its_lead()
    before = next(each for each in t.incidents if each.id == lead)
    more = {"until": t.now + 2 * HOUR} if way is Snoozed else {}
    t.write(way(at=t.now, id="once", incident=lead, by="ana", **more))
    assert sorted(statuses(t)) == ["acknowledged", "acknowledged", "resolved", "triggered"]
    assert next(each for each in t.incidents if each.id == lead) == before


def test_who_answers_a_storm_of_which_nothing_is_left_says_nothing_new():
    t, lead = after_its_lead()
    t.acknowledge(lead, by="ana")
    t.acknowledge(lead, by="ana")
    assert t.router.counts["words about incidents that are not open"] == 1


def test_who_got_a_page_of_an_incident_by_itself_does_not_take_it_by_another_page():
    t = Scenario(ESCALATED.replace("wait: 5m", "wait: 50m") + "limits: {pages_per_person: 2 per 10m}\n")
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    lead = t.pages[1].incident
    [other] = [each.id for each in t.incidents[1:] if each.id != lead]
    t.recover("s0")
    t.acknowledge(other)
    t.fast_forward(3 * MINUTE)
    t.acknowledge(lead)
    t.fast_forward(31 * MINUTE)
    assert [(each.incident, each.reason) for each in t.pages[2:]] == [(other, "repeated"), (lead, "repeated")]
    t.acknowledge(lead)
    assert [each.status for each in t.incidents if each.id == other] == ["triggered"]


def test_what_somebody_else_answers_is_no_answer_of_who_sleeps():
    t = sated(by="bo")
    t.signal("late", agent="late")
    t.fast_forward(6 * MINUTE)
    assert to(t, "bo") == [(423, "escalated")]


def test_what_was_told_as_less_is_paged_at_once_when_it_is_critical():
    t = Scenario(ESCALATED)
    t.signal("first", detector="cost", agent="x")
    t.acknowledge()
    for number in range(2):
        t.signal(f"c{number}", detector="silence", agent=f"c{number}")
        t.fast_forward(SECOND)
        t.acknowledge()
    t.fast_forward(MINUTE)
    t.signal("worse", detector="silence", agent="x")
    t.fast_forward(3 * MINUTE)
    assert to(t, "ana")[-1][1] == "joined"
    assert (t.pages[-1].severity, t.pages[-1].incident) == ("critical", t.incidents[0].id)


def test_what_waits_goes_to_whom_has_the_shift_when_it_is_sent():
    t = sated(PATIENT.replace("every: 1 week", "every: 1 hour"), after=40 * MINUTE)
    t.signal("late", agent="late")
    t.fast_forward(75 * MINUTE)
    mine = [(each.to, each.reason) for each in t.pages if each.incident == t.incident.id]
    assert mine[0] == ("bo", "opened")
    assert "ana" not in dict(mine)


def test_what_waits_for_somebody_who_is_deleted_goes_to_whom_has_the_shift_instead():
    t = sated()
    t.signal("late", agent="late")
    t.fast_forward(MINUTE)
    gone = PATIENT.replace("  ana: {slack: U01, pagerduty: 'env:PD_ANA'}\n", "")
    t.configure(gone.replace("users: [ana, bo]", "users: [bo]"))
    assert (t.incident.held, to(t, "bo")) == ((), [(183, "opened")])


def test_what_waits_goes_by_the_channels_that_its_person_has_when_it_is_sent():
    t = sated()
    t.signal("late", agent="late")
    t.configure(PATIENT.replace("U01", "U09"))
    t.fast_forward(HOUR)
    assert [each.channel.target for each in t.pages if each.to == "ana"][-1] == "U09"


def test_where_a_step_reaches_nobody_any_more_what_waits_goes_on_to_the_next():
    t = sated()
    t.signal("late", agent="late")
    t.configure(PATIENT.replace("start: '2026-01-05T09:00'", "start: '2026-01-07T09:00'"))
    assert t.incident.held == ()
    assert to(t, "bo")[-1] == (123, "fallback")


def test_where_a_storm_s_page_gets_through_nowhere_those_go_on_that_nobody_has():
    t = Scenario(BY_SLACK, answers={"slack": only_storms(says_nothing)})
    burst(t, 4)
    t.fast_forward(MINUTE)
    lead, storm, before = end_lead(t), t.pages[1], len(t.pages)
    t.report(storm, Undeliverable(reason="account_inactive"))
    on = {each.incident for each in t.pages[before:]} | {each.id for each in t.incidents if each.held}
    assert on == {each.id for each in t.incidents[1:] if each.id != lead}
