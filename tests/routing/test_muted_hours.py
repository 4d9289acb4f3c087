"""Routes that are muted, or not active, at some hours: nothing is lost, and resolutions follow."""

from datetime import timedelta

from routing.checking import explain
from tests.routing.configs import policy
from tests.routing.scenario import HOUR, MINUTE, START, Scenario

NIGHT = """
route: {receiver: triage, group_by: [agent], group_wait: 10s, group_interval: 2m, repeat_interval: 4h,
        routes: [{receiver: oncall, matchers: ['agent=~".+"'], %s}]}
receivers: [{name: triage, notify: [{slack: '#triage'}]}, {name: oncall, notify: [{slack: '#oncall'}]}]
severity: {base: {error_rate: 70, cost: 40, silence: 90}}
time_intervals:
- {name: morning, time_intervals: [{times: [{start_time: '09:00', end_time: '11:00'}]}]}
- {name: later, time_intervals: [{times: [{start_time: '10:30', end_time: '12:00'}]}]}
- name: week
  time_intervals: [{weekdays: ['tuesday:friday'], times: [{start_time: '08:00', end_time: '18:00'}]}]
"""
MUTED = NIGHT % "mute_time_intervals: [morning]"
AFTERNOON = 2 * HOUR / timedelta(seconds=1)


def test_what_fires_in_muted_hours_is_paged_when_they_end_if_it_still_holds():
    t = Scenario(MUTED)
    t.signal()
    t.fast_forward(5 * HOUR)
    assert t.told == [(AFTERNOON + 10, "oncall", "opened")]
    assert t.incident.muted_by == ()


def test_while_hours_are_muted_the_incident_says_so():
    t = Scenario(MUTED)
    t.signal()
    t.fast_forward(HOUR)
    assert t.incident.muted_by == ("time interval morning",)
    assert t.incident.status == "triggered"


def test_what_ends_in_muted_hours_is_never_paged():
    t = Scenario(MUTED)
    t.signal()
    t.fast_forward(HOUR)
    t.recover()
    t.fast_forward(4 * HOUR)
    assert (t.pages, t.updates) == ([], [])
    assert t.incident.status == "resolved"


def test_a_resolution_follows_in_muted_hours_what_was_paged_before():
    """Alertmanager's issues 226, 3664 and 5247."""
    t = Scenario(MUTED, now=START - 5 * MINUTE)
    t.signal()
    t.fast_forward(15 * MINUTE)
    assert len(t.pages) == 1
    t.recover()
    assert [each.reason for each in t.updates] == ["resolved"]


def test_intervals_that_follow_each_other_mute_until_the_last_one_ends():
    t = Scenario(NIGHT % "mute_time_intervals: [morning, later]")
    t.signal()
    t.fast_forward(5 * HOUR)
    assert t.told == [(3 * HOUR / timedelta(seconds=1) + 10, "oncall", "opened")]


def test_a_route_with_active_hours_is_silent_outside_of_them():
    t = Scenario(NIGHT % "active_time_intervals: [week]")
    t.signal()
    t.fast_forward(HOUR)
    assert t.incident.muted_by == ("outside time interval week",)
    t.fast_forward(23 * HOUR)
    assert t.told == [(23 * 3600 + 10, "oncall", "opened")]


def test_active_and_muted_hours_must_both_allow_a_page():
    t = Scenario(NIGHT % "active_time_intervals: [later], mute_time_intervals: [morning]")
    t.signal()
    t.fast_forward(5 * HOUR)
    assert t.told == [(AFTERNOON + 10, "oncall", "opened")]


def test_only_the_route_that_is_muted_is_silent():
    t = Scenario(
        NIGHT.replace("}]}\nreceivers", "}, {receiver: triage, group_by: [env]}]}\nreceivers")
        % "mute_time_intervals: [morning], continue: true"
    )
    t.signal()
    t.fast_forward(3 * HOUR)
    assert t.told == [(10, "triage", "opened"), (AFTERNOON + 10, "oncall", "opened")]


def test_the_climb_stands_still_in_muted_hours():
    text = MUTED.replace("notify: [{slack: '#oncall'}]", "notify: [{escalation: e}]") + (
        "users: {ana: {slack: U1}, bo: {slack: U2}}\n"
        "escalations:\n  e: {steps: [{notify: [user: ana], via: [slack], wait: 5m},\n"
        "              {notify: [user: bo], via: [slack]}]}\n"
    )
    t = Scenario(text, now=START - 2 * MINUTE)
    t.signal()
    t.fast_forward(2 * HOUR + MINUTE)
    assert [page.to for page in t.pages] == ["ana"]
    t.fast_forward(3 * MINUTE)
    assert [page.to for page in t.pages] == ["ana", "bo"]


def test_a_repetition_that_falls_into_muted_hours_comes_when_they_end():
    t = Scenario(MUTED.replace("repeat_interval: 4h", "repeat_interval: 1h"), now=START - 50 * MINUTE)
    t.signal()
    t.fast_forward(3 * HOUR)
    assert [page.reason for page in t.pages] == ["opened", "repeated"]
    assert t.pages[1].time >= START + 2 * HOUR


def test_a_restart_and_a_reload_in_muted_hours_lose_nothing():
    t = Scenario(MUTED)
    t.signal()
    t.fast_forward(HOUR)
    t.restart()
    t.fast_forward(MINUTE)
    t.configure(MUTED + "# another text\n")
    t.fast_forward(2 * HOUR)
    assert t.told == [(AFTERNOON + 60, "oncall", "opened")]


def test_a_reload_that_takes_the_hours_away_pages_at_once():
    t = Scenario(MUTED)
    t.signal()
    t.fast_forward(HOUR)
    t.configure(NIGHT % "mute_time_intervals: []")
    t.fast_forward(2 * MINUTE)
    assert t.told == [(3600, "oncall", "opened")]


def test_night_after_night_an_incident_that_is_muted_costs_a_look_each_half_hour():
    t = Scenario(NIGHT % "active_time_intervals: [week]")
    t.signal()
    t.fast_forward(MINUTE)
    looks = []
    for _ in range(100):
        due = t.router.wake_at
        t.fast_forward(MINUTE)
        looks += [due] if t.router.wake_at != due else []
    assert len(looks) < 15


def test_whoever_asks_where_a_signal_goes_is_told_that_the_route_is_muted():
    rules = policy(MUTED)
    muted = '{}/{agent=~".+"} is muted: time interval morning'
    assert muted in explain(rules, {"agent": "a"}, START).why
    assert muted not in explain(rules, {"agent": "a"}, START + 3 * HOUR).why
