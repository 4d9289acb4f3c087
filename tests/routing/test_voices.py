"""An incident of which a part is muted speaks as what is heard of it."""

from tests.routing.scenario import ESCALATED, MINUTE, Scenario


def test_what_is_muted_lends_a_page_neither_its_severity_nor_its_words():
    t = Scenario()
    t.silence('detector="silence"')
    t.signal("down", detector="silence")
    t.signal("dear", detector="cost")
    t.fast_forward(MINUTE)
    (page,) = t.pages
    assert page.severity == page.content.severity == "warning"
    assert page.summary == "dear of refund-agent fails (and 1 more signal, 1 muted)"
    assert [each.id for each in page.content.signals] == ["dear", "down"]
    assert t.incident.severity == "critical"


def test_when_the_silence_ends_the_page_is_of_the_worst():
    t = Scenario()
    t.silence('detector="silence"', lasts=5 * MINUTE)
    t.signal("down", detector="silence")
    t.signal("dear", detector="cost")
    t.signal("bad", detector="cost", finding="other")
    t.fast_forward(8 * MINUTE)
    assert [page.summary for page in t.pages] == [
        "dear of refund-agent fails (and 2 more signals, 1 muted)",
        "down of refund-agent fails (and 2 more signals)",
    ]
    assert [page.severity for page in t.pages] == ["warning", "critical"]


def test_while_all_is_muted_an_edit_speaks_as_before():
    t = Scenario()
    t.signal("down", detector="silence")
    t.fast_forward(MINUTE)
    t.silence('agent="refund-agent"')
    t.acknowledge()
    assert t.updates[-1].severity == "critical"


def test_an_edit_speaks_as_what_is_heard():
    t = Scenario()
    t.signal("down", detector="silence")
    t.signal("dear", detector="cost")
    t.fast_forward(MINUTE)
    t.silence('detector="silence"')
    t.acknowledge()
    assert t.updates[-1].severity == "warning"
    assert t.updates[-1].summary == "dear of refund-agent fails (and 1 more signal, 1 muted)"


def test_an_escalation_reaches_people_as_the_severity_that_is_heard_asks():
    t = Scenario(ESCALATED)
    t.silence('detector="silence"')
    t.signal("down", detector="silence")
    t.signal("dear", detector="cost")
    t.fast_forward(3 * MINUTE)
    assert {page.severity for page in t.pages} == {"warning"}
