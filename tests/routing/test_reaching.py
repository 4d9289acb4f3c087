"""Whom a step reaches, and over which of their channels: teams, preferences, whoever is on call by then."""

import pytest

from routing.oncall.responders import person, responders
from routing.policy import Party, Step
from tests.routing.configs import policy
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, START, Scenario, busy, dead

NOBODY = ESCALATED.replace(
    "layers: [{name: base, start: '2026-01-05T09:00', every: 1 week, users: [ana, bo]}]",
    "layers: [{name: base, start: '2026-06-05T09:00', every: 1 week, users: [ana, bo]}]",
)
TEAMS = ESCALATED.replace("teams: {payments: {escalation: payments}}", "teams: {payments: {}, platform: {}}")
TEAMS = TEAMS.replace(
    "escalations:\n",
    "escalations:\n  platform: {steps: [{notify: [schedule: platform], via: [slack], wait: 1m}, "
    "{notify: [user: bo], via: [pagerduty]}]}\n",
).replace("schedules:\n", "schedules:\n  platform: {timezone: UTC, overrides: [%s]}\n")
SHIFT = "{user: ana, start: '2026-01-05T09:00', end: '2026-01-05T09:30'}"


def test_a_team_is_whoever_its_own_escalation_reaches_first():
    text = (TEAMS % SHIFT).replace(
        "[user: bo], via: [pagerduty], wait: 10m", "[team: platform], via: [], wait: 10m"
    )
    t = Scenario(text.replace("[schedule: payments], via: [slack, pagerduty]", "[user: bo], via: [slack]"))
    t.signal()
    t.fast_forward(6 * MINUTE)
    assert t.paged == [(0, "slack U02"), (300, "slack U01")]
    t.fast_forward(HOUR)
    t.signal("s2", agent="other")
    t.fast_forward(6 * MINUTE)
    assert t.paged[-1][1] == "pagerduty env:PD_BO"


def test_a_team_may_be_reached_over_the_step_s_own_channels():
    text = (TEAMS % SHIFT).replace(
        "[user: bo], via: [pagerduty], wait", "[team: platform], via: [pagerduty], wait"
    )
    t = Scenario(text)
    t.signal()
    t.fast_forward(6 * MINUTE)
    assert t.paged == [(0, "slack U01"), (300, "pagerduty env:PD_ANA")]


def test_teams_that_name_each_other_end():
    text = (TEAMS % SHIFT).replace("[schedule: platform], via: [slack]", "[team: payments]")
    text = text.replace("[schedule: payments], via: [slack, pagerduty]", "[team: platform]")
    t = Scenario(text)
    t.signal()
    assert t.paged == [(0, "pagerduty env:PD_BO")]


def test_a_team_that_is_not_there_reaches_nobody():
    step = Step(parties=(Party(kind="team", name="gone"),), via=())
    assert responders(step, policy(ESCALATED), START, "info") == ()
    assert person("gone", ("slack",), policy(ESCALATED)) == ()


PREFER = ESCALATED.replace(
    "ana: {slack: U01, pagerduty: 'env:PD_ANA'}",
    "ana: {tz: America/New_York, slack: U01, pagerduty: 'env:PD_ANA', contact: [%s]}",
)
LOUD = "{severity: critical, via: [pagerduty]}"
NIGHT = "{only: [{from: '22:00', to: '07:00'}], via: [pagerduty]}"


@pytest.mark.parametrize(
    ("contact", "detector", "hours", "kind"),
    [
        (LOUD, "silence", 0, "pagerduty"),
        (LOUD, "error_rate", 0, "slack"),
        ("{severity: error, via: [pagerduty]}", "silence", 0, "pagerduty"),
        (f"{LOUD}, {{via: [slack, pagerduty]}}", "error_rate", 0, "slack"),
        (NIGHT, "error_rate", 0, "pagerduty"),  # 09:00 UTC is 04:00 in New York
        (NIGHT, "error_rate", 2.99, "pagerduty"),
        (NIGHT, "error_rate", 3, "slack"),  # 07:00 there
        ("{only: [{days: 'tue:sun'}], via: [pagerduty]}", "error_rate", 0, "slack"),
        ("{via: [terminal]}", "error_rate", 0, "slack"),  # not a channel of this step
    ],
)
def test_the_first_preference_that_holds_says_which_channel_comes_first(contact, detector, hours, kind):
    t = Scenario(PREFER % contact)
    t.fast_forward(hours * HOUR)
    t.signal(detector=detector)
    assert [page.channel.kind for page in t.pages] == [kind]


def test_a_preferred_channel_that_is_dead_falls_through_to_the_others():
    t = Scenario(PREFER % LOUD, answers={"pagerduty": dead})
    t.signal(detector="silence")
    assert t.paged == [(0, "pagerduty env:PD_ANA"), (0, "slack U01")]


def test_a_round_after_a_handoff_reaches_who_is_on_call_then():
    text = ESCALATED.replace("1 week", "1 hour").replace("ack_timeout: 30m", "repeat: 1")
    t = Scenario(
        text.replace(
            "{notify: [user: bo], via: [pagerduty], wait: 10m}", "{notify: [slack: '#x'], wait: 10m}"
        )
    )
    t.fast_forward(50 * MINUTE)
    t.signal()
    t.fast_forward(16 * MINUTE)
    assert [(at, to) for at, to, _ in t.told] == [(3000, "ana"), (3300, "#x"), (3900, "bo")]


def test_an_acknowledgement_that_lapses_reaches_who_is_on_call_by_then():
    t = Scenario(ESCALATED.replace("1 week", "1 hour"))
    t.fast_forward(50 * MINUTE)
    t.signal()
    t.acknowledge(by="ana")
    t.fast_forward(31 * MINUTE)
    assert [(at, to) for at, to, _ in t.told] == [(3000, "ana"), (4800, "bo")]


def test_rounds_a_lapse_and_the_end_in_one_night():
    text = ESCALATED.replace("ack_timeout: 30m", "ack_timeout: 30m\n    repeat: 1")
    text += "limits: {pages_per_person: unlimited}\n"
    t = Scenario(text)
    t.signal()
    t.fast_forward(16 * MINUTE)
    t.acknowledge(by="bo")
    t.fast_forward(2 * HOUR)
    assert [(at // 60, to) for at, to, _ in t.told] == [
        (0, "ana"), (5, "bo"), (15, "ana"),
        (46, "ana"), (51, "bo"), (61, "ana"), (66, "bo"), (76, "triage"),
    ]  # fmt: skip


def test_nobody_on_call_in_any_step_reaches_the_end_at_once():
    text = NOBODY.replace("[user: bo], via: [pagerduty]", "[schedule: payments], via: [pagerduty]")
    t = Scenario(text)
    t.signal()
    assert t.told == [(0, "triage", "escalated")]


def test_a_restart_in_the_middle_of_a_climb_changes_nothing():
    def climbed(*restarts):
        t = Scenario(PREFER % NIGHT, answers={"pagerduty": busy})
        t.signal()
        for minutes in restarts:
            t.fast_forward(minutes * MINUTE)
            t.restart()
        t.fast_forward(HOUR - sum(restarts) * MINUTE)
        return t.told

    assert climbed() == climbed(1, 3, 2, 20)


@pytest.mark.parametrize(
    "parties", ["{terminal: ana}, schedule: payments", "schedule: payments, {terminal: ana}"]
)
def test_a_channel_with_the_name_of_somebody_hides_nobody(parties):
    t = Scenario(ESCALATED.replace("[schedule: payments]", f"[{parties}]"))
    t.signal()
    assert {(each.channel.kind, each.to) for each in t.pages} == {
        ("terminal", "terminal ana"),
        ("slack", "ana"),
    }
