"""What a good configuration becomes."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from routing.configuration import examine
from routing.matchers import Matcher
from routing.policy import ChannelTarget, EscalationTarget, InhibitRule, Limit, Limits, Party
from routing.rules.intervals import MinuteRange, Range
from routing.schedule import Handoff, Override
from schemas.page import Channel
from tests.routing.configs import LEAST, example, faults, policy

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

ALERTMANAGERS_OWN = """
global:
  smtp_smarthost: 'localhost:25'
  smtp_from: 'alertmanager@example.org'
  resolve_timeout: 5m
templates: ['/etc/alertmanager/template/*.tmpl']
route:
  group_by: ['alertname', 'cluster', 'service']
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 3h
  receiver: team-X-mails
  routes:
  - matchers:
    - service=~"foo1|foo2|baz"
    receiver: team-X-mails
    routes:
    - matchers: [severity="critical"]
      receiver: team-X-pager
  - match: {service: files}
    match_re: {owner: team-.*}
    receiver: team-X-mails
    active_time_intervals: [office]
inhibit_rules:
- source_match: {severity: critical}
  target_match_re: {severity: warning|info}
  equal: ['alertname']
mute_time_intervals:
- name: office
  time_intervals:
  - weekdays: ['monday:friday']
    times: [{start_time: 09:00, end_time: 17:00}]
    days_of_month: ['1:-1']
    months: [january]
    years: ['2026']
receivers:
- name: team-X-mails
  email_configs:
  - {to: 'team-X+alerts@example.org', send_resolved: yes}
- name: team-X-pager
  pagerduty_configs:
  - service_key: <team-X-key>
"""


def test_a_file_that_is_nothing_but_alertmanagers_is_a_configuration():
    found = policy(ALERTMANAGERS_OWN)
    assert found.route.receiver == "team-X-mails"
    assert found.resolve_timeout == 5 * MINUTE
    assert found.receivers["team-X-pager"].integrations == ("pagerduty_configs",)
    assert found.receivers["team-X-pager"].notify == ()
    assert found.route.routes[1].matchers == (
        Matcher("service", "=", "files"),
        Matcher("owner", "=~", "team-.*"),
    )
    assert found.inhibit_rules == (
        InhibitRule(
            source=(Matcher("severity", "=", "critical"),),
            target=(Matcher("severity", "=~", "warning|info"),),
            equal=("alertname",),
        ),
    )
    (span,) = found.time_intervals["office"].spans
    assert (span.weekdays, span.times, span.location) == ((Range(1, 5),), (MinuteRange(540, 1020),), "UTC")
    assert (span.days_of_month, span.months, span.years) == (
        (Range(1, -1),),
        (Range(1, 1),),
        (Range(2026, 2026),),
    )


def test_the_least_configuration_has_working_defaults():
    found = policy(LEAST)
    assert (found.route.group_wait, found.route.group_interval) == (30 * timedelta(seconds=1), 5 * MINUTE)
    assert (found.route.repeat_interval, found.resolve_timeout) == (4 * HOUR, 15 * MINUTE)
    assert found.severity.base["isolation"] == 90
    assert found.severity.base["input_shift/injection"] == 65
    assert [(each.long, each.short, each.factor, each.score) for each in found.severity.burn_rate] == [
        ("1h", "5m", 14.4, 90),
        ("6h", "30m", 6.0, 70),
        ("3d", "6h", 1.0, 40),
    ]
    assert found.severity.bands == {"critical": 85, "error": 65, "warning": 35, "info": 0}
    assert found.agents == ()


def test_the_severity_table_overrides_defaults_entry_by_entry():
    found = policy(
        LEAST
        + "severity: {base: {cost: 50}, consequence: {high: 12}, bands: {critical: 90}, burn_rate: []}\n"
    )
    table = found.severity
    assert (table.base["cost"], table.base["silence"]) == (50, 80)
    assert (table.consequence["high"], table.consequence["low"]) == (12, -10)
    assert (table.bands["critical"], table.bands["error"]) == (90, 65)
    assert table.burn_rate == ()


def test_every_section_of_the_complete_example_arrives():
    found = examine(example("complete"))
    assert found.faults == ()
    assert found.warnings == ()
    made = found.policy
    assert made.receivers["page-owner"].notify == (
        EscalationTarget(escalation="{{ labels.team }}", fallback="platform"),
    )
    assert made.receivers["payments-security"].notify == (
        ChannelTarget(channel=Channel(kind="slack", target="#pay-sec"), template="security"),
        ChannelTarget(
            channel=Channel(kind="webhook", target="env:PAY_HOOK", options={"secret": "env:PAY_HOOK_SECRET"})
        ),
    )
    assert made.receivers["digest"].notify[0].digest == HOUR
    assert [each.name for each in made.agents] == ["refund-*", "*"]
    refund = made.agents[0]
    assert (refund.slo, refund.budget_usd, refund.reference) == (
        {"sessions": 0.99, "tools": 0.9},
        500.0,
        2000,
    )
    assert made.detectors == {"cost": {"enabled": True}, "input_shift": {"arl": "30d"}}
    assert made.prices == {"my-finetune": {"input": 0.4, "output": 1.6}}
    assert made.redact == (r"\bACME-\d{6}\b",)
    assert [(each.action, each.valid, each.automatic) for each in made.advice] == [
        ("open_circuit", 2 * MINUTE, True),
        ("roll_back", None, False),
        ("defer", HOUR, False),
    ]
    assert made.limits == Limits(person=Limit(count=2, per=HOUR), channel=None)
    (drill,) = made.drills
    assert (drill.name, drill.scenario, drill.agent) == ("provider-down", "dependency/outage", "refund-agent")
    assert (drill.minute, drill.weekday, drill.location) == (600, 2, "Europe/London")
    (silence,) = made.silences
    assert (silence.name, silence.author, silence.comment) == ("monthly-load-test", "ana", "load test")
    assert "payments" in made.raw["teams"]


def test_people_schedules_and_escalations_of_the_complete_example():
    made = examine(example("complete")).policy
    assert made.users["chi"].timezone == "Asia/Singapore"
    assert made.users["chi"].contacts["pagerduty"] == "env:PD_CHI"
    climb = made.escalations["payments"]
    assert (climb.repeat, climb.ack_timeout, climb.exhausted, climb.skip_empty) == (
        2,
        30 * MINUTE,
        "triage",
        True,
    )
    assert climb.steps[1].parties == (Party(kind="user", name="ana"), Party(kind="user", name="bo"))
    rota = made.schedules["payments"]
    assert rota.handoff == Handoff(HOUR, (("slack", "#pay-sec"),))
    assert [window.skips for layer in rota.layers for window in layer.only] == ["GB"]
    assert rota.overrides == (
        Override("bo", datetime(2026, 12, 24, 9, tzinfo=UTC), datetime(2026, 12, 27, 9, tzinfo=UTC)),
    )
    assert rota.on_call(datetime(2026, 3, 30, 7, 59, tzinfo=UTC)) == ("chi",)
    assert made.schedules["platform"].calendar == "env:PLATFORM_ICS"


def test_the_variables_it_refers_to_are_listed_with_their_places():
    found = examine(example("complete"))
    assert sorted({each.name for each in found.variables}) == [
        "PAY_HOOK", "PAY_HOOK_SECRET", "PD_ANA", "PD_BO", "PD_CHI", "PD_DEV", "PLATFORM_ICS",
    ]  # fmt: skip
    place = next(each.place for each in found.variables if each.name == "PD_ANA")
    assert place.file == "complete/oversight.yml"


def test_steps_take_channels_and_waits_and_everybody_has_a_terminal():
    found = policy(
        LEAST
        + "users: {ana: {}}\n"
        + "escalations:\n  e:\n    nobody_on_call: wait\n    steps:\n"
        + "    - {notify: [slack: '#x'], wait: 0s}\n    - {notify: [user: ana], via: [terminal]}\n"
        + "teams: {e: {}}\n"
    )
    first, second = found.escalations["e"].steps
    assert first.parties == (Party(kind="channel", name="#x", channel=Channel(kind="slack", target="#x")),)
    assert (first.wait, second.wait) == (timedelta(0), 5 * MINUTE)
    assert found.users["ana"].contacts == {"terminal": "ana"}
    assert (found.escalations["e"].skip_empty, found.escalations["e"].exhausted) == (False, "")
    assert found.teams["e"].escalation == "e"


def test_layers_without_a_name_are_numbered():
    found = policy(
        LEAST
        + "users: {a: {}}\n"
        + "schedules: {s: {timezone: UTC, layers: [{start: '2026-01-01T00:00', every: day, users: [a]}]}}\n"
    )
    assert found.schedules["s"].layers[0].name == "layer 1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("true", True), ("False", False), ("3", 3), ("-2.5", -2.5), ("1e3", 1000.0), ("30d", "30d"),
     ("[1, x]", [1, "x"]), ("{a: 1}", {"a": 1}), ("~", None), ("22:00", "22:00")],
)  # fmt: skip
def test_options_of_detectors_are_numbers_and_truth_values_where_yaml_says_so(written, meant):
    assert (
        policy(LEAST + f"detectors: {{cost: {{option: {written}}}}}\n").detectors["cost"]["option"] == meant
    )


def test_fields_without_a_value_count_as_absent():
    found = policy(
        "route:\n  receiver: a\n  routes:\n  group_by:\nreceivers:\n- name: a\n  notify:\nusers:\nteams: {}\n"
    )
    assert found.route.routes == ()


def test_an_agent_without_words_has_defaults():
    (found,) = policy(LEAST + "agents: [{name: x, reference: 50}]\n").agents
    assert (found.consequence, found.budget_usd, found.budget_period, found.reference) == (
        "moderate",
        None,
        "day",
        50,
    )


def test_a_configuration_of_five_hundred_routes_loads_within_a_moment():
    routes = "".join(
        f"  - {{receiver: r{n}, matchers: [team=t{n}, 'severity=~\"critical|error\"'], group_by: [agent]}}\n"
        for n in range(500)
    )
    receivers = "".join(f"- {{name: r{n}, notify: [{{slack: '#c{n}'}}]}}\n" for n in range(500))
    text = f"route:\n  receiver: r0\n  routes:\n{routes}receivers:\n{receivers}"
    before = time.process_time()
    assert len(policy(text).route.routes) == 500
    assert time.process_time() - before < 3  # 0.4 s; coverage triples it


def test_the_same_text_gives_the_same_policy():
    assert str(policy(ALERTMANAGERS_OWN)) == str(policy(ALERTMANAGERS_OWN))


def test_a_dear_session_alone_is_a_warning_at_the_most_by_default():
    table = policy(LEAST).severity
    assert (table.base["cost/session"], table.base["cost"]) == (20, 30)
    assert (table.base["cost/budget"], table.base["cost/over_budget"]) == (40, 65)
    assert (table.base["silence"], table.base["silence/intake_down"]) == (80, 85)


def test_what_is_slower_has_less_than_what_costs_more_by_default():
    assert policy(LEAST).severity.base["latency"] == 25


def test_of_files_of_which_one_cannot_be_read_names_that_it_may_have_are_not_missed():
    whole = LEAST.replace("receiver: a", "receiver: absent")
    assert faults(LEAST.replace("receiver: a", "receiver: absent"))[0].endswith(
        'no receiver "absent": expected a'
    )
    (told,) = faults(whole, "\tx")
    assert told.startswith("2.yml:1:1: ")
