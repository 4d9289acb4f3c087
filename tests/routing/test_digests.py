"""What a channel hears of now and then."""

from datetime import timedelta

import pytest

from routing.incidents.digests import NEWS_CAP
from routing.router import Router
from tests.routing.configs import faults
from tests.routing.scenario import HOUR, MINUTE, SECOND, Scenario, busy, dead

HOURLY = """
route: {receiver: triage, group_by: [agent], group_wait: 0s, group_interval: 2m, repeat_interval: 4h,
        routes: [{receiver: low, matchers: ['severity=~"info|warning"']}]}
receivers:
- {name: triage, notify: [{slack: '#triage'}]}
- {name: low, notify: [{slack: '#agents', digest: 1h}]}
severity: {base: {error_rate: 40, cost: 20, approvals: 30, silence: 90}}
"""


def told(t):
    """Minutes since nine, and the notice's sentence."""
    return [(t._s(each.time) / 60, each.summary) for each in t.notices]


def fact(t, label):
    return dict(t.notices[-1].facts).get(label, "").splitlines()


def test_what_came_in_an_hour_is_one_notice_at_the_next_full_hour():
    t = Scenario(HOURLY)
    t.fast_forward(20 * MINUTE)
    t.signal("a", agent="a", detector="cost")
    t.fast_forward(10 * MINUTE)
    t.signal("b", agent="b")
    t.fast_forward(HOUR)
    assert t.pages == []
    assert told(t) == [(60, "low, the last 1 h: 2 new, 0 resolved, 2 open")]
    assert fact(t, "New") == ["warning 40: b of b fails (for 30 min)", "info 20: a of a fails (for 40 min)"]
    (notice,) = t.notices
    assert (notice.reason, notice.to, notice.channel.target) == ("digest", "low", "#agents")


def test_nothing_is_sent_where_nothing_happened():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.fast_forward(5 * HOUR)
    assert [at for at, _ in told(t)] == [60]


def test_what_is_over_is_told_beside_what_is_open_still():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.signal("b", agent="b")
    t.fast_forward(90 * MINUTE)
    t.acknowledge(t.incidents[1].id)
    t.recover("a")
    t.fast_forward(HOUR)
    assert told(t)[-1] == (120, "low, the last 1 h: 0 new, 1 resolved, 1 open")
    assert fact(t, "Resolved") == ["warning 40: a of a fails (lasted 1 h 30 min)"]
    assert fact(t, "Still open") == ["warning 40: b of b fails (for 2 h), acknowledged by ana"]


def test_what_began_and_ended_within_the_hour_is_told_once():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.fast_forward(5 * MINUTE)
    t.recover("a")
    t.fast_forward(2 * HOUR)
    assert told(t) == [(60, "low, the last 1 h: 0 new, 1 resolved, 0 open")]


def test_a_channel_that_wants_no_resolutions_hears_of_what_it_has_not_heard_of():
    t = Scenario(HOURLY.replace("digest: 1h", "digest: 1h, send_resolved: false"))
    t.signal("a", agent="a")
    t.signal("b", agent="b")
    t.fast_forward(5 * MINUTE)
    t.recover("a")
    t.fast_forward(HOUR)
    t.recover("b")
    t.fast_forward(HOUR)
    assert told(t) == [(60, "low, the last 1 h: 1 new, 1 resolved, 1 open")]


def test_a_digest_that_is_under_way_leaves_out_ends_where_they_are_not_wanted():
    t = Scenario(HOURLY.replace("digest: 1h", "digest: 1h, send_resolved: false"))
    t.signal("a", agent="a")
    t.fast_forward(HOUR)
    t.signal("b", agent="b")
    t.recover("a")
    t.fast_forward(HOUR)
    assert told(t)[-1] == (120, "low, the last 1 h: 1 new, 0 resolved, 1 open")


def test_what_gets_worse_is_told_as_such():
    rules = HOURLY.replace(""", matchers: ['severity=~"info|warning"']""", """, matchers: ['agent=~".+"']""")
    t = Scenario(rules)
    t.signal("a", agent="a", detector="cost")
    t.fast_forward(HOUR)
    t.signal("worse", agent="a", detector="silence")
    t.fast_forward(HOUR)
    assert fact(t, "Worse") == ["critical 90: worse of a fails (for 2 h)"]
    assert t.pages == []


def test_of_many_the_worst_ten_are_named_and_the_others_counted():
    t = Scenario(HOURLY)
    for number in range(NEWS_CAP + 5):
        t.signal(f"s{number}", agent=f"a{number}")
    t.fast_forward(HOUR)
    assert fact(t, "New")[-1] == f"and {NEWS_CAP - 10} more"
    assert len(fact(t, "Still open")) == 5
    assert fact(t, "More") == ["5 changes more: see oversight incidents"]


def test_a_repetition_is_no_news():
    t = Scenario(HOURLY.replace("repeat_interval: 4h", "repeat_interval: 10m"))
    t.signal("a", agent="a")
    t.fast_forward(3 * HOUR)
    assert len(t.notices) == 1


def test_a_snooze_that_is_over_is_no_page_either():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.snooze(10 * MINUTE)
    t.fast_forward(2 * HOUR)
    assert (t.pages, len(t.notices)) == ([], 1)


def test_a_digest_is_no_channel_for_what_nobody_answered():
    rules = HOURLY.replace("receiver: triage, group_by", "receiver: low, group_by").replace(
        "receiver: low, matchers", "receiver: triage, matchers"
    )
    t = Scenario(rules, answers={"#triage": dead})
    t.signal("a", agent="a")
    t.fast_forward(MINUTE)
    assert t.complaints == [f"incident {t.incident.id}: no channel is left to page"]


def test_a_digest_that_does_not_get_through_is_tried_again():
    t = Scenario(HOURLY, answers={"#agents": busy})
    t.signal("a", agent="a")
    t.fast_forward(HOUR)
    t.answers = {}
    t.fast_forward(2 * MINUTE)
    assert [each.attempt for each in t.notices] == [1, 2]


def other(t):
    """Minutes, who, over what, of each notice."""
    return [(t._s(each.time) / 60, each.to, each.channel.target) for each in t.notices if each.attempt == 1]


def test_a_digest_that_its_channel_refuses_goes_to_the_root_and_says_what_became_of_it():
    t = Scenario(HOURLY, answers={"#agents": dead})
    t.signal("a", agent="a")
    t.fast_forward(2 * HOUR)
    assert other(t) == [(60, "low", "#agents"), (60, "triage", "#triage")]
    assert told(t)[0] == told(t)[1]
    assert fact(t, "Instead of") == ["slack #agents, which did not take it: channel_not_found"]
    assert fact(t, "New") == ["warning 40: a of a fails (for 1 h)"]
    assert t.complaints == ["digest low: a notice did not reach slack #agents: channel_not_found"]
    assert t.pages == []


def test_a_digest_that_is_given_up_after_four_attempts_goes_to_the_receivers_next_channel_that_is_not_dead():
    rest = "{slack: '#agents', digest: 1h}, {pagerduty: 'env:PD'}, {slack: '#dead'}, {slack: '#next'}"
    dying = {"#agents": busy, "#dead": dead}
    t = Scenario(HOURLY.replace("{slack: '#agents', digest: 1h}", rest), answers=dying)
    t.signal("a", agent="a")
    t.fast_forward(65 * MINUTE)
    t.restart()
    t.fast_forward(10 * MINUTE)
    assert other(t) == [(60, "low", "#agents"), (66, "low", "#dead"), (66, "low", "#next")]
    assert [each.attempt for each in t.notices] == [1, 2, 3, 4, 1, 1]
    assert len({each.id for each in t.notices}) == 3


def test_of_two_digests_of_a_receiver_that_are_refused_one_is_passed_on():
    rest = "{slack: '#agents', digest: 1h}, {slack: '#too', digest: 1h}"
    refusing = {"#agents": dead, "#too": dead}
    t = Scenario(HOURLY.replace("{slack: '#agents', digest: 1h}", rest), answers=refusing)
    t.signal("a", agent="a")
    t.fast_forward(HOUR)
    assert [who for _, _, who in other(t)] == ["#agents", "#too", "#triage"]
    assert len(t.complaints) == 2


def test_where_nothing_is_left_a_digest_is_told_to_who_owns_the_rules_alone():
    t = Scenario(HOURLY, answers={"#agents": dead, "#triage": dead})
    t.signal("a", agent="a")
    t.fast_forward(3 * HOUR)
    assert len(t.notices) == len(t.complaints) == 2


def test_what_was_gathered_is_told_when_the_rules_want_no_digest_any_more():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.fast_forward(10 * MINUTE)
    t.configure(HOURLY.replace(", digest: 1h", ""))
    assert [at for at, _ in told(t)] == [10]
    assert t.pages == []
    t.recover("a")
    t.fast_forward(2 * HOUR)
    assert len(t.notices) == 1


def test_a_digest_that_the_rules_keep_is_told_in_its_time():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.configure(HOURLY + "# and changed")
    t.fast_forward(2 * HOUR)
    assert [at for at, _ in told(t)] == [60]


@pytest.mark.parametrize("every", [None, timedelta(seconds=50), timedelta(hours=7)])
def test_digests_come_at_their_own_time_whenever_the_router_wakes_and_survive_restarts(every):
    t = Scenario(HOURLY, every=every)
    t.signal("a", agent="a")
    t.fast_forward(SECOND)
    t.restart()
    t.fast_forward(14 * HOUR)
    assert [at for at, _ in told(t)][:1] == [60]
    t.recover("a")
    t.restart()
    t.fast_forward(14 * HOUR)
    assert told(t)[-1][1] == "low, the last 1 h: 0 new, 1 resolved, 0 open"
    assert isinstance(t.router, Router)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (
            "{pagerduty: 'env:PD', digest: 1h}",
            "64: pagerduty wakes people, and a digest does not: expected one of apprise, email,",
        ),
        ("{slack: '#x', digest: 30s}", "56: expected a period from 1m to 7d, such as 1h"),
        ("{slack: '#x', digest: 8d}", "56: expected a period from 1m to 7d, such as 1h"),
        (
            "{escalation: e, digest: 1h}",
            "34: a digest pages nobody: expected it beside a channel, such as {slack: '#x', digest: 1h}",
        ),
    ],
)
def test_a_digest_that_cannot_be_is_told_at_its_place(entry, fault):
    found = faults(f"receivers: [{{name: low, notify: [{entry}]}}]\nroute: {{receiver: low}}\n")
    assert any(each.startswith(f"1:{fault}") for each in found), found


def test_a_drill_is_told_at_once_and_is_no_news():
    t = Scenario(HOURLY)
    t.signal("a", agent="a", detector="cost", drill="cost/spike:tuesday")
    t.fast_forward(2 * HOUR)
    assert t.notices == []


def test_the_end_of_what_another_receiver_has_by_now_is_told_where_its_beginning_was():
    t = Scenario(HOURLY)
    t.signal("a", agent="a")
    t.fast_forward(HOUR + MINUTE)
    t.configure(HOURLY.replace("severity=~", "detector=\"cost\"', 'severity=~"))
    t.fast_forward(MINUTE)
    assert t.incident.receiver == "triage"
    t.recover("a")
    t.fast_forward(HOUR)
    assert t.complaints == []
    assert told(t)[1:] == [(120, "low, the last 1 h: 0 new, 1 resolved, 0 open")]


@pytest.mark.parametrize(("order", "column"), [(1, 71), (-1, 51)])
def test_a_channel_is_told_at_once_or_by_a_digest(order, column):
    both = ["{slack: '#agents'}", "{slack: '#agents', digest: 1h}"][::order]
    found = faults(HOURLY.replace("{slack: '#agents', digest: 1h}", ", ".join(both)))
    expected = "low tells slack #agents at once too: expected one of the two"
    assert found == [f"6:{column}: {expected}"]
