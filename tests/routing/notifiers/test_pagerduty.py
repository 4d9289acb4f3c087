import msgspec
from hypothesis import given
from hypothesis import strategies as st

from routing.content import built_in, worded
from routing.notifiers.notifier import Answer
from routing.notifiers.pagerduty import ENQUEUE, PagerDuty
from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.page import Storm
from tests.fakes import CONTENT, NOW, body_of, content, driven, page, update

KNOWN = {"env:PD_ANA": "ROUTINGKEY", "http://127.0.0.1/x": "http://127.0.0.1/x"}
TAKEN = Answer(status=202, body=b'{"status": "success", "dedup_key": "inc-1"}')


def attempt(message, *answers: Answer, rendered=None, known=KNOWN):
    return driven(PagerDuty(), message, rendered or built_in(message), known.__getitem__, *answers)


def test_the_rich_page_triggers_an_alert():
    (call,), outcome = attempt(page("pagerduty", "env:PD_ANA"), TAKEN)
    assert (call.method, call.url) == ("POST", ENQUEUE)
    event = body_of(call)
    details = event["payload"].pop("custom_details")
    assert event == {
        "routing_key": "ROUTINGKEY",
        "event_action": "trigger",
        "dedup_key": "inc-1",
        "client": "agent-oversight",
        "client_url": "https://dash.example/retail",
        "links": [
            {"href": "https://traces.example/t/4bf92f", "text": "trace"},
            {"href": "https://runbooks.example/retail?a=1&b=2", "text": "runbook"},
            {"href": "https://dash.example/retail", "text": "dashboard"},
        ],
        "payload": {
            "summary": "CRITICAL: retail: 35 of 35 sessions fail",
            "source": "retail",
            "severity": "critical",
            "timestamp": "2026-02-22T11:39:30+00:00",
            "component": "retail",
            "group": "shop",
            "class": "error_rate/sessions",
        },
    }
    assert details["Observed"].startswith("100 % against 2.1 %")
    assert details["Next"] == CONTENT.next_step
    assert details["labels"] == CONTENT.labels
    assert details["page"] == "pag-1"
    assert outcome == Delivered(reference="inc-1")


def test_updates_follow_the_status_under_the_same_key():
    def action(reason):
        (call,), outcome = attempt(update(page("pagerduty", "env:PD_ANA"), reason, reference="inc-1"), TAKEN)
        assert outcome == Delivered(reference="inc-1")
        return body_of(call)["event_action"], body_of(call)["dedup_key"]

    assert action("acknowledged") == ("acknowledge", "inc-1")
    assert action("resolved") == ("resolve", "inc-1")
    assert action("updated") == ("trigger", "inc-1")


def test_an_update_acts_on_the_alert_that_its_page_became():
    message = update(page("pagerduty", "env:PD_ANA"), "resolved", reference="inc-1.page-2")
    (call,), outcome = attempt(message, TAKEN)
    assert body_of(call)["dedup_key"] == "inc-1.page-2"
    assert outcome == Delivered(reference="inc-1.page-2")


def test_a_page_with_a_key_of_its_own_resolves_the_alert_before_it_once_it_is_there():
    message = page("pagerduty", "env:PD_ANA", alert="inc-1.page-2", replaces="inc-1")
    for answer in (TAKEN, Answer(status=500), Answer(status=0)):
        (rings, closes), outcome = attempt(message, TAKEN, answer)
        assert (body_of(rings)["event_action"], body_of(rings)["dedup_key"]) == ("trigger", "inc-1.page-2")
        assert body_of(closes) == {
            "routing_key": body_of(rings)["routing_key"],
            "event_action": "resolve",
            "dedup_key": "inc-1",
        }
        assert outcome == Delivered(reference="inc-1.page-2")
    (rings,), outcome = attempt(message, Answer(status=500))
    assert isinstance(outcome, Deferred)


def test_an_end_that_is_told_late_resolves_though_the_incident_fires_again():
    message = page("pagerduty", "env:PD_ANA")
    for reason, action in (("resolved", "resolve"), ("acknowledged", "acknowledge")):
        for storm in (None, Storm(told=3)):
            shown = content(status="triggered", storm=storm)
            (call,), _ = attempt(update(message, reason, reference="inc-1", content=shown), TAKEN)
            assert body_of(call)["event_action"] == action


def test_a_mere_edit_of_a_storms_page_sends_nothing_lest_it_rings():
    message = page("pagerduty", "env:PD_ANA", content=content(storm=Storm(told=3)))
    known = {"reference": "inc-1.storm-2", "content": content(storm=Storm(told=3))}
    steps, outcome = attempt(update(message, "updated", **known))
    assert (steps, outcome) == ([], Delivered(reference="inc-1.storm-2"))
    waits = content(storm=Storm(waiting=3))
    (call,), _ = attempt(update(message, "updated", reference="inc-1", content=waits), TAKEN)
    assert body_of(call)["event_action"] == "trigger"


def test_a_refusal_says_what_pagerduty_did_not_like():
    body = (
        b'{"status":"invalid event","message":"Event object is invalid","errors":["\'severity\' is invalid"]}'
    )
    _, outcome = attempt(page("pagerduty", "env:PD_ANA"), Answer(status=400, body=body))
    assert outcome == Undeliverable(reason="HTTP 400 Event object is invalid; 'severity' is invalid")
    _, outcome = attempt(page("pagerduty", "env:PD_ANA"), Answer(status=404, body=b'{"errors": "odd"}'))
    assert outcome == Undeliverable(reason="HTTP 404")


def test_a_rate_limit_is_honoured():
    _, outcome = attempt(page("pagerduty", "env:PD_ANA"), Answer(status=429, headers={"retry-after": "30"}))
    assert isinstance(outcome, Deferred)
    assert (outcome.retry_at - NOW).total_seconds() == 30


def test_another_address_may_be_given():
    (call,), _ = attempt(page("pagerduty", "env:PD_ANA", options={"url": "http://127.0.0.1/x"}), TAKEN)
    assert call.url == "http://127.0.0.1/x"
    known = KNOWN | {"env:PAGERDUTY_EVENTS_URL": "http://127.0.0.1/env"}
    (call,), _ = attempt(page("pagerduty", "env:PD_ANA"), TAKEN, known=known)
    assert call.url == "http://127.0.0.1/env"


def test_a_teams_own_words_go_along():
    message = page("pagerduty", "env:PD_ANA")
    (call,), _ = attempt(message, TAKEN, rendered=worded(message, "our words"))
    assert body_of(call)["payload"]["custom_details"]["Message"] == "our words"


def test_an_incident_of_no_agent_has_a_source():
    bare = content(labels={}, dashboard="")
    (call,), _ = attempt(page("pagerduty", "env:PD_ANA", content=bare), TAKEN)
    assert body_of(call)["payload"]["source"] == "agent-oversight"
    assert "client_url" not in body_of(call)


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=2000), max_size=60), st.text(max_size=5000))
def test_an_event_stays_far_below_pagerdutys_limits(labels, text):
    signal = msgspec.structs.replace(CONTENT.signals[0], summary=text, changes=(text,) * 9)
    told = content(
        title=text, labels=labels, signals=(signal,) * 9, runbook=text, next_step=text, related=(text,) * 9
    )
    (call,), _ = attempt(page("pagerduty", "env:PD_ANA", content=told), TAKEN)
    assert len(call.body) < 200_000
    assert 0 < len(body_of(call)["payload"]["summary"]) <= 1024
