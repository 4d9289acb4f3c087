"""Pages are retried as state: deferred, unknown, undeliverable, delivered late or twice."""

from datetime import timedelta
from itertools import pairwise

from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.page import Page, Update
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    ONE_CHANNEL,
    SECOND,
    START,
    Scenario,
    busy,
    dead,
    says_nothing,
)

TWO_CHANNELS = (
    ONE_CHANNEL.replace("group_wait: 10s", "group_wait: 0s")
    .replace("receivers: [", "receivers: [{name: other, notify: [{slack: '#other'}]}, ")
    .replace(
        "repeat_interval: 4h}",
        "repeat_interval: 4h, routes: [{receiver: other, matchers: ['agent=~\".+\"']}]}",
    )
)


def attempts(t):
    return [((page.time - START).total_seconds(), page.attempt) for page in t.pages]


def test_a_deferred_page_is_the_same_page_at_the_time_the_channel_asked_for():
    t = Scenario(answers={"slack": lambda m: Deferred(reason="429", retry_at=m.time + timedelta(seconds=37))})
    t.signal()
    t.fast_forward(MINUTE)
    assert attempts(t) == [(10, 1), (47, 2)]
    assert len({page.id for page in t.pages}) == 1


def test_a_time_in_another_zone_or_long_past_is_understood():
    zone = START.astimezone(None).tzinfo
    t = Scenario(answers={"slack": lambda _: Deferred(reason="429", retry_at=START.astimezone(zone))})
    t.signal()
    t.answers = {"slack": says_nothing}
    t.fast_forward(11 * SECOND)
    t.report(t.pages[0], Deferred(reason="429", retry_at=START))
    assert attempts(t) == [(10, 1), (11, 2)]


def test_no_channel_makes_the_router_wait_longer_than_an_hour():
    t = Scenario(answers={"slack": lambda m: Deferred(reason="429", retry_at=m.time + timedelta(days=9))})
    t.signal()
    t.fast_forward(HOUR + MINUTE)
    assert attempts(t) == [(10, 1), (3610, 2)]


def test_without_a_wish_of_the_channel_the_wait_doubles_up_to_five_minutes():
    t = Scenario(answers={"slack": busy})
    t.signal()
    t.fast_forward(20 * MINUTE)
    gaps = [int(later - at) for (at, _), (later, _) in pairwise(attempts(t))]
    assert gaps == [15, 30, 60, 120, 240, 300, 300]


def test_a_channel_that_is_down_for_ten_minutes_gets_its_page_in_the_end_once():
    t = Scenario(answers={"slack": lambda m: busy(m) if m.time < START + 10 * MINUTE else Delivered()})
    t.signal()
    t.fast_forward(HOUR)
    assert len({page.id for page in t.pages}) == 1
    assert t.pages[-1].time < START + 16 * MINUTE
    t.recover()
    assert [update.reason for update in t.updates] == ["resolved"]


def test_a_page_that_is_still_deferred_gives_way_to_the_next_one():
    t = Scenario(ONE_CHANNEL.replace("repeat_interval: 4h", "repeat_interval: 10m"), answers={"slack": busy})
    t.signal()
    t.fast_forward(11 * MINUTE)
    first, second = dict.fromkeys(page.id for page in t.pages)
    t.fast_forward(8 * MINUTE)
    assert {page.id for page in t.pages if page.time > START + 11 * MINUTE} == {second}
    assert first != second


def test_no_outcome_in_two_minutes_counts_as_deferred():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(5 * MINUTE)
    assert attempts(t) == [(10, 1), (130, 2), (250, 3)]


def test_a_person_s_next_channel_is_tried_when_patience_ends():
    t = Scenario(ESCALATED, answers={"slack": busy})
    t.signal()
    t.fast_forward(4 * MINUTE)
    assert [(page.channel.kind, page.attempt) for page in t.pages] == [
        ("slack", 1),
        ("slack", 2),
        ("slack", 3),
        ("slack", 4),
        ("pagerduty", 1),
    ]


def test_a_person_s_only_channel_is_tried_on_while_nobody_answers():
    t = Scenario(ESCALATED.replace("via: [slack, pagerduty]", "via: [slack]"), answers={"U01": busy})
    t.signal()
    t.fast_forward(4 * MINUTE)
    t.acknowledge(by="bo")
    count = len(t.pages)
    assert count == 5
    t.fast_forward(20 * MINUTE)
    assert len(t.pages) == count


def test_a_channel_that_stays_busy_is_tried_on_and_the_root_receiver_is_told_once():
    t = Scenario(TWO_CHANNELS, answers={"#other": busy})
    t.signal()
    t.fast_forward(30 * MINUTE)
    told = [each for each in t.told if each[1] == "oncall"]
    assert told == [(105, "oncall", "fallback")]
    assert len([each for each in t.told if each[1] == "other"]) > 5


def test_a_dead_channel_reaches_the_root_receiver():
    t = Scenario(TWO_CHANNELS, answers={"#other": dead})
    t.signal()
    assert t.told == [(0, "other", "opened"), (0, "oncall", "fallback")]
    t.fast_forward(4 * HOUR)
    assert t.told[2:] == [(4 * 3600, "other", "repeated"), (4 * 3600, "oncall", "fallback")]


def test_a_dead_page_of_a_resolved_incident_is_let_go():
    t = Scenario(TWO_CHANNELS, answers={"#other": says_nothing})
    t.signal()
    t.recover()
    t.report(t.pages[0], Undeliverable(reason="gone"))
    assert len(t.pages) == 1


def test_a_deferred_page_of_a_resolved_incident_is_withdrawn():
    t = Scenario(answers={"slack": busy})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.recover()
    t.fast_forward(HOUR)
    assert attempts(t) == [(10, 1)]
    assert t.updates == []


def test_a_page_deferred_after_the_resolution_is_withdrawn():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.recover()
    t.report(t.pages[0], Deferred(reason="503"))
    t.fast_forward(HOUR)
    assert attempts(t) == [(10, 1)]


def test_the_same_outcome_twice_changes_nothing():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.report(t.pages[0], Deferred(reason="503"))
    t.report(t.pages[0], Deferred(reason="503"))
    t.fast_forward(20 * SECOND)
    t.report(t.pages[0], Deferred(reason="503"), attempt=1)
    t.report(t.pages[0], Delivered(reference="x"), attempt=2)
    t.report(t.pages[0], Delivered(reference="y"), attempt=2)
    t.recover()
    assert t.updates[0].reference == "x"
    assert t.router.counts == {"outcomes repeated": 3}


def test_a_deferred_update_is_the_same_update_later():
    t = Scenario()
    t.signal()
    t.fast_forward(11 * SECOND)
    t.answers = {"slack": busy}
    t.recover()
    t.fast_forward(MINUTE)
    assert [(update.attempt, update.reason) for update in t.updates] == [
        (1, "resolved"),
        (2, "resolved"),
        (3, "resolved"),
    ]
    assert len({update.id for update in t.updates}) == 1


def test_an_update_without_an_outcome_is_tried_again():
    t = Scenario(answers={"slack": lambda m: Delivered() if isinstance(m, Page) else None})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.recover()
    t.fast_forward(5 * MINUTE)
    assert [update.attempt for update in t.updates] == [1, 2, 3]


def test_an_update_that_cannot_be_delivered_is_let_go():
    t = Scenario(answers={"slack": lambda m: dead(m) if isinstance(m, Update) else Delivered()})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.recover()
    t.report(t.updates[0], Delivered())
    t.fast_forward(HOUR)
    assert len(t.updates) == 1
    assert t.router.counts == {"outcomes repeated": 1}


def test_an_older_update_s_outcome_does_not_settle_the_newer_one():
    t = Scenario(answers={"slack": lambda m: Delivered() if isinstance(m, Page) else None})
    t.signal()
    t.fast_forward(11 * SECOND)
    t.acknowledge()
    t.recover()
    t.report(t.updates[0], Delivered())
    t.fast_forward(3 * MINUTE)
    assert [(update.reason, update.attempt) for update in t.updates] == [
        ("acknowledged", 1),
        ("resolved", 1),
        ("resolved", 2),
    ]


def test_a_receiver_that_wants_no_resolutions_gets_none():
    t = Scenario(ONE_CHANNEL.replace("'#oncall'", "'#oncall', send_resolved: false"))
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.recover()
    assert [update.reason for update in t.updates] == ["acknowledged"]


def test_a_later_attempt_says_when_the_first_one_was():
    t = Scenario(answers={"slack": busy})
    t.signal()
    t.fast_forward(2 * MINUTE)
    first, *later = t.pages
    assert first.began is None
    assert later
    assert {page.began for page in later} == {first.time}


def revived(t, *targets):
    """Channels that are dead take everything from now on."""
    t.answers = {name: answer for name, answer in t.answers.items() if name not in targets}


def test_where_no_channel_is_left_all_are_tried_again_soon():
    t = Scenario(TWO_CHANNELS, answers={"#other": dead, "#oncall": dead})
    t.signal()
    t.fast_forward(5 * MINUTE)
    assert t.paged == [(0, "slack #other"), (0, "slack #oncall")]
    revived(t, "#other", "#oncall")
    t.fast_forward(HOUR)
    assert t.paged[2:] == [(600, "slack #other")]
    assert len(t.complaints) == 1


def test_while_all_channels_stay_dead_each_look_is_told():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(35 * MINUTE)
    assert [at for at, _ in t.paged] == [10, 610, 1210, 1810]
    assert len(t.complaints) == 4


def test_what_somebody_took_is_not_tried_again():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    t.acknowledge()
    t.fast_forward(HOUR)
    assert len(t.pages) == 1


def test_what_somebody_hears_by_another_way_is_not_tried_again():
    t = Scenario(ESCALATED, answers={"slack": dead, "pagerduty": dead})
    t.signal()
    t.fast_forward(MINUTE)
    assert len(t.complaints) == 1
    revived(t, "slack")
    t.hand("ana", by="bo")
    t.fast_forward(HOUR // 2)
    assert (60, "ana", "reassigned") in t.told
    assert 600 not in [at for at, *_ in t.told]


def test_what_no_channel_took_and_is_muted_by_now_is_tried_once_it_is_heard():
    t = Scenario(answers={"slack": dead})
    t.signal()
    t.fast_forward(MINUTE)
    t.silence('agent="refund-agent"', lasts=15 * MINUTE)
    revived(t, "slack")
    t.fast_forward(HOUR)
    assert t.paged[1:] == [(1210, "slack #oncall")]


def test_what_was_answered_at_the_instant_of_its_page_is_not_pursued():
    t = Scenario(ESCALATED, answers={"slack": busy})
    t.signal()
    t.acknowledge()
    t.fast_forward(20 * MINUTE)
    assert {page.time for page in t.pages} == {START}
