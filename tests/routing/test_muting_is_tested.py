"""A configuration's own tests see muted hours, silences and inhibition (Alertmanager's issue 3889)."""

import pytest

from routing.checking import check
from tests.routing.configs import faults, files

RULES = """
route:
  receiver: triage
  routes:
  - {receiver: day, matchers: [env=prod], active_time_intervals: [day], continue: true}
  - {receiver: always, matchers: [env=prod]}
receivers: [{name: triage}, {name: day}, {name: always}]
time_intervals: [{name: day, time_intervals: [{times: [{start_time: '08:00', end_time: '20:00'}]}]}]
inhibit_rules:
- {source_matchers: [detector=dependency], target_matchers: [detector=error_rate], equal: [env]}
silences: [{name: move, matchers: [agent=mover], start: '2026-01-05T00:00', end: '2026-01-06T00:00'}]
agents: [{name: '*', team: payments}]
teams: {payments: {escalation: e}}
users: {u: {slack: U}}
escalations: {e: {steps: [{notify: [user: u], via: [slack]}]}}
tests:
"""


def differences(text):
    report = check(files(RULES + f"- {{{text}}}\n"))
    assert report.faults == ()
    return [line for each in report.tests for line in each.differences]


@pytest.mark.parametrize(
    ("at", "labels", "firing", "told"),
    [
        ("12:00", "env: prod", "[]", "[day, always]"),
        ("21:00", "env: prod", "[]", "[always]"),
        ("12:00", "env: prod, agent: mover", "[]", "[]"),
        ("12:00", "env: prod, detector: error_rate", "[{env: prod, detector: dependency}]", "[]"),
        ("12:00", "env: prod, detector: error_rate", "[{env: test, detector: dependency}]", "[day, always]"),
        ("12:00", "env: prod, detector: cost", "[{env: prod, detector: dependency}]", "[day, always]"),
    ],
)
def test_who_is_told_depends_on_the_hour_on_silences_and_on_what_else_fires(at, labels, firing, told):
    text = f"at: '2026-01-05T{at}Z', labels: {{{labels}}}, firing: {firing}, expect: {{told: %s}}"
    assert differences(text % told) == []
    assert differences(text % "[triage]") != []


def test_receivers_are_still_those_before_anything_mutes():
    text = "at: '2026-01-05T21:00Z', labels: {env: prod, agent: mover}, expect: {receivers: [day, always]}"
    assert differences(text) == []


def test_a_receiver_that_nobody_knows_is_a_fault_at_its_place():
    text = RULES + "- {at: '2026-01-05T21:00Z', labels: {env: prod}, expect: {told: [dya]}}\n"
    (fault,) = faults(text)
    assert 'no receiver "dya" (did you mean "day"?)' in fault
