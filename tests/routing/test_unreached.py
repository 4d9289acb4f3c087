"""Where nothing gets through, everything is tried again; what reached somebody long ago is no excuse."""

from tests.routing.bursts import burst
from tests.routing.scenario import ESCALATED, MINUTE, ONE_CHANNEL, SECOND, Scenario, arrives, dead

ROOM = ESCALATED.replace("[slack, pagerduty]", "[slack]").replace("[pagerduty]", "[slack]")


def cut_off(t):
    """From now on nothing gets through, until `mended`."""
    t.answers |= {"slack": dead, "pagerduty": dead}


def mended(t):
    """The channels are back; what is told in the ten minutes and a half from the moment they failed."""
    since = len(t.told)
    t.answers |= {"slack": arrives, "pagerduty": arrives}
    t.fast_forward(10 * MINUTE + 30 * SECOND)
    return [(to, reason) for _, to, reason in t.told[since:]]


def test_who_had_it_before_an_acknowledgement_lapsed_has_not_got_it_now():
    t = Scenario(ROOM)
    t.signal()
    t.acknowledge()
    t.fast_forward(29 * MINUTE)
    cut_off(t)
    t.fast_forward(MINUTE)
    assert t.complaints == [f"incident {t.incident.id}: no channel is left to page"]
    assert mended(t) == [("triage", "fallback")]


def test_who_heard_of_an_earlier_opening_has_not_heard_of_this_one():
    t = Scenario(ONE_CHANNEL)
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    cut_off(t)
    t.signal()
    t.fast_forward(3 * MINUTE)
    assert t.complaints == [f"incident {t.incident.id}: no channel is left to page"]
    assert ("oncall", "fallback") in mended(t)


def test_who_handed_it_on_has_not_got_it():
    t = Scenario(ROOM)
    t.signal()
    cut_off(t)
    t.fast_forward(MINUTE)
    t.hand(user="bo")
    t.fast_forward(MINUTE)
    assert t.complaints == [f"incident {t.incident.id}: no channel is left to page"]
    assert mended(t) == [("triage", "fallback")]


def test_who_has_it_by_the_page_of_another_is_reached():
    t = Scenario(ROOM + "limits: {pages_per_person: 2 per 1h}\n")
    burst(t, 3)
    t.fast_forward(2 * MINUTE)
    (folded,) = {each.id for each in t.incidents} - {page.incident for page in t.pages}
    t.answers |= {"U02": dead, "#triage": dead}
    t.fast_forward(15 * MINUTE)
    assert f"incident {folded}: no channel is left to page" in t.complaints
    t.answers["#triage"] = arrives
    since = len(t.pages)
    t.fast_forward(20 * MINUTE)
    assert folded not in [page.incident for page in t.pages[since:]]
