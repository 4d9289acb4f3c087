"""What people do in PagerDuty becomes a cause."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.callbacks.pagerduty import done
from routing.callbacks.refused import Ignored, Refused
from schemas.cause import Acknowledged, Commented, Resolved
from tests.routing.callbacks.presses import hook
from tests.routing.scenario import ESCALATED, MINUTE, Scenario

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
INCIDENT = "inc-0123456789abcdef0123"


def test_an_acknowledgement_and_a_resolution_are_ours_too():
    for kind, made in (("incident.acknowledged", Acknowledged), ("incident.resolved", Resolved)):
        cause = done(hook(kind), NOW)
        known = {
            "incident": INCIDENT,
            "by": "Ana",
            "via": "pagerduty",
            "account": "PLH1HKV",
            "alert": INCIDENT,
        }
        assert cause == made(at=NOW, id=cause.id, **known)


def test_the_same_event_has_the_same_id_and_another_has_another():
    assert done(hook(), NOW).id == done(hook(), NOW).id != done(hook(id="another"), NOW).id


def test_a_key_of_a_page_names_its_incident():
    for part, closes in (("page", Resolved), ("storm", Acknowledged)):
        key = f"{INCIDENT}.{part}-0123456789abcdef0123"
        taken, closed = done(hook(key=key), NOW), done(hook("incident.resolved", key=key), NOW)
        assert (type(taken), type(closed)) == (Acknowledged, closes)
        assert taken.incident == closed.incident == INCIDENT
        assert taken.alert == closed.alert == key
    for odd in (f"{INCIDENT}.page-1", f"{INCIDENT}.odd-0123456789abcdef0123", f"{INCIDENT}."):
        with pytest.raises(Ignored):
            done(hook(key=odd), NOW)


def test_what_is_handed_over_there_is_noted_here():
    cause = done(hook("incident.reassigned"), NOW)
    assert isinstance(cause, Commented)
    assert cause.text == "reassigned to Bo in PagerDuty"
    nobody = done(hook("incident.escalated", data={"assignees": []}), NOW)
    assert isinstance(nobody, Commented)
    assert nobody.text == "escalated to somebody else in PagerDuty"


@pytest.mark.parametrize(
    "body",
    [
        hook(agent="events_api_v2_inbound_integration_reference"),
        hook(key=None),
        hook(key="baf7cf21b1da41b4b0221008339ff357"),
        hook("incident.priority_updated"),
        hook("incident.annotated", data={"type": "incident_note", "incident_key": None}),
        b'{"event": {"id": "1", "event_type": "pagey.ping", "agent": null, "data": {"message": "hello"}}}',
    ],
)
def test_what_asks_for_nothing_is_ignored(body):
    with pytest.raises(Ignored):
        done(body, NOW)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"event": {"id": 1}}', b"\xff", b"[" * 100_000])
def test_what_is_no_webhook_is_refused(body):
    with pytest.raises(Refused):
        done(body, NOW)


def test_an_acknowledgement_in_pagerduty_stops_the_climb():
    t = Scenario(ESCALATED)
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.write(done(hook(key=t.pages[0].incident), t.now))
    t.write(done(hook(key=t.pages[0].incident), t.now))
    t.fast_forward(29 * MINUTE)
    assert t.told == [(0, "ana", "opened")]
    assert t.incident.acknowledged_by == "Ana"
    assert t.router.counts == {"words repeated": 1}


def test_a_delivery_of_another_day_is_refused_lest_a_recorded_one_counts_for_ever():
    assert done(hook(), NOW + timedelta(hours=23))
    with pytest.raises(Refused, match="expected something of the last day"):
        done(hook(), NOW + timedelta(hours=25))
