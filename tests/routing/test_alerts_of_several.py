"""Several people behind one account: who is to be rung, is; who was rung now, is not rung for another."""

from schemas.cause import Wake
from tests.routing.pager_duty import Service
from tests.routing.scenario import ESCALATED, MINUTE, START, Scenario

BY_PAGER = ESCALATED.replace("[slack, pagerduty]", "[pagerduty]")
BY_OPSGENIE = (
    BY_PAGER.replace("pagerduty: 'env:PD_ANA'", "opsgenie: {to: 'env:OG', responders: 'user:ana@x.example'}")
    .replace("pagerduty: 'env:PD_BO'", "opsgenie: {to: 'env:OG', responders: 'user:bo@x.example'}")
    .replace("[pagerduty]", "[opsgenie]")
    .replace("[schedule: payments]", "[user: ana, user: bo]")
)


def held(config):
    """Another producer's clock is five minutes ahead, so that the router's stands still for these."""
    service = Service()
    t = Scenario(config + "limits: {pages_per_person: unlimited}\n", answers={"env:PD_ANA": service})
    t.write(Wake(at=START + 5 * MINUTE))
    t.signal()
    t.now += MINUTE
    return t, service


def test_each_responder_of_one_opsgenie_account_has_an_alert():
    t = Scenario(BY_OPSGENIE)
    t.signal()
    ana, bo = t.pages
    assert (ana.alert, ana.replaces, bo.replaces) == ("", "", "")
    assert bo.alert == f"{t.incident.id}.{bo.id}"


def test_the_next_step_takes_the_place_of_the_alert_of_whom_it_pages_only():
    t = Scenario(BY_OPSGENIE)
    t.signal()
    t.fast_forward(6 * MINUTE)
    assert [page.replaces for page in t.pages] == ["", "", t.pages[1].alert]
    t.recover()
    ends = [each.page for each in t.updates if each.reason == "resolved"]
    assert ends == [each.id for each in t.pages]


def test_who_is_handed_what_they_had_is_rung_though_no_time_passed():
    t, ana = held(BY_PAGER)
    t.acknowledge(by="ana")
    t.hand(user="ana", by="bo")
    assert [page.reason for page in t.pages] == ["opened", "reassigned"]
    assert {page.time for page in t.pages} == {START + 5 * MINUTE}
    assert len(ana.rang) == 2
    assert ana.open == [t.pages[1].alert]


def test_who_is_handed_what_nobody_took_is_rung_though_no_time_passed():
    t, ana = held(BY_PAGER.replace("env:PD_BO", "env:PD_ANA"))
    t.hand(user="bo", by="ana")
    t.hand(user="ana", by="bo")
    assert [page.to for page in t.pages] == ["ana", "bo", "ana"]
    assert len(ana.rang) == 3
    assert ana.open == [t.pages[2].alert]


def test_two_targets_of_one_instant_behind_one_service_ring_once():
    both = BY_PAGER.replace(
        "[{escalation: '{{ labels.team }}'}]", "[{escalation: payments}, {pagerduty: 'env:PD_ANA'}]"
    )
    t, ana = held(both)
    assert [page.to for page in t.pages] == ["ana", "people"]
    assert len(ana.rang) == len(ana.open) == 1
