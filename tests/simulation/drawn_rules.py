"""Configurations drawn by number: routes, receivers, schedules, escalations, inhibition, hours, silences."""

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from random import Random

from routing.configuration import load
from routing.policy import Policy
from schemas.cause import ConfigFile

BAD = -1
"""The number of a configuration that nobody can follow."""
DIGESTED = 100
"""From this number on the logbook is a digest, and all else as without it."""
PERIOD = timedelta(minutes=10)
"""Of the digest."""
USERS = ("ana", "bo", "chi")
TEAMS = ("payments", "platform")
TARGETS = ("#triage", "#log", "env:HOOK", "U01", "U02", "U03", "env:PD_ANA", "env:PD_BO")
"""What channels are called. The root's, `#triage`, is never dead for good."""

TEXT = """
global: {{resolve_timeout: 10m}}
route:
  receiver: triage
  group_by: {group_by}
  group_wait: {group_wait}
  group_interval: {group_interval}
  repeat_interval: {repeat}
  routes: [{routes}]
receivers:
- {{name: triage, notify: [{{slack: '#triage'}}]}}
- {{name: logbook, notify: [{logbook}]}}
- {{name: people, notify: [{{escalation: '{{{{ labels.team }}}}', fallback: platform}}{beside}]}}
inhibit_rules: [{inhibit}]
time_intervals:
- {{name: lunch, time_intervals: [{{times: [{{start_time: '{lunch}', end_time: '10:35'}}]}}]}}
silences: [{silences}]
agents: [{{name: 'a-[01]', team: payments, consequence: high}}, {{name: '*', team: platform}}]
severity:
  base: {{error_rate: 70, cost: 30, latency: 50, silence: 85, dependency: 75}}
  rules: [{{matchers: ['confidence=~"0[.][0-4].*"'], add: -20}}]
decisions:
- {{matchers: ['detector="dependency"'], do: open_circuit, for: 2m, automatic: true}}
- {{matchers: ['detector="cost"'], do: defer, for: 10m, automatic: false}}
users:
  ana: {{slack: U01, pagerduty: 'env:PD_ANA'}}
  bo: {{slack: U02, pagerduty: 'env:PD_BO'}}
  chi: {{slack: U03}}
teams: {{payments: {{escalation: payments}}, platform: {{escalation: platform}}}}
schedules:
  payments:
    timezone: UTC
    layers: [{{name: base, start: '2026-01-05T09:00', every: {every}, users: [{rota}]}}]
escalations:
  payments:
    steps:
    - {{notify: [schedule: payments], via: [slack, pagerduty], wait: {wait}}}
    - {{notify: [user: bo, user: chi], via: [pagerduty, slack], wait: 4m}}
    repeat: {rounds}
    {lapses}
    exhausted: {{receiver: {exhausted}}}
  platform: {{steps: [{{notify: [user: {first}], via: [slack], wait: 3m}}]}}
"""
LOGBOOK = r"(name: logbook, notify: \[).*(\]\})"
ROUTES = (
    "{receiver: people, matchers: ['agent=~\".+\"']}",
    "{receiver: people, matchers: ['agent=~\".+\"'], continue: true}, {receiver: logbook}",
    (
        "{receiver: people, matchers: ['severity=~\"critical|error\"'], group_wait: 0s, continue: true}, "
        "{receiver: logbook, matchers: ['env=\"prod\"'], mute_time_intervals: [lunch]}"
    ),
    (
        "{receiver: people, matchers: ['env=\"prod\"'], group_by: [agent, detector]}, "
        "{receiver: logbook, matchers: ['agent!=\"a-3\"'], active_time_intervals: [lunch]}"
    ),
    "{receiver: logbook, matchers: ['detector=\"cost\"']}, {receiver: people, mute_time_intervals: [lunch]}",
)
INHIBIT = (
    "",
    "{source_matchers: ['detector=\"dependency\"'], target_matchers: ['detector=~\"error_rate|latency\"']}",
    (
        "{source_matchers: ['detector=\"dependency\"'], target_matchers: ['detector!=\"silence\"'], "
        "equal: [agent, env]}"
    ),
    (
        "{source_matchers: ['severity=\"critical\"'], target_matchers: ['severity=~\"warning|info\"'], "
        "equal: [agent]}"
    ),
)
SILENCES = (
    "",
    (
        "{name: test, matchers: ['env=\"test\"'], start: '2026-01-05T09:20', end: '2026-01-05T10:50', "
        "author: ana}"
    ),
    (
        "{name: costs, matchers: ['detector=\"cost\"'], "
        "every: {times: [{start_time: '09:30', end_time: '10:10'}"
        "]}, author: bo}"
    ),
)


@cache
def files(number: int) -> tuple[ConfigFile, ...]:
    """The configuration of a number."""
    if number == BAD:
        return (ConfigFile("rules.yaml", "route: {receiver: nobody}\n"),)
    any_of = Random(f"rules {number % DIGESTED}").choice
    text = TEXT.format(
        group_by=any_of(("[agent]", "[agent, detector]", "['...']", "[]", "[env]")),
        group_wait=any_of(("0s", "10s", "40s")),
        group_interval=any_of(("1m", "2m", "5m")),
        repeat=any_of(("20m", "1h", "4h")),
        routes=any_of(ROUTES),
        logbook=any_of(
            (
                "{slack: '#log'}",
                "{slack: '#log'}, {webhook: 'env:HOOK', send_resolved: false}",
                "{webhook: 'env:HOOK'}",
            )
        ),
        beside=any_of(("", ", {slack: '#log'}")),
        inhibit=any_of(INHIBIT),
        lunch=any_of(("09:20", "09:50", "10:20")),
        silences=any_of(SILENCES),
        every=any_of(("1 hour", "1 week")),
        rota=any_of(("ana, bo, chi", "chi, ana", "bo")),
        wait=any_of(("1m", "5m")),
        rounds=any_of((0, 1)),
        lapses=any_of(("", "ack_timeout: 8m", "ack_timeout: 20m")),
        exhausted=any_of(("triage", "logbook")),
        first=any_of(USERS),
    )
    if number >= DIGESTED:
        text = re.sub(LOGBOOK, r"\1{slack: '#digest', digest: 10m}\2", text)
        text = text.replace("exhausted: {receiver: logbook}", "exhausted: {receiver: triage}")
    return (ConfigFile("rules.yaml", text),)


_read = cache(load)


def read(some: Sequence[ConfigFile]) -> Policy:
    """Their policy; the same files are not read twice.

    Raises:
        ConfigFaults: they cannot be followed.
    """
    return _read(tuple(some))
