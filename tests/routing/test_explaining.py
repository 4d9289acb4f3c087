"""Why a label set leads where it does: each step of the way, what mutes it, who is told when."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from routing.rules.explaining import explain_whole
from routing.rules.walking import walked
from routing.tree import matching
from tests.routing.configs import LEAST, policy
from tests.routing.judge.cases import ALERTS, RECEIVERS, ROOT

NOW = datetime(2026, 3, 30, 7, 59, tzinfo=UTC)
RULES = """
route:
  receiver: triage
  group_wait: 10s
  routes:
  - {receiver: owner, matchers: ['team="pay"', 'env="prod"'], group_wait: 0s, continue: true}
  - receiver: night
    matchers: ['severity=~"warning|info"']
    mute_time_intervals: [nights]
    active_time_intervals: [always]
    routes: [{receiver: digest, matchers: ['tool="shell"']}]
  - {receiver: triage, matchers: ['team="pay"']}
receivers:
- {name: triage, notify: [{slack: '#triage'}]}
- {name: owner, notify: [{escalation: '{{ labels.team }}', fallback: pay}]}
- {name: night, notify: [{slack: '#night'}]}
- {name: digest, notify: [{slack: '#agents', digest: 1h}]}
time_intervals:
- {name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '07:00'}]}]}
- {name: always, time_intervals: [{years: ['2020:2040']}]}
inhibit_rules:
- {source_matchers: ['detector="dependency"'], target_matchers: ['detector="latency"'], equal: [agent]}
silences:
- {name: moved, matchers: ['agent="a"'], end: '2026-03-01T00:00', author: ana}
- {name: known, matchers: ['agent="a"'], end: '2026-12-01T00:00', author: ana}
severity: {base: {latency: 40}, rules: [{matchers: ['env="prod"'], add: 5}]}
agents: [{name: '*', team: pay, consequence: high}]
users: {ana: {slack: U01, pagerduty: 'env:PD'}, bo: {slack: U02}}
teams: {pay: {escalation: pay}}
schedules: {s: {timezone: UTC, layers: [{start: '2026-03-30T08:01', every: 1 week, users: [bo]}]}}
escalations:
  pay:
    steps:
    - {notify: [user: ana], via: [pagerduty, slack], wait: 2m}
    - {notify: [schedule: s], via: [slack], wait: 5m}
    - {notify: [slack: '#all'], wait: 5m}
    repeat: 1
    exhausted: {receiver: night}
"""
LABELS = {"detector": "latency", "agent": "a", "env": "prod"}


def whole(labels=LABELS, firing=(), text=RULES):
    return explain_whole(policy(text), labels, NOW, firing)


def verdicts(tree):
    return [(each.receiver, each.verdict) for each in tree.routes]


def test_each_route_says_whether_it_takes_it_and_what_each_matcher_found():
    tree = whole().tree
    assert tree.verdict == "leads on"
    assert verdicts(tree) == [("owner", "takes it"), ("night", "takes it"), ("triage", "is not asked")]
    assert [(each.matcher, each.found, each.matches) for each in tree.routes[0].conditions] == [
        ('team="pay"', "pay", True),
        ('env="prod"', "prod", True),
    ]
    (digest,) = tree.routes[1].routes
    assert (digest.verdict, digest.conditions[0].found, digest.conditions[0].matches) == (
        "does not match",
        "",
        False,
    )
    assert verdicts(whole(LABELS | {"tool": "shell"}).tree.routes[1]) == [("digest", "takes it")]


@given(ROOT, st.lists(ALERTS, max_size=4))
def test_the_way_through_the_tree_is_the_one_that_routing_takes(tree, alerts):
    route = policy(json.dumps({"route": tree, "receivers": [{"name": each} for each in RECEIVERS]})).route
    for labels in alerts:
        assert taken(walked(route, labels)) == [each.id for each in matching(route, labels)]


def taken(tree):
    return ([tree.id] if tree.verdict == "takes it" else []) + [
        one for each in tree.routes for one in taken(each)
    ]


def test_the_score_says_its_parts():
    answer = whole().answer
    assert {each.why: each.points for each in answer.parts if each.points} == {
        "latency": 40,
        'env="prod"': 5,
        "consequence high": 10,
    }
    assert (answer.score, answer.severity) == (55, "warning")


def test_hours_silences_and_inhibition_say_whether_they_hold():
    found = whole()
    night = found.tree.routes[1].id
    assert found.hours == (
        f"{night}: muted in nights, which does not hold",
        f"{night}: active in always, which holds",
    )
    assert found.silences == ("silence moved: does not hold", "silence known: holds")
    assert found.inhibition == ('rule 1: would be inhibited by detector="dependency", agent=a',)
    found = whole(firing=[{"detector": "dependency", "agent": "a"}])
    assert found.inhibition == ('rule 1: inhibited by detector="dependency", agent=a',)
    assert found.answer.told == ()
    assert whole({"detector": "cost"}).inhibition == ()


def told(found):
    return [((each.at - NOW).total_seconds(), each.to, each.channels, each.step) for each in found.foreseen]


def test_who_is_told_when_and_over_which_channels():
    assert told(whole()) == [
        (0, "ana", ("pagerduty env:PD", "slack U01"), 1),
        (10, "night", ("slack #night",), 0),
        (120, "bo", ("slack U02",), 2),
        (420, "#all", ("slack #all",), 3),
        (1440, "night", ("slack #night",), 0),
    ]
    assert whole().foreseen[-1].note == "after the same 2 times"


def test_a_step_that_reaches_nobody_is_passed_at_once_unless_it_waits():
    text = RULES.replace("user: ana], via: [pagerduty, slack]", "schedule: s], via: [slack]")
    first = whole(text=text).foreseen[0]
    assert (first.to, first.note) == ("", "reaches nobody: the next step at once")
    assert told(whole(text=text))[1] == (0, "", (), 2)
    text = text.replace("    repeat: 1\n", "    repeat: 1\n    nobody_on_call: wait\n")
    assert [each.note for each in whole(text=text).foreseen[:1]] == ["reaches nobody"]
    assert told(whole(text=text))[2] == (120, "bo", ("slack U02",), 2)


def test_the_root_s_receiver_follows_an_escalation_that_says_nothing_else_or_is_not_there():
    text = RULES.replace("    repeat: 1\n    exhausted: {receiver: night}\n", "")
    last = whole(text=text).foreseen[-1]
    assert (last.receiver, last.note) == ("triage", "when nobody answered")
    text = RULES.replace(", fallback: pay", "").replace("'team=\"pay\"', ", "")
    found = whole(LABELS | {"team": "gone"}, text=text)
    assert found.foreseen[0].note == "it names no escalation that there is"


def test_of_the_receiver_for_the_end_only_its_channels_are_told():
    text = RULES.replace("exhausted: {receiver: night}", "exhausted: {receiver: owner}").replace(
        "fallback: pay}]", "fallback: pay}, {slack: '#own'}]"
    )
    assert [each.channels for each in whole(text=text).foreseen[-1:]] == [("slack #own",)]


def test_a_digest_says_how_long_it_gathers():
    found = whole(LABELS | {"tool": "shell"})
    assert [each.note for each in found.foreseen if each.to == "digest"] == ["gathered for 1 h"]


def test_receivers_without_channels_tell_nobody():
    assert whole({"a": "b"}, text=LEAST).foreseen == ()


BEYOND = [
    "other severities count by themselves; edits, notices and the next channel of a page do not count",
    "the last one allowed waits 1 min after the one before, to speak for what comes",
    (
        "what is beyond waits: an edit of the last page says so, where its channel can edit, "
        "and one page tells of all that wait as soon as the limit allows it"
    ),
    "while it waits the escalation stands still if that person answers, else it climbs in its own time",
]


def test_the_limits_that_apply_are_said_with_whose_they_are_and_what_becomes_of_more():
    assert list(whole().limits) == [
        (
            "ana, bo: at most 2 pages of severity warning in any 1 h each, over whatever channel "
            "(pages_per_person)"
        ),
        "slack #night, slack #all: as many as there are (pages_per_channel: unlimited)",
        *BEYOND,
    ]


def test_limits_of_channels_are_said_and_one_page_is_the_last_at_once():
    text = RULES + "limits: {pages_per_person: unlimited, pages_per_channel: 1 per 30m}\n"
    assert list(whole({"team": "pay"}, text=text).limits) == [
        "slack #triage: at most 1 page of severity info in any 30 min (pages_per_channel)",
        BEYOND[0],
        *BEYOND[2:],
    ]
    assert whole(text=text).limits[0] == "ana, bo: as many as there are (pages_per_person: unlimited)"


def test_what_is_critical_is_not_held_back_at_first():
    text = RULES.replace("{latency: 40}", "{silence: 95}")
    assert whole(LABELS | {"detector": "silence"}, text=text).limits[-2:] == (
        "the first page of a critical incident is not held back, unless what was sent before covers it",
        "what is critical climbs on while a page of it waits",
    )


def test_without_limits_nothing_is_said_of_what_is_beyond():
    text = RULES + "limits: {pages_per_person: unlimited}\n"
    assert [line.rpartition("(")[2] for line in whole(text=text).limits] == [
        "pages_per_person: unlimited)",
        "pages_per_channel: unlimited)",
    ]


def test_digests_are_no_pages_and_drills_are_not_counted():
    only = RULES.replace("exhausted: {receiver: night}", "exhausted: {receiver: digest}")
    limits = whole(LABELS | {"tool": "shell"}, text=only).limits
    assert not any("#agents" in line for line in limits)
    assert whole({"a": "b"}, text=LEAST).limits == ()
    assert whole(LABELS | {"drill": "drl-1"}).limits == (
        "pages of a fire drill are neither counted nor held back",
    )
