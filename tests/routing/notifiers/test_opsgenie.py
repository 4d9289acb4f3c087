import pytest

from routing.content import built_in
from routing.notifiers.notifier import Answer
from routing.notifiers.opsgenie import API, Opsgenie
from schemas.deed import Deed
from schemas.outcome import Deferred, Delivered, Undeliverable
from tests.fakes import BODY, CONTENT, NOW, body_of, content, driven, page, update

KNOWN = {"env:OG": "GENIE", "https://og.example/": "https://og.example/"}
TAKEN = Answer(status=202, body=b'{"result": "Request will be processed", "requestId": "r"}')


def known(reference: str) -> str:
    return KNOWN[reference] if reference in KNOWN or reference.startswith("env:") else reference


def attempt(message, *answers: Answer):
    return driven(Opsgenie(), message, built_in(message), known, *answers)


def test_the_rich_page_creates_an_alert():
    (call,), outcome = attempt(page("opsgenie", "env:OG"), TAKEN)
    assert (call.method, call.url) == ("POST", f"{API}/v2/alerts")
    assert call.headers["authorization"] == "GenieKey GENIE"
    alert = body_of(call)
    details = alert.pop("details")
    assert alert == {
        "message": "CRITICAL: retail: 35 of 35 sessions fail",
        "alias": "inc-1",
        "description": BODY,
        "priority": "P1",
        "entity": "retail",
        "source": "agent-oversight",
        "tags": [
            "critical",
            "agent:retail",
            "detector:error_rate",
            "env:prod",
            "finding:sessions",
            "team:shop",
        ],
    }
    assert details["Next"] == CONTENT.next_step
    assert details["trace"] == "https://traces.example/t/4bf92f"
    assert details["runbook"] == CONTENT.runbook
    assert "Runbook" not in details
    assert outcome == Delivered(reference="inc-1")


@pytest.mark.parametrize(
    ("severity", "priority"), [("critical", "P1"), ("error", "P2"), ("warning", "P3"), ("info", "P5")]
)
def test_severity_is_priority(severity, priority):
    (call,), _ = attempt(page("opsgenie", "env:OG", severity=severity), TAKEN)
    assert body_of(call)["priority"] == priority


def test_responders_may_be_named():
    options = {
        "responders": "team:payments, user:ana@x.org,schedule:night, shop, odd:name",
        "url": "https://og.example/",
    }
    (call,), _ = attempt(page("opsgenie", "env:OG", options=options), TAKEN)
    assert call.url == "https://og.example/v2/alerts"
    assert body_of(call)["responders"] == [
        {"type": "team", "name": "payments"},
        {"type": "user", "username": "ana@x.org"},
        {"type": "schedule", "name": "night"},
        {"type": "team", "name": "shop"},
        {"type": "team", "name": "odd:name"},
    ]


def test_an_acknowledgement_and_a_resolution_act_on_the_alias():
    for reason, action in (("acknowledged", "acknowledge"), ("resolved", "close")):
        (call,), outcome = attempt(update(page("opsgenie", "env:OG"), reason, reference="inc-1"), TAKEN)
        assert call.url == f"{API}/v2/alerts/inc-1/{action}?identifierType=alias"
        assert body_of(call)["note"].startswith(reason.upper())
        assert outcome == Delivered(reference="inc-1")


def test_a_page_with_an_alias_of_its_own_closes_the_alert_before_it_once_it_is_there():
    message = page("opsgenie", "env:OG", alert="inc-1.page-2", replaces="inc-1")
    for answer in (TAKEN, Answer(status=500), Answer(status=0)):
        (creates, closes), outcome = attempt(message, TAKEN, answer)
        assert body_of(creates)["alias"] == "inc-1.page-2"
        assert closes.url == f"{API}/v2/alerts/inc-1/close?identifierType=alias"
        assert outcome == Delivered(reference="inc-1.page-2")
    (creates,), outcome = attempt(message, Answer(status=500))
    assert isinstance(outcome, Deferred)


def test_an_update_acts_on_the_alert_that_its_page_became():
    message = update(page("opsgenie", "env:OG"), "resolved", reference="inc-1.storm-2")
    (call,), outcome = attempt(message, TAKEN)
    assert call.url == f"{API}/v2/alerts/inc-1.storm-2/close?identifierType=alias"
    assert outcome == Delivered(reference="inc-1.storm-2")


def test_a_comment_becomes_a_note_of_the_alias():
    shown = content(deeds=(Deed(at=NOW, by="ana", did="commented", note="it is the provider"),))
    message = update(page("opsgenie", "env:OG"), "commented", reference="inc-1", content=shown)
    (call,), _ = attempt(message, TAKEN)
    assert call.url == f"{API}/v2/alerts/inc-1/notes?identifierType=alias"
    assert body_of(call)["note"] == "ana: it is the provider"


def test_an_update_brings_priority_message_and_description_up_to_date_in_turn():
    message = update(page("opsgenie", "env:OG"), "updated", reference="inc-1", severity="error")
    steps, outcome = attempt(message, TAKEN, TAKEN, TAKEN)
    assert [(step.method, step.url.split("/")[-1].split("?")[0]) for step in steps] == [
        ("PUT", "priority"),
        ("PUT", "message"),
        ("PUT", "description"),
    ]
    assert body_of(steps[0]) == {"priority": "P2"}
    assert outcome == Delivered(reference="inc-1")
    steps, outcome = attempt(message, TAKEN, Answer(status=429, headers={"retry-after": "3"}))
    assert len(steps) == 2
    assert isinstance(outcome, Deferred)
    assert (outcome.retry_at - NOW).total_seconds() == 3


def test_a_refusal_says_what_opsgenie_did_not_like():
    body = b'{"message": "Request body is not processable.", "errors": {"message": "may not be empty"}}'
    _, outcome = attempt(page("opsgenie", "env:OG"), Answer(status=422, body=body))
    assert outcome == Undeliverable(reason="HTTP 422 Request body is not processable.")
    _, outcome = attempt(page("opsgenie", "env:OG"), Answer(status=404))
    assert outcome == Undeliverable(reason="HTTP 404")


def test_the_address_may_come_from_the_environment():
    steps, _ = driven(
        Opsgenie(),
        page("opsgenie", "env:OG"),
        built_in(page("opsgenie", "env:OG")),
        {"env:OG": "GENIE", "env:OPSGENIE_API_URL": "https://api.eu.opsgenie.com"}.__getitem__,
        TAKEN,
    )
    assert steps[0].url == "https://api.eu.opsgenie.com/v2/alerts"


def test_a_comma_in_a_label_makes_no_second_tag():
    (call,), _ = attempt(page("opsgenie", "env:OG", content=content(labels={"a": "x,y"})), TAKEN)
    assert body_of(call)["tags"] == ["critical", "a:x y"]
