"""What an answer to a storm's page takes, and what it leaves to others."""

import pytest

from schemas.cause import Resolved, Snoozed
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, Scenario
from tests.routing.test_limits import burst, statuses


def after_its_lead():
    """A storm of three incidents, the first of which is over."""
    t = Scenario(ESCALATED)
    burst(t, 4)
    t.fast_forward(MINUTE)
    lead = t.pages[1].incident
    t.recover(next(f"s{n}" for n in (1, 2, 3) if t.incidents[n].id == lead))
    return t, lead


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
