"""The same finding may matter less, or more, while the owner's office is empty."""

from datetime import UTC, datetime

import pytest

from routing.checking import explain
from tests.routing.configs import LEAST, faults, policy
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, Scenario

HOURS = (
    LEAST
    + """
severity: {base: {cost: 40}, business_hours: {outside: -10, inside: 5}}
agents: [{name: 'tokyo-*', team: tokyo}, {name: 'york-*', team: york}, {name: 'home-*', team: home}]
teams: {tokyo: {escalation: e, tz: Asia/Tokyo}, york: {escalation: e}, home: {escalation: f}}
users: {ana: {}}
schedules:
  s: {timezone: America/New_York, layers: [{start: '2026-01-01T00:00', every: 1 week, users: [ana]}]}
escalations:
  e: {steps: [{notify: [user: ana], via: [terminal]}, {notify: [schedule: s], via: [terminal]}]}
  f: {steps: [{notify: [user: ana], via: [terminal]}]}
"""
)


def part(text, agent, at):
    answer = explain(
        policy(text), {"detector": "cost", "agent": agent}, datetime.fromisoformat(at).replace(tzinfo=UTC)
    )
    return next((each for each in answer.why if "business hours" in each), None)


@pytest.mark.parametrize(
    ("agent", "at", "said"),
    [
        ("tokyo-1", "2026-01-05T00:00", "+5 within business hours (Asia/Tokyo)"),
        ("tokyo-1", "2026-01-05T09:00", "-10 outside business hours (Asia/Tokyo)"),
        ("york-1", "2026-01-05T13:59", "-10 outside business hours (America/New_York)"),
        ("york-1", "2026-01-05T14:00", "+5 within business hours (America/New_York)"),
        ("york-1", "2026-01-10T15:00", "-10 outside business hours (America/New_York)"),
        ("home-1", "2026-01-05T09:00", "+5 within business hours (UTC)"),
        ("nobody's", "2026-01-05T18:00", "-10 outside business hours (UTC)"),
    ],
)
def test_hours_are_those_of_the_owner_s_clocks(agent, at, said):
    assert part(HOURS, agent, at) == said


def test_a_place_in_the_rules_holds_for_all_and_holidays_are_no_business_days():
    text = HOURS.replace(
        "{outside: -10, inside: 5}", "{outside: -10, location: Europe/Berlin, skip_holidays: DE}"
    )
    assert part(text, "tokyo-1", "2026-01-06T08:00") is None
    assert part(text, "tokyo-1", "2026-01-01T12:00") == "-10 outside business hours (Europe/Berlin)"


def test_own_hours_replace_the_usual_ones():
    text = HOURS.replace(
        "{outside: -10, inside: 5}", "{inside: 5, only: [{days: sat, from: '22:00', to: '06:00'}]}"
    )
    assert part(text, "home-1", "2026-01-11T05:59") == "+5 within business hours (UTC)"
    assert part(text, "home-1", "2026-01-12T12:00") is None


def test_without_them_hours_count_for_nothing():
    assert (
        part(HOURS.replace(", business_hours: {outside: -10, inside: 5}", ""), "york-1", "2026-01-10T15:00")
        is None
    )


def test_hours_that_change_nothing_are_a_fault_at_their_place():
    assert faults(LEAST + "severity:\n  business_hours: {location: UTC}\n") == [
        "4:19: business hours change nothing: expected points for inside or outside, such as outside: -10"
    ]


def test_the_page_says_what_the_hours_counted_for():
    t = Scenario(ESCALATED.replace("severity: {base:", "severity: {business_hours: {outside: -10}, base:"))
    t.fast_forward(10 * HOUR)
    t.signal()
    t.fast_forward(MINUTE)
    parts = {each.why: each.points for each in t.pages[0].content.score_parts}
    assert parts["outside business hours (UTC)"] == -10
    assert sum(parts.values()) == t.pages[0].content.score == t.incident.score
