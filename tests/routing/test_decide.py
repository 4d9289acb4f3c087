"""An incident's life: it opens, is told, joined, resolved, and fires again."""

from itertools import pairwise

from msgspec.structs import replace

from schemas.cause import Signalled
from schemas.outcome import Delivered
from schemas.signal import Blast
from tests.routing.scenario import HOUR, MINUTE, SECOND, START, Scenario, dead, says_nothing


def test_a_signal_pages_once_after_group_wait():
    t = Scenario()
    t.signal()
    t.fast_forward(30 * MINUTE)
    assert t.told == [(10, "oncall", "opened")]
    assert (t.incident.status, t.incident.severity) == ("triggered", "error")
    assert t.incident.paged == ("oncall",)


def test_a_finding_that_lasts_longer_than_group_wait_pages_at_once():
    t = Scenario()
    t.now += MINUTE
    t.signal()
    t.recover()
    t.fast_forward(10 * MINUTE)
    old = replace(t.incidents and signal_of(t), onset=START, time=t.now)
    t.write(Signalled(at=t.now, signal=old))
    assert t.told == [(660, "oncall", "opened")]


def signal_of(t):
    t.signal("again")
    signal = t.firing.pop("again")
    t.write(Signalled(at=t.now, signal=replace(signal, state="resolved")))
    return replace(signal, labels={**signal.labels, "agent": "another"})


def test_what_resolves_inside_group_wait_is_never_sent():
    t = Scenario()
    t.signal()
    t.fast_forward(9 * SECOND)
    t.recover()
    t.fast_forward(HOUR)
    assert t.pages == []
    assert t.updates == []
    assert t.incident.status == "resolved"


def test_a_resolution_follows_its_page_without_waiting_for_the_grid():
    t = Scenario()
    t.signal()
    t.fast_forward(30 * SECOND)
    t.recover()
    assert t.updated == [(30, "#oncall", "resolved")]
    assert t.updates[0].page == t.pages[0].id
    assert t.updates[0].reference == f"ref {t.pages[0].id}"
    assert t.updates[0].content.status == "resolved"


def test_a_resolution_waits_for_the_outcome_of_its_page():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(30 * SECOND)
    t.recover()
    assert t.updates == []
    t.fast_forward(5 * SECOND)
    t.report(t.pages[0], Delivered(reference="late"))
    assert [(each.reason, each.reference) for each in t.updates] == [("resolved", "late")]


def test_an_undelivered_page_is_not_followed_by_a_resolution():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(HOUR)
    assert t.updates == []


def test_a_signal_that_is_no_longer_asserted_resolves_as_stale():
    t = Scenario()
    t.signal()
    t.fast_forward(2 * MINUTE)
    t.forget()
    t.fast_forward(30 * MINUTE)
    assert t.updated == [(17 * 60, "#oncall", "resolved")]
    assert t.updates[0].content.signals[0].reason == "stale"


def test_a_group_is_not_resolved_while_a_member_fires():
    t = Scenario()
    t.signal("s1")
    t.signal("s2", detector="silence")
    t.fast_forward(3 * MINUTE)
    t.recover("s1")
    t.fast_forward(10 * MINUTE)
    assert t.incident.status == "triggered"
    assert [reason for *_, reason in t.updated] == ["updated"]
    t.recover("s2")
    assert t.incident.status == "resolved"


def test_one_of_two_stale_signals_leaves_the_other():
    t = Scenario()
    t.signal("s1")
    t.signal("s2")
    t.fast_forward(MINUTE)
    t.forget("s1")
    t.fast_forward(30 * MINUTE)
    assert t.incident.signals == ("s2",)


def test_what_joins_edits_the_page_on_the_grid():
    t = Scenario()
    t.signal("s1")
    t.fast_forward(30 * SECOND)
    t.signal("s2")
    t.fast_forward(10 * MINUTE)
    assert t.told == [(10, "oncall", "opened")]
    assert t.updated == [(130, "#oncall", "updated")]
    assert t.updates[0].content.firing == 2
    assert t.updates[0].summary.endswith("(and 1 more signal)")


def test_a_rise_in_severity_pages_anew_without_waiting_for_the_grid():
    t = Scenario()
    t.signal("s1", detector="cost")
    t.fast_forward(30 * SECOND)
    t.signal("s2", detector="error_rate")
    t.fast_forward(30 * MINUTE)
    assert t.told == [(10, "oncall", "opened"), (40, "oncall", "joined")]
    assert [page.severity for page in t.pages] == ["warning", "error"]


def test_severity_that_wobbles_pages_once():
    t = Scenario()
    t.signal("s1", detector="cost")
    t.fast_forward(MINUTE)
    for magnitude in (10.0, 1.0, 10.0, 1.0):
        t.firing["s1"] = replace(
            t.firing["s1"], magnitude=magnitude, magnitude_unit="ratio", blast=blast(magnitude)
        )
        t.fast_forward(2 * MINUTE)
    assert [page.reason for page in t.pages] == ["opened", "joined"]
    assert t.incident.severity == "error"


def blast(magnitude):
    return Blast(share=1.0) if magnitude > 1 else Blast()


def test_a_lesser_signal_is_left_when_the_worse_one_ends():
    t = Scenario()
    t.signal("s1", detector="silence")
    t.signal("s2", detector="cost")
    t.fast_forward(MINUTE)
    t.recover("s1")
    assert (t.incident.severity, t.incident.summary) == ("warning", "s2 of refund-agent fails")


def test_an_incident_that_nobody_takes_is_repeated():
    t = Scenario()
    t.signal()
    t.fast_forward(9 * HOUR)
    assert t.told == [
        (10, "oncall", "opened"),
        (4 * 3600 + 10, "oncall", "repeated"),
        (28810, "oncall", "repeated"),
    ]


def test_an_acknowledged_incident_is_not_repeated():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge(by="bo")
    t.fast_forward(9 * HOUR)
    assert len(t.pages) == 1
    assert t.updated == [(60, "#oncall", "acknowledged")]
    assert (t.incident.status, t.incident.acknowledged_by) == ("acknowledged", "bo")


def test_an_incident_acknowledged_before_its_page_pages_nobody():
    t = Scenario()
    t.signal()
    t.acknowledge()
    t.fast_forward(9 * HOUR)
    assert t.pages == []


def test_a_flapping_signal_keeps_its_incident_and_pages_at_most_once_a_group_interval():
    t = Scenario()
    for _ in range(20):
        t.signal()
        t.fast_forward(15 * SECOND)
        t.recover()
        t.fast_forward(15 * SECOND)
    t.fast_forward(15 * MINUTE)
    assert len(t.incidents) == 1
    assert [reason for *_, reason in t.told] == ["opened", *["reopened"] * (len(t.pages) - 1)]
    times = [at for at, *_ in t.told]
    assert all(later - earlier >= 120 for earlier, later in pairwise(times))
    resolutions = [each.page for each in t.updates if each.reason == "resolved"]
    assert set(resolutions) == {page.id for page in t.pages}
    assert t.incident.status == "resolved"


def test_what_fires_again_while_acknowledged_stays_acknowledged():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.recover()
    t.fast_forward(30 * SECOND)
    t.signal()
    t.fast_forward(10 * MINUTE)
    assert t.incident.status == "acknowledged"
    assert len(t.pages) == 1
    assert [reason for *_, reason in t.updated] == ["acknowledged", "resolved", "updated"]


def test_what_fires_again_before_it_was_told_waits_like_a_new_group():
    t = Scenario()
    t.signal()
    t.fast_forward(5 * SECOND)
    t.recover()
    t.fast_forward(5 * SECOND)
    t.signal()
    t.fast_forward(MINUTE)
    assert t.told == [(20, "oncall", "opened")]


def test_what_fires_after_group_interval_is_another_incident():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(3 * MINUTE)
    t.signal()
    t.fast_forward(MINUTE)
    assert [each.status for each in t.incidents] == ["resolved", "triggered"]
    assert [page.reason for page in t.pages] == ["opened", "opened"]


def test_two_openings_in_one_instant_are_two_incidents():
    t = Scenario()
    t.signal()
    t.close()
    t.signal("s2")
    assert len({each.id for each in t.incidents}) == 2


def test_closing_by_hand_holds_although_the_finding_is_asserted_on():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.close()
    t.fast_forward(HOUR)
    assert len(t.incidents) == 1
    assert t.incident.status == "resolved"
    assert len(t.pages) == 1
    assert [reason for *_, reason in t.updated] == ["resolved"]
    t.recover()
    t.signal("s2")
    assert len(t.incidents) == 2


def test_a_new_finding_after_closing_by_hand_is_another_incident():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.close()
    t.signal("s2")
    t.fast_forward(MINUTE)
    assert [each.signals for each in t.incidents] == [("s1",), ("s2",)]


def test_what_gets_worse_after_closing_by_hand_is_another_incident():
    t = Scenario()
    t.signal(detector="cost")
    t.fast_forward(MINUTE)
    t.close()
    t.firing["s1"] = replace(t.firing["s1"], magnitude=10.0, magnitude_unit="ratio", blast=blast(10))
    t.fast_forward(2 * MINUTE)
    assert [each.severity for each in t.incidents] == ["warning", "error"]
    assert [page.reason for page in t.pages] == ["opened", "opened"]


def test_a_late_delivery_is_resolved_although_nothing_is_left_in_its_incident():
    t = Scenario(answers={"slack": says_nothing})
    t.signal(detector="cost")
    t.fast_forward(30 * SECOND)
    t.close()
    t.firing["s1"] = replace(t.firing["s1"], magnitude=10.0, magnitude_unit="ratio", blast=blast(10))
    t.say_again()
    t.report(t.pages[0], Delivered(reference="late"))
    assert t.updates[0].content.signals == ()


def test_closing_twice_changes_nothing():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    for name in ("c", "c", "d"):
        t.close(name=name)
    assert len(t.updates) == 1
    assert t.router.counts == {"words repeated": 1, "words about incidents that are not open": 1}


def test_an_unknown_incident_or_page_changes_nothing():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    before = t.router.save("router").parts
    t.acknowledge(incident="inc-unknown")
    t.report(replace(t.pages[0], id="page-unknown"), Delivered())
    t.write(Signalled(at=t.now, signal=replace(t.firing["s1"], id="unknown", state="resolved")))
    assert t.router.save("router").parts == before
    assert t.router.counts == {
        "words about incidents that are not open": 1,
        "outcomes of unknown pages": 1,
        "resolutions of unknown signals": 1,
    }


def test_a_resolution_that_is_heard_twice_is_told_once():
    t = Scenario()
    t.signal()
    signal = t.firing["s1"]
    t.fast_forward(MINUTE)
    t.recover()
    t.write(Signalled(at=t.now, signal=replace(signal, state="resolved")))
    assert len(t.updates) == 1


def test_a_resolved_incident_that_somebody_was_told_of_is_kept_for_what_they_say_of_it():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(5 * HOUR)
    assert len(t.router.save("router").parts) == 2
    t.fast_forward(2 * HOUR)
    assert t.router.save("router").parts.keys() == {"policy"}
    assert t.router.wake_at is None


def test_a_resolved_incident_that_nobody_was_told_of_is_forgotten_at_once():
    t = Scenario()
    t.signal()
    t.recover()
    t.fast_forward(3 * MINUTE)
    assert t.router.save("router").parts.keys() == {"policy"}


def test_an_outcome_that_never_comes_is_not_waited_for_for_ever():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(7 * HOUR)
    assert t.router.save("router").parts.keys() == {"policy"}


def test_a_signal_that_ends_inside_group_wait_leaves_the_others_their_first_page():
    t = Scenario()
    t.signal("s1")
    t.signal("s2")
    t.fast_forward(5 * SECOND)
    t.recover("s1")
    t.fast_forward(MINUTE)
    assert t.told == [(10, "oncall", "opened")]


def test_an_incident_closed_by_hand_is_kept_until_its_last_signal_ends():
    t = Scenario()
    t.signal("s1")
    t.signal("s2")
    t.close()
    t.recover("s1")
    t.say_again("s2")
    assert len(t.incidents) == 1
    t.recover("s2")
    t.signal("s2")
    assert len(t.incidents) == 2


def test_a_page_that_arrives_long_after_the_resolution_is_still_resolved():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(HOUR)
    assert len(t.pages) == 1
    t.report(t.pages[0], Delivered(reference="late"))
    assert [(each.reason, each.reference) for each in t.updates] == [("resolved", "late")]
