"""What PagerDuty has of an incident: each page of it rings, and what is answered falls silent."""

import pytest

from routing.callbacks.pagerduty import done
from schemas.outcome import Undeliverable
from schemas.page import Page
from tests.routing.bursts import burst, statuses
from tests.routing.callbacks.presses import hook
from tests.routing.pager_duty import Service
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, ONE_CHANNEL, SECOND, START, Scenario, busy

BY_PAGER = ESCALATED.replace("[slack, pagerduty]", "[pagerduty]")
BY_ROUNDS = BY_PAGER.replace("    - {notify: [user: bo], via: [pagerduty], wait: 10m}\n", "")
BY_ROUNDS = BY_ROUNDS.replace("ack_timeout: 30m", "repeat: 5")


def paged(config=BY_PAGER, *, key="env:PD_ANA"):
    """A scenario in which ana is called by PagerDuty, and her service there."""
    service = Service()
    return Scenario(config, answers={key: service}), service


def minutes(service):
    return [round((at - START) / MINUTE) for at, _ in service.rang]


def test_what_is_paged_again_after_an_acknowledgement_lapsed_rings_again():
    t, ana = paged()
    t.signal()
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    assert minutes(ana) == [0, 30]
    assert ana.open == [ana.rang[1][1]]
    assert ana.rang[1][1] == f"{t.incident.id}.{t.pages[1].id}"


def test_a_second_round_rings_the_same_person_again():
    t, ana = paged(BY_PAGER.replace("ack_timeout", "repeat: 1\n    ack_timeout"))
    t.signal()
    t.fast_forward(16 * MINUTE)
    assert minutes(ana) == [0, 15]
    assert len(ana.open) == 1


def test_two_people_behind_one_service_are_rung_once_by_one_step():
    both = BY_PAGER.replace("env:PD_BO", "env:PD_ANA").replace(
        "[schedule: payments]", "[user: ana, user: bo]"
    )
    t, ana = paged(both)
    t.signal()
    assert [page.to for page in t.pages] == ["ana", "bo"]
    assert len(ana.rang) == len(ana.open) == 1
    t.fast_forward(6 * MINUTE)
    assert minutes(ana) == [0, 5]
    assert len(ana.open) == 1


def test_who_answers_silences_what_rings_and_the_end_closes_all():
    t, ana = paged()
    t.signal()
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    t.acknowledge()
    assert [ana.alerts[key] for key in ana.open] == ["acknowledge"]
    t.recover()
    assert ana.open == []


def test_an_edit_rings_no_alert_that_another_took_the_place_of():
    t, ana = paged()
    burst(t, 1)
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    t.comment("looking")
    t.signal("more", agent="a0")
    t.fast_forward(3 * MINUTE)
    assert len(ana.rang) == 2
    assert len(ana.open) == 1


def test_a_later_attempt_has_the_key_of_the_first():
    t, ana = paged()
    t.signal()
    t.acknowledge()
    t.fast_forward(29 * MINUTE)
    t.answers["env:PD_ANA"] = busy
    t.fast_forward(MINUTE)
    t.answers["env:PD_ANA"] = ana
    t.fast_forward(MINUTE)
    again = [page for page in t.pages if page.reason == "repeated"]
    assert [page.attempt for page in again] == [1, 2]
    assert len({page.alert for page in again}) == 1
    assert len(ana.rang) == 2


def test_the_first_alert_of_an_incident_has_its_id_as_key():
    t, ana = paged()
    t.signal()
    assert ana.open == [t.incident.id]


def stormy():
    """A storm of three incidents beside one that ana was paged of by itself."""
    t, ana = paged()
    burst(t, 4)
    t.fast_forward(MINUTE)
    assert [page.reason for page in t.pages] == ["opened", "storm"]
    return t, ana, t.pages[1]


def test_a_page_that_speaks_for_several_is_an_alert_by_itself():
    _, ana, storm = stormy()
    assert ana.open[1] == f"{storm.incident}.{storm.id.replace('page-', 'storm-')}"
    assert len(ana.rang) == 2


def test_the_end_of_a_storm_closes_its_alert_and_only_it():
    t, ana, storm = stormy()
    for name in ("s1", "s2"):
        t.recover(name)
    t.fast_forward(MINUTE)
    assert len(ana.open) == 2
    t.recover("s3")
    t.fast_forward(MINUTE)
    assert ana.open == [t.pages[0].incident]
    assert len(ana.rang) == 2
    assert storm.alert not in ana.open


def test_the_end_of_its_first_incident_leaves_the_alert_of_a_storm_open():
    t, ana, storm = stormy()
    lead = next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == storm.incident)
    t.recover(lead)
    t.fast_forward(MINUTE)
    assert storm.alert in ana.open


def test_a_storm_does_not_take_the_place_of_the_page_that_its_first_incident_had():
    t, ana = paged(BY_PAGER.replace("wait: 5m", "wait: 50m") + "limits: {pages_per_person: 2 per 10m}\n")
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    lead = t.pages[1].incident
    t.acknowledge(lead)
    t.fast_forward(31 * MINUTE)
    [again] = [each for each in t.pages[2:] if each.incident == lead]
    assert (again.replaces, again.alert) == ("", "")
    assert t.pages[1].alert in ana.open


@pytest.mark.parametrize("kind", ["incident.acknowledged", "incident.resolved"])
def test_who_answers_the_alert_of_a_storm_in_pagerduty_takes_all_and_closes_none(kind):
    by_slack, by_pager = stormy()[0], stormy()[0]
    by_slack.acknowledge(by_slack.pages[1].incident, by="ana")
    by_pager.write(done(hook(kind, key=by_pager.pages[1].alert), by_pager.now))
    assert statuses(by_pager) == statuses(by_slack)
    assert sorted(statuses(by_pager)) == ["acknowledged"] * 3 + ["triggered"]
    assert [each.folded for each in by_pager.incidents] == [each.folded for each in by_slack.incidents]


def test_the_alert_of_a_storm_that_somebody_closed_there_is_not_rung_again_by_an_edit():
    t, ana, storm = stormy()
    ana.alerts[storm.alert] = "resolve"
    t.write(done(hook("incident.resolved", key=storm.alert), t.now))
    t.fast_forward(HOUR)
    assert [key for _, key in ana.rang].count(storm.alert) == 1
    assert len(ana.rang) > 2


def test_who_resolves_a_later_alert_in_pagerduty_resolves_its_incident():
    t, _ = paged()
    t.signal()
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    t.write(done(hook("incident.resolved", key=t.pages[1].alert), t.now))
    assert statuses(t) == ["resolved"]


def test_who_takes_an_incident_that_leads_a_storm_answers_its_own_alert_too():
    t, ana = paged(BY_ROUNDS + "limits: {pages_per_person: 1 per 10m}\n")
    burst(t, 2)
    t.fast_forward(15 * MINUTE)
    first, storm = t.pages
    assert (storm.reason, storm.incident) == ("storm", first.incident)
    for each in t.incidents:
        t.acknowledge(each.id)
    t.fast_forward(MINUTE)
    assert ana.alerts == {first.incident: "acknowledge", storm.alert: "acknowledge"}


def test_who_answers_their_own_alert_has_not_answered_a_storm_that_somebody_else_got():
    direct = BY_PAGER.replace("routes: [{", "routes: [{receiver: direct, matchers: ['agent=~\"y.*\"']}, {")
    direct = direct.replace(
        "- {name: people,", "- {name: direct, notify: [{escalation: direct}]}\n- {name: people,"
    )
    step = "escalations:\n  direct: {steps: [{notify: [user: bo], via: [pagerduty], wait: 30m}]}\n"
    t = Scenario(direct.replace("escalations:\n", step) + "limits: {pages_per_person: 2 per 10m}\n")
    for name, waits in (("y0", 170), ("y1", 70), ("x", 30), ("y3", 0), ("y4", 480)):
        t.signal(name, agent=name)
        t.fast_forward(waits * SECOND)
    storm = next(page for page in t.pages if page.reason == "storm")
    assert storm.to == "bo"
    assert len({page.incident for page in t.pages if page.to == "ana"} & {storm.incident}) == 1
    t.write(done(hook(key=storm.incident), t.now))
    assert statuses(t) == ["triggered", "triggered", "acknowledged", "triggered", "triggered"]
    t.write(done(hook(key=storm.alert, id="another"), t.now))
    assert statuses(t) == ["triggered", "triggered", "acknowledged", "acknowledged", "acknowledged"]


def test_a_page_takes_the_place_of_the_alert_before_one_that_was_refused():
    t = Scenario(ONE_CHANNEL.replace("slack: '#oncall'", "pagerduty: 'env:PD'").replace("4h", "4m"))
    ana, pages = Service(), []

    def refuses_the_second(message):
        pages.extend([message] if isinstance(message, Page) else [])
        return Undeliverable(reason="400") if len(pages) == 2 and message is pages[1] else ana(message)

    t.answers["pagerduty"] = refuses_the_second
    t.signal()
    t.fast_forward(16 * MINUTE)
    assert len(pages) > 3
    assert ana.open == [pages[-1].alert]
