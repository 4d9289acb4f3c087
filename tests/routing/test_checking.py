"""What `check` and `route` say of a configuration that holds."""

from datetime import UTC, datetime

import pytest

from routing.checking import check, explain
from routing.configuration import load
from tests.routing.configs import LEAST, example, files, policy

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROTA = LEAST + "users: {u: {slack: U1}}\nschedules: {s: {timezone: UTC, gaps: error, layers: [%s]}}\n"
DAYTIME = (
    "{start: '2026-01-01T00:00', every: day, users: [u], "
    "only: [{days: 'mon:fri', from: '09:00', to: '17:00'}]}"
)


@pytest.mark.parametrize("name", ["minimal.yml", "retail", "complete"])
def test_every_example_passes_its_own_tests(name):
    report = check(example(name), NOW)
    assert report.failed == ()
    absent = "calendar env:PLATFORM_ICS is not at hand: nobody is on call by it"
    assert [each.message for each in report.warnings] == [absent] * (name == "complete")


def test_what_is_not_acted_on_yet_is_named():
    assert check(example("complete")).not_yet == ()
    text = "route: {receiver: a}\ntemplates: [x]\ntracing: {}\n"
    text += "receivers: [{name: a, notify: [{terminal: x}], email_configs: [], slack_configs: [{}]}]\n"
    assert [str(each) for each in check(files(text)).not_yet] == [
        "1.yml:2:1: templates: kept for projection",
        "1.yml:4:67: slack_configs of receiver a: kept for projection",
    ]
    assert check(files(LEAST + "limits: {}\nsilences: []\n")).not_yet == ()


@pytest.mark.parametrize(
    ("receivers", "expected"),
    [
        ("{name: a, email_configs: [{to: x}]}", '2:23: receiver "a" tells nobody: email_configs is'),
        (
            "{name: a}, {name: b, pagerduty_configs: [{}], slack_configs: [{}]}",
            '2:34: receiver "b" tells nobody: pagerduty_configs and slack_configs are',
        ),
        ("{name: a}, {name: b, email_configs: []}", ""),
        ("{name: a, notify: [{terminal: x}], slack_configs: [{}]}", ""),
    ],
)
def test_a_receiver_that_tells_nobody_is_a_warning(receivers, expected):
    b = ", {name: b}" * ("name: b" not in receivers)
    found = check(files(f"route: {{receiver: a, routes: [{{receiver: b}}]}}\nreceivers: [{receivers}{b}]\n"))
    said = "only kept for projection; expected notify, such as notify: [{slack: '#oncall'}]"
    assert [str(each) for each in found.warnings] == [f"1.yml:{expected} {said}"] * bool(expected)


def test_a_silence_that_is_over_is_a_warning():
    text = LEAST + (
        "silences:\n"
        "- {name: past, matchers: [env=x], start: 2026-11-01T00:00, end: '2026-11-22T00:00', location: UTC}\n"
        "- {name: present, matchers: [env=x], end: '2026-11-22T01:00'}\n"
        "- {name: weekly, matchers: [env=x], every: {weekday: monday}, end: '2026-11-01T12:00+02:00'}\n"
    )
    assert [str(each) for each in check(files(text), NOW).warnings] == [
        '1.yml:4:65: silence "past" ended at 2026-11-22T00:00Z: it mutes nothing any more',
        '1.yml:6:68: silence "weekly" ended at 2026-11-01T10:00Z: it mutes nothing any more',
    ]


def test_what_older_alertmanagers_refuse_is_a_warning():
    text = (
        "route:\n  receiver: a\n  group_by: [agent, 'x y']\n  routes:\n"
        "  - {receiver: a, group_by: ['...'], matchers: ['{\"größe\"=\"x\"}', 'ok=~\"é\"', größe=x]}\n"
        "receivers: [{name: a}]\n"
        "inhibit_rules: [{source_match: {größe: x}, target_matchers: [a=b], equal: [env, größe]}]\n"
    )
    since = "from Alertmanager 0.27 on: older ones refuse what project prints"
    assert [str(each) for each in check(files(text)).warnings] == [
        f'1.yml:3:21: "x y" is the name of a label {since}',
        f'1.yml:5:49: \'{{"größe"="x"}}\' is a matcher {since}',
        f"1.yml:5:77: 'größe=x' is a matcher {since}",
        f'1.yml:7:33: "größe" is the name of a label {since}',
        f'1.yml:7:81: "größe" is the name of a label {since}',
    ]


def test_a_receiver_that_nothing_leads_to_is_not_told_twice():
    text = LEAST.replace("a}]", "a}, {name: b, email_configs: [{to: x}]}]")
    assert [each.message for each in check(files(text)).warnings] == ['nothing leads to receiver "b"']


def test_faults_are_reported_and_nothing_else_is_run():
    report = check(files("route: {}\n"), NOW)
    assert [str(each) for each in report.failed] == [
        '1.yml:1:8: missing field "receiver": the root route needs one'
    ]
    assert (report.tests, report.policy) == ((), None)


def test_a_test_that_does_not_hold_is_told_at_its_place_with_what_was_found():
    text = LEAST + (
        "tests:\n- {at: 2026-01-01T00:00Z, labels: {detector: isolation}, expect: {severity: info}}\n"
        "- name: nobody\n  at: 2026-01-01T00:00Z\n  labels: {}\n  expect: {receivers: [], on_call: [x]}\n"
    )
    report = check(files(text))
    assert [str(each) for each in report.failed] == [
        "1.yml:4:3: test 1: expected severity info, found critical (score 90)",
        "1.yml:5:3: nobody: expected receivers nobody, found a",
        "1.yml:5:3: nobody: expected on_call x, found nobody",
    ]


def test_matchers_that_only_the_classic_grammar_reads_are_a_warning():
    text = "route: {receiver: a, routes: [{matchers: ['a=', 'b=c']}]}\nreceivers: [{name: a}]\n"
    (found,) = check(files(text)).warnings
    assert str(found).startswith("1.yml:1:43: 'a=' parses in the classic grammar only")


def test_faulty_matchers_are_no_warning():
    text = "route: {receiver: a, routes: [{matchers: ['a', [b]]}, {matchers: 'c'}]}\nreceivers: [{name: a}]\n"
    report = check(files(text))
    assert report.warnings == ()
    assert len(report.faults) == 3


def test_an_uncovered_time_in_the_next_90_days_is_a_fault_where_the_schedule_minds():
    report = check(files(ROTA % DAYTIME), NOW)
    assert str(report.failed[0]) == (
        '1.yml:4:38: schedule "s": nobody is on call from Sun 2026-11-22 00:00 to Mon 2026-11-23 09:00 UTC, '
        "1 d 9 h (first 3 of 66 gaps in 90 days)"
    )
    assert len(report.failed) == 3
    assert check(files(ROTA % DAYTIME)).failed == ()


def test_an_uncovered_time_may_be_a_warning_or_nothing():
    warned = check(files((ROTA % DAYTIME).replace("gaps: error", "gaps: warn")), NOW)
    assert (len(warned.failed), len(warned.warnings)) == (0, 3)
    ignored = check(files((ROTA % DAYTIME).replace("gaps: error, ", "")), NOW)
    assert (ignored.failed, ignored.warnings) == ((), ())


def test_times_are_told_on_the_schedules_wall_clock_and_in_utc():
    text = (ROTA % DAYTIME).replace("UTC", "America/New_York").replace("mon:fri", "mon:sun")
    found = check(files(text), datetime(2026, 3, 7, 14, tzinfo=UTC)).failed
    assert str(found[0]).startswith(
        '1.yml:4:51: schedule "s": nobody is on call from Sat 2026-03-07 17:00 to Sun 2026-03-08 09:00 '
        "America/New_York (2026-03-07T22:00Z to 2026-03-08T13:00Z), 15 h "
    )


TWO = LEAST + (
    "users: {u: {slack: U1}, v: {slack: U2}, w: {}}\n"
    "schedules:\n"
    "  s:\n"
    "    timezone: UTC\n"
    "    layers: [{start: '2026-01-01T00:00', every: day, users: [u]}]\n"
    "    overrides:\n"
    "    - {user: u, start: '2026-12-01T00:00', end: '2026-12-03T00:00'}\n"
    "    - {user: v, start: '2026-12-02T00:00', end: '2026-12-05T00:00'}\n"
    "    - {user: v, start: '2026-12-04T00:00', end: '2026-12-05T00:00'}\n"
    "    swaps:\n"
    "    - {users: [u, v], start: '2026-11-01T00:00', end: '2026-12-05T00:00'}\n"
    "    - {users: [v, w], start: '2026-11-01T00:00', end: '2026-11-05T00:00'}\n"
    "    - {users: [v, w], start: '2026-12-01T00:00', end: '2026-12-05T00:00'}\n"
)


def test_two_where_one_is_meant_are_told_as_the_schedule_minds():
    hidden = (
        '1.yml:10:7: schedule "s": the override of v hides that of u '
        "from Wed 2026-12-02 00:00 to Thu 2026-12-03 00:00 UTC, 1 d"
    )
    idle = '1.yml:15:7: schedule "s": the swap of v and w changes nothing: neither is on call then'
    assert [str(each) for each in check(files(TWO), NOW).warnings] == [idle, hidden]
    minding = TWO.replace("UTC\n", "UTC\n    overlaps: error\n")
    assert len(check(files(minding), NOW).failed) == 1
    assert len(check(files(minding.replace("error", "ignore")), NOW).warnings) == 1


def test_a_layer_that_has_not_begun_is_a_warning():
    report = check(files(ROTA % "{name: x, start: '2026-12-01T00:00', every: day, users: [u]}"), NOW)
    assert [str(each) for each in report.warnings] == [
        '1.yml:4:71: schedule "s": layer x starts only at Tue 2026-12-01 00:00 UTC'
    ]
    (found,) = report.failed
    assert str(found) == (
        '1.yml:4:38: schedule "s": nobody is on call '
        "from Sun 2026-11-22 00:00 to Tue 2026-12-01 00:00 UTC, 9 d"
    )


def test_the_answer_says_who_and_why():
    labels = {
        "agent": "refund-1",
        "detector": "input_shift",
        "finding": "injection",
        "env": "prod",
        "empty": "",
    }
    found = explain(load(example("complete")), labels, datetime(2026, 3, 30, 7, 59, tzinfo=UTC))
    assert found.receivers == ("page-owner", "payments-security")
    assert found.on_call == ("chi",)
    assert (found.severity, found.score) == ("critical", 90)
    assert found.labels["team"] == "payments"
    assert "empty" not in found.labels
    assert found.routes[0] == '{}/{severity=~"critical|error"}'
    assert found.why[:3] == ("+65 input_shift/injection", '+15 env="prod"', "+10 consequence high")
    assert found.why[-1].endswith("takes it: receiver payments-security")


def test_labels_that_are_no_finding_are_routed_as_they_are():
    made = policy(
        "route: {receiver: a, routes: [{receiver: b, matchers: [severity=critical]},\n"
        "  {receiver: c, matchers: ['severity=\"\"']}]}\n"
        "receivers: [{name: a}, {name: b}, {name: c}]\n"
    )
    assert explain(made, {"alertname": "x"}, NOW).receivers == ("c",)
    assert explain(made, {"severity": "critical"}, NOW).receivers == ("b",)
    assert explain(made, {"severity": "page"}, NOW).receivers == ("a",)
    assert explain(made, {"severity": "critical"}, NOW).severity == "critical"
    assert explain(made, {"severity": "page"}, NOW).severity == "info"


@pytest.mark.parametrize(("confidence", "score"), [("0.3", 76), ("", 90), ("high", 90), ("7", 90)])
def test_the_confidence_among_the_labels_counts(confidence, score):
    found = explain(policy(LEAST), {"detector": "isolation", "confidence": confidence}, NOW)
    assert found.score == score


def test_without_a_team_the_receivers_escalation_is_asked():
    text = (
        "route: {receiver: a}\n"
        "receivers: [{name: a, notify: [{slack: x}, {escalation: '{{ labels.owner }}', fallback: e}]}]\n"
        "users: {u: {slack: U1}}\nteams: {e: {}}\n"
        "escalations: {e: {steps: [{notify: [user: u], via: [slack]}]}}\n"
    )
    assert explain(policy(text), {"detector": "cost"}, NOW).on_call == ("u",)
    assert explain(policy(text.replace(", fallback: e", "")), {"detector": "cost"}, NOW).on_call == ()
    assert explain(policy(text), {"detector": "cost", "team": "e"}, NOW).on_call == ("u",)
