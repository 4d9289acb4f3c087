"""Alerts of pages whose acceptance was not heard, or late: each is closed, and none rings twice."""

import pytest

from schemas.outcome import Deferred, Undeliverable
from schemas.page import Page
from tests.routing.pager_duty import Service
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    SECOND,
    START,
    Scenario,
    arrives,
    busy,
    says_nothing,
)

BY_PAGER = ESCALATED.replace("[slack, pagerduty]", "[pagerduty]")
UNLIMITED = BY_PAGER + "limits: {pages_per_person: unlimited}\n"
TOGETHER = UNLIMITED.replace("env:PD_BO", "env:PD_ANA")


class Line:
    """What lies between the router and PagerDuty: it may lose answers, refuse, be busy, or hold back."""

    def __init__(self, *, way="ok", retry_at=None):
        self.service = Service()
        self.way = way
        self.retry_at = retry_at
        self.held = []

    def __call__(self, message):
        if self.way == "held":
            self.held.append(message)
            return None
        if self.way == "busy":
            return Deferred(reason="HTTP 503", retry_at=self.retry_at)
        if self.way == "dead":
            return Undeliverable(reason="HTTP 400")
        outcome = self.service(message)
        return Deferred(reason="timed out", retry_at=self.retry_at) if self.way == "lost" else outcome


def paged(config=BY_PAGER, **line):
    ana = Line(**line)
    return Scenario(config, answers={"env:PD_ANA": ana}), ana


@pytest.mark.parametrize("number", [1, 2])
def test_the_alert_of_a_page_whose_acceptance_was_not_heard_is_closed_with_its_incident(number):
    t, ana = paged(way="lost" if number == 1 else "ok")
    t.signal()
    if number > 1:
        t.acknowledge()
        t.fast_forward(30 * MINUTE - 5 * SECOND)
        ana.way = "lost"
        t.fast_forward(10 * SECOND)
    ana.way = "ok"
    assert len(ana.service.rang) == number
    t.recover()
    t.fast_forward(HOUR)
    assert ana.service.open == []
    assert len(ana.service.rang) == number


def test_the_alert_of_a_page_that_was_refused_later_is_closed_with_its_incident():
    t, ana = paged(way="lost")
    t.signal()
    ana.way = "dead"
    t.fast_forward(MINUTE)
    ana.way = "ok"
    t.recover()
    assert ana.service.open == []


def test_nothing_is_closed_of_a_page_that_was_refused_at_once():
    t, _ = paged(way="dead")
    t.signal()
    t.recover()
    assert [target for _, target, _ in t.updated if target == "env:PD_ANA"] == []


def test_the_alert_of_a_page_of_which_nothing_was_heard_is_closed_once_it_is_not_waited_for():
    t, ana = paged(way="held")
    t.signal()
    ana.way = "ok"
    for message in ana.held:
        ana.service(message)
    t.recover()
    t.fast_forward(MINUTE)
    assert len(ana.service.open) == 1
    t.fast_forward(MINUTE)
    assert ana.service.open == []


def test_an_alert_that_rings_after_it_was_closed_is_closed_again():
    t, ana = paged(way="held")
    t.signal()
    ana.way = "ok"
    t.recover()
    t.fast_forward(3 * MINUTE)
    for message in ana.held:
        t.report(message, ana.service(message))
    assert len(ana.service.rang) == 1
    assert ana.service.open == []


def test_a_page_that_fails_after_the_end_of_its_incident_closes_what_may_be_there():
    t, ana = paged(way="held")
    t.signal()
    ana.way = "ok"
    t.recover()
    for message in ana.held:
        ana.service(message)
        t.report(message, Deferred(reason="timed out"))
    t.fast_forward(MINUTE)
    assert ana.service.open == []


def test_a_last_attempt_that_is_refused_after_the_end_closes_what_may_be_there():
    t, ana = paged(way="lost")
    t.signal()
    ana.way = "held"
    t.fast_forward(MINUTE)
    ana.way = "ok"
    t.recover()
    [again] = ana.held
    assert again.attempt == 2
    t.report(again, Undeliverable(reason="HTTP 400"))
    assert ana.service.open == []


def test_a_resolution_that_is_late_rings_nobody_when_the_incident_fires_again():
    t, ana = paged()
    t.signal()
    t.fast_forward(MINUTE)
    ana.way = "busy"
    t.recover()
    t.fast_forward(40 * SECOND)
    t.signal()
    t.fast_forward(10 * SECOND)
    ana.way = "ok"
    t.fast_forward(3 * MINUTE)
    assert [page.reason for page in t.pages] == ["opened", "reopened"]
    assert len(ana.service.rang) == 2
    assert ana.service.open == [t.pages[1].alert]
    t.recover()
    t.fast_forward(HOUR)
    assert ana.service.open == []


@pytest.mark.parametrize("waits", [3 * SECOND, 100 * SECOND])
def test_a_page_that_is_late_over_an_end_leaves_only_the_alert_after_it(waits):
    t, ana = paged(way="held")
    t.signal()
    t.fast_forward(10 * SECOND)
    t.recover()
    t.fast_forward(10 * SECOND)
    t.signal()
    ana.way = "ok"
    t.fast_forward(waits)
    for message in ana.held:
        t.report(message, ana.service(message))
    t.fast_forward(4 * MINUTE)
    assert ana.service.open == [t.pages[1].alert]
    t.recover()
    t.fast_forward(HOUR)
    assert ana.service.open == []
    assert len(ana.service.rang) == 2


def test_what_happens_after_an_end_does_not_keep_a_late_alert_open():
    t, ana = paged(way="held")
    t.signal()
    t.recover()
    t.signal()
    t.comment("again?")
    ana.way = "ok"
    t.report(ana.held[0], ana.service(ana.held[0]))
    assert [reason for _, _, reason in t.updated] == ["resolved"]
    assert ana.service.open == []


def test_the_second_end_of_an_incident_is_told_to_alerts_whose_first_end_was():
    t, ana = paged()
    t.signal()
    t.recover()
    t.signal()
    t.fast_forward(3 * MINUTE)
    t.recover()
    first = [each for each in t.updates if each.page == t.pages[0].id and each.reason == "resolved"]
    assert len(first) == 2
    assert ana.service.open == []


def test_an_edit_rings_no_alert_that_was_closed_when_its_incident_ended():
    t, ana = paged()
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.fast_forward(10 * MINUTE)
    t.recover()
    t.fast_forward(MINUTE)
    t.signal()
    t.comment("again?")
    t.fast_forward(25 * MINUTE)
    assert len(ana.service.rang) == 2
    assert ana.service.open == [t.pages[1].alert]


def test_who_was_paged_before_an_end_is_not_rung_by_an_edit_when_another_has_it():
    t, ana = paged(UNLIMITED)
    bo = t.answers["env:PD_BO"] = Service()
    t.signal()
    t.fast_forward(6 * MINUTE)
    t.hand(user="ana", by="bo")
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(MINUTE)
    t.signal("s2")
    t.fast_forward(3 * MINUTE)
    assert (len(ana.service.rang), len(bo.rang)) == (3, 1)


def test_an_edit_on_its_way_is_dropped_when_another_page_took_the_place_of_its_alert():
    t, ana = paged(TOGETHER)
    t.signal()
    t.fast_forward(4 * MINUTE + 50 * SECOND)
    ana.way = "busy"
    t.comment("looking")
    ana.way = "ok"
    t.fast_forward(MINUTE)
    assert len(ana.service.rang) == 2
    assert ana.service.open == [t.pages[1].alert]
    assert [each.attempt for each in t.updates if each.reason == "commented"] == [1]


@pytest.mark.parametrize("way", ["lost", "busy"])
def test_a_page_whose_alert_another_took_the_place_of_is_not_tried_again(way):
    t, ana = paged(TOGETHER, way=way, retry_at=START + 6 * MINUTE)
    t.signal()
    ana.way = "ok"
    t.fast_forward(9 * MINUTE)
    assert [(page.to, page.attempt) for page in t.pages] == [("ana", 1), ("bo", 1)]
    assert ana.service.open == [t.pages[1].alert]
    t.recover()
    t.fast_forward(HOUR)
    assert ana.service.open == []


def test_a_page_rings_no_more_while_another_that_takes_the_place_of_its_alert_is_on_its_way():
    t, ana = paged(TOGETHER, way="lost")
    t.signal()
    t.fast_forward(30 * MINUTE)
    assert [key for _, key in ana.service.rang] == [t.incident.id, t.pages[-1].alert]
    ana.way = "ok"
    t.fast_forward(6 * MINUTE)
    assert ana.service.open == [t.pages[-1].alert]
    assert len(ana.service.rang) == 2


def test_a_page_is_tried_on_where_the_one_that_was_to_take_the_place_of_its_alert_was_refused():
    t, ana = paged(TOGETHER, way="busy")
    t.signal()
    t.fast_forward(4 * MINUTE + 50 * SECOND)
    ana.way = "dead"
    t.fast_forward(20 * SECOND)
    ana.way = "ok"
    t.fast_forward(6 * MINUTE)
    assert ana.service.open == [t.incident.id]


def test_a_page_is_not_tried_again_where_what_took_the_place_of_its_alert_gave_way_itself():
    both = TOGETHER.replace("{name: people, notify: [", "{name: people, notify: [{pagerduty: 'env:PD_ANA'}, ")
    t, ana = paged(both, way="lost")
    t.signal()
    t.fast_forward(6 * MINUTE)
    t.acknowledge()
    t.fast_forward(29 * MINUTE)
    ana.way = "ok"
    t.fast_forward(20 * MINUTE)
    keys = [key for _, key in ana.service.rang]
    assert len(keys) == len(set(keys))


def test_a_page_that_is_late_is_closed_at_once_where_another_took_its_place():
    t, ana = paged(TOGETHER, way="held")
    t.signal()
    t.fast_forward(4 * MINUTE + 50 * SECOND)
    ana.way = "ok"
    t.fast_forward(30 * SECOND)
    assert [page.to for page in t.pages][-1] == "bo"
    t.report(ana.held[0], ana.service(ana.held[0]))
    assert len(ana.service.rang) == 2
    assert ana.service.open == [t.pages[-1].alert]


def test_a_storms_page_of_an_earlier_version_has_the_key_that_the_next_page_takes_the_place_of():
    t, ana = paged(BY_PAGER)
    t.signal()
    case = next(iter(t.router._state.cases.values()))
    sent = case.pages[t.pages[0].id]
    sent.speaks, sent.alert = ("inc-gone",), ""
    t.restart()
    t.acknowledge()
    t.fast_forward(31 * MINUTE)
    assert t.pages[1].replaces == t.incident.id
    assert len(ana.service.rang) == 2


def test_other_channels_keep_what_waits_for_their_outcome():
    t = Scenario(BY_PAGER.replace("[pagerduty]", "[slack]"), answers={"slack": lambda _: None})
    t.signal()
    t.recover()
    t.signal()
    t.comment("again?")
    assert isinstance(t.pages[0], Page)
    t.report(t.pages[0], arrives(t.pages[0]))
    assert [reason for _, _, reason in t.updated] == ["commented"]


REPLACED = 30 * MINUTE - 5 * SECOND


def test_what_a_page_that_did_not_get_through_was_to_show_the_page_before_it_shows():
    t, ana = paged(ESCALATED.replace("[slack, pagerduty]", "[pagerduty, slack]"))
    t.signal()
    t.acknowledge()
    t.fast_forward(REPLACED)
    ana.way = "dead"
    t.fast_forward(SECOND * 6)
    t.comment("looking")
    t.fast_forward(3 * MINUTE)
    ana.way = "ok"
    t.comment("found it")
    said = [each.content.deeds[-1].note for each in t.updates if each.channel.target == "env:PD_ANA"]
    assert said[-1] == "found it"
    assert t.updates[-1].page == t.pages[0].id or t.updates[-2].page == t.pages[0].id
    assert len(ana.service.rang) == 1


def test_an_alert_that_a_page_may_have_closed_of_which_nothing_was_heard_is_not_edited():
    t, ana = paged(ESCALATED.replace("[slack, pagerduty]", "[pagerduty, slack]"))
    t.signal()
    t.acknowledge()
    t.fast_forward(REPLACED)
    ana.way = "held"
    t.fast_forward(SECOND * 6)
    for message in ana.held:
        ana.service(message)
    ana.way = "dead"
    t.fast_forward(3 * MINUTE)
    ana.way = "ok"
    t.comment("looking")
    assert len(ana.service.rang) == 2
    t.recover()
    t.fast_forward(5 * MINUTE)
    assert ana.service.open == []


ROOM = ONE_CHANNEL.replace("repeat_interval: 4h", "repeat_interval: 4m")


def pages_fail(way):
    return lambda message: way(message) if isinstance(message, Page) else arrives(message)


@pytest.mark.parametrize("way", [busy, says_nothing])
def test_a_room_whose_last_page_is_given_up_for_now_still_has_the_one_before_it(way):
    t = Scenario(ROOM.replace("4m", "30m"))
    t.signal()
    t.fast_forward(30 * MINUTE)
    t.answers["slack"] = pages_fail(way)
    t.fast_forward(MINUTE)
    t.signal("s2", detector="silence")
    assert t.updates == []
    t.fast_forward(15 * MINUTE)
    t.comment("looking")
    assert {(each.page, each.severity) for each in t.updates} == {(t.pages[0].id, "critical")}
    assert [each.reason for each in t.updates][-1] == "commented"
    del t.answers["slack"]
    t.fast_forward(6 * MINUTE)
    t.comment("found it")
    assert t.updates[-1].page == t.pages[-1].id != t.pages[0].id


def test_a_person_whose_next_page_gives_way_to_another_channel_sees_the_rise_in_the_one_before_it():
    t = Scenario(ESCALATED)
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.answers["slack"] = pages_fail(busy)
    t.signal("s2", detector="silence")
    t.fast_forward(3 * MINUTE)
    assert [page.channel.kind for page in t.pages if page.attempt == 1] == ["slack", "slack", "pagerduty"]
    [last] = [each for each in t.updates if each.page == t.pages[0].id][-1:]
    assert (last.reason, last.severity) == ("updated", "critical")


def test_where_a_mere_update_is_one_more_message_none_is_sent_for_a_page_given_up_for_now():
    t = Scenario(ROOM.replace("{slack: '#oncall'}", "{email: oncall@example.com}"))
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.answers["email"] = pages_fail(busy)
    t.fast_forward(3 * MINUTE)
    t.comment("looking")
    assert t.updates == []


def test_a_room_whose_last_page_was_refused_still_has_the_one_before_it():
    t = Scenario(ROOM)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.answers["slack"] = lambda message: Undeliverable(reason="no") if isinstance(message, Page) else None
    t.fast_forward(MINUTE)
    t.comment("looking")
    assert [each.page for each in t.updates if each.reason == "commented"] == [t.pages[0].id]


@pytest.mark.parametrize("answer", [None, Deferred(reason="503")], ids=["nothing heard", "busy"])
def test_who_takes_it_while_a_later_page_is_not_through_is_waited_for_no_longer_by_the_alert_before(answer):
    t = Scenario(ESCALATED.replace("[slack, pagerduty]", "[pagerduty]"))
    service = Service()
    t.answers["pagerduty"] = service
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.answers["pagerduty"] = lambda message: answer if isinstance(message, Page) else service(message)
    t.signal("s2", detector="silence")
    t.fast_forward(3 * MINUTE)
    t.acknowledge()
    assert service.alerts == {t.incident.id: "acknowledge"}
