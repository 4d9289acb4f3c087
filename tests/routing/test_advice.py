"""The advice that agents and gateways get: what is called for, when it is renewed, granted and taken back."""

from datetime import timedelta
from typing import get_args

import pytest
from msgspec.structs import replace

from routing.incidents.advice import HALF_OPEN, MOST_ADVICE
from schemas.cause import Approved, Signalled
from schemas.decision import Action
from schemas.signal import Contributor
from tests.routing.configs import faults
from tests.routing.scenario import MINUTE, ONE_CHANNEL, START, Scenario

OWNED = (
    ONE_CHANNEL
    + """
agents: [{name: 'refund-*', team: payments}]
users: {ana: {slack: U01}}
teams: {payments: {escalation: only}}
escalations: {only: {steps: [{notify: [user: ana], via: [slack]}]}}
"""
)
ADVISED = (
    OWNED
    + """
decisions:
- {matchers: ['detector="error_rate"'], do: open_circuit, for: 2m, automatic: true}
- {matchers: ['detector="cost"'], do: defer, automatic: false}
"""
)


def given(t):
    """Action, whether automatic, and seconds after the start, of each piece of advice."""
    return [(each.action, each.automatic, (each.time - START).total_seconds()) for each in t.decisions]


def test_a_circuit_opens_with_the_incident_and_lets_single_calls_through_before_it_opens_again():
    t = Scenario(ADVISED)
    t.signal(tool="search")
    t.fast_forward(3 * MINUTE)
    assert given(t) == [
        ("open_circuit", True, 0),
        ("half_open_circuit", True, 120),
        ("open_circuit", True, 180),
    ]
    first = t.decisions[0]
    assert first.subject == {"agent": "refund-agent", "team": "payments", "tool": "search"}
    assert first.until == START + 2 * MINUTE
    assert first.incident == t.incident.id
    assert first.reason == t.incident.summary
    assert len({each.id for each in t.decisions}) == 3


def test_circuits_close_and_advice_ends_when_the_incident_is_resolved():
    t = Scenario(ADVISED)
    t.signal("s1", tool="search")
    t.signal("s2", detector="cost")
    t.fast_forward(MINUTE)
    t.recover("s1")
    t.recover("s2")
    assert [action for action, *_ in given(t)] == ["open_circuit", "defer", "close_circuit", "defer"]
    closed, ended = t.decisions[-2:]
    assert closed.until is None
    assert ended.until == ended.time


def test_advice_without_an_end_is_given_once():
    t = Scenario(ADVISED)
    t.signal(detector="cost")
    t.fast_forward(30 * MINUTE)
    assert given(t) == [("defer", False, 0)]


def test_one_signal_in_two_incidents_gives_advice_once():
    text = ADVISED.replace(
        "repeat_interval: 4h}",
        "repeat_interval: 4h, routes: [{receiver: oncall, matchers: ['agent=~\".+\"'], continue: true}, "
        "{receiver: oncall, matchers: ['agent!=\"\"']}]}",
    )
    t = Scenario(text)
    t.signal(detector="cost")
    assert len(t.incidents) == 2
    assert len(t.decisions) == 1


def test_advice_to_a_closed_incident_s_signal_is_not_given_again():
    t = Scenario(ADVISED)
    t.signal()
    t.close()
    t.fast_forward(10 * MINUTE)
    assert [action for action, *_ in given(t)] == ["open_circuit", "close_circuit"]


def test_an_incident_gives_advice_on_a_bounded_number_of_subjects():
    t = Scenario(ADVISED)
    for number in range(MOST_ADVICE + 3):
        t.signal(f"s{number}", detector="cost", tool=f"t{number}")
    assert len(t.decisions) == MOST_ADVICE
    assert t.router.counts == {"advice dropped at the cap": 3}


@pytest.mark.parametrize(
    ("finding", "action"),
    [
        ("worse", "roll_back"),
        ("invalid", "hold"),
        ("no_control", "hold"),
        ("unbalanced", "hold"),
        ("ready", "promote"),
    ],
)
def test_each_finding_about_a_rollout_is_advice_that_waits_for_a_person(finding, action):
    t = Scenario(OWNED)
    t.signal(detector="rollout", finding=finding, release="v2")
    assert given(t) == [(action, False, 0)]
    assert t.decisions[0].subject["release"] == "v2"


def test_what_the_rules_say_of_rollouts_holds_for_the_finding_that_calls_for_it():
    t = Scenario(
        OWNED
        + """
decisions:
- {matchers: ['detector="rollout"'], do: roll_back, automatic: true}
- {matchers: ['detector="rollout"'], do: cap_session}
"""
    )
    t.signal("s1", detector="rollout", finding="worse", release="v2")
    assert [(action, automatic) for action, automatic, _ in given(t)] == [
        ("roll_back", True),
        ("cap_session", False),
    ]
    t.signal("s2", detector="rollout", finding="ready", release="v3")
    assert [(action, automatic) for action, automatic, _ in given(t)[2:]] == [
        ("cap_session", False),
        ("promote", False),
    ]


def test_a_finding_about_a_rollout_that_is_not_known_calls_for_nothing():
    t = Scenario(OWNED)
    t.signal(detector="rollout", finding="odd")
    assert given(t) == []


def fails(t, *types, detector="error_rate", **labels):
    """A finding whose failures are of these types."""
    t.signal(detector=detector, **labels)
    stands_out = tuple(Contributor(dimension="error type", value=each, share=1.0, lift=1.0) for each in types)
    t.firing["s1"] = replace(t.firing["s1"], contributors=(*stands_out, VERSION))
    t.write(Signalled(at=t.now, signal=t.firing["s1"]))


VERSION = Contributor(dimension="version", value="2.1", share=1.0, lift=3.0)
HANDLED = (
    OWNED
    + """
errors:
- {type: 'rate_limit.*', class: retryable, retry: {after: 7s, times: 4}, then: defer}
- {type: 'flaky', class: retryable}
- {type: 'timeout', class: non_retryable, then: stop}
- {type: 'quota', class: escalation, then: stop}
- {type: 'handoff.*', class: escalation, then: person}
"""
)


def handling(t):
    return [
        (each.action, each.subject["error_type"], each.after_s, each.times, each.then) for each in t.decisions
    ]


def test_failures_are_handled_as_the_table_says_of_their_type():
    t = Scenario(HANDLED)
    fails(t, "rate_limit_exceeded", "flaky", "timeout", "quota", "handoff.refund", tool="search")
    assert handling(t) == [
        ("retry", "rate_limit_exceeded", 7.0, 4, "defer"),
        ("retry", "flaky", 5.0, 3, "stop"),
        ("stop_retrying", "timeout", None, None, None),
        ("stop_retrying", "quota", None, None, None),
        ("defer", "handoff.refund", None, None, "person"),
    ]
    first = t.decisions[0]
    assert first.automatic
    assert first.subject == {
        "agent": "refund-agent", "team": "payments", "tool": "search", "error_type": "rate_limit_exceeded",
    }  # fmt: skip
    assert first.until == START + timedelta(minutes=5)


def test_what_the_table_does_not_know_is_handled_by_its_class_where_its_type_tells_it():
    t = Scenario(OWNED)
    fails(t, "503", "schema_invalid", "guardrail_tripped", "agent_error", detector="dependency")
    assert handling(t) == [
        ("retry", "503", 5.0, 3, "stop"),
        ("stop_retrying", "schema_invalid", None, None, None),
        ("defer", "guardrail_tripped", None, None, "person"),
    ]


def test_types_of_failures_in_other_findings_are_handled_by_nobody():
    t = Scenario(OWNED)
    fails(t, "503", detector="latency")
    assert t.decisions == []


WAITING = OWNED + "decisions: [{matchers: ['detector=\"input_shift\"'], do: defer, for: 1h}]\n"


def test_inputs_to_defer_are_told_by_what_stands_out_in_them():
    t = Scenario(WAITING)
    fails(t, detector="input_shift")
    assert t.decisions[-1].like == ()
    t.fast_forward(61 * MINUTE)
    assert t.decisions[-1].like == ("2.1",)


def rule(t, verdict, decision=""):
    cause = Approved(
        at=t.now, id=f"rule-{len(t.log)}", incident=t.incident.id, decision=decision or t.decisions[-1].id,
        by="ana", verdict=verdict,
    )  # fmt: skip
    t.write(cause)
    return cause


def test_advice_that_a_person_grants_is_given_again_under_its_id_and_says_who():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    t.fast_forward(10 * MINUTE)
    rule(t, "granted")
    first, again = t.decisions
    assert (first.granted_by, again.granted_by, again.id) == ("", "ana", first.id)
    assert again.until == t.now + timedelta(hours=1)
    t.fast_forward(61 * MINUTE)
    assert t.decisions[-1].granted_by == "ana"


def test_advice_without_an_end_stays_without_one_when_it_is_granted():
    t = Scenario(OWNED)
    t.signal(detector="rollout", finding="worse", release="v2")
    rule(t, "granted")
    assert (t.decisions[-1].action, t.decisions[-1].until, t.decisions[-1].granted_by) == (
        "roll_back",
        None,
        "ana",
    )


def test_advice_that_a_person_refuses_ends_and_is_not_given_again():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    rule(t, "refused")
    assert t.decisions[-1].until == t.now
    t.fast_forward(3 * 60 * MINUTE)
    t.recover()
    assert len(t.decisions) == 2


def test_a_word_that_comes_twice_counts_once():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    t.write(rule(t, "granted"))
    assert len(t.decisions) == 2
    assert t.router.counts == {"words repeated": 1}


def test_a_word_about_advice_that_was_not_given_is_complained_of():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    rule(t, "granted", "dec-unknown")
    assert len(t.decisions) == 1
    assert "dec-unknown" in t.outputs[-1].value.reason


def test_a_word_about_an_incident_that_is_over_changes_nothing():
    t = Scenario(WAITING)
    t.signal(detector="input_shift")
    t.close()
    rule(t, "granted")
    assert t.decisions[-1].granted_by == ""


def test_a_circuit_that_is_half_open_closes_when_the_incident_is_resolved():
    t = Scenario(ADVISED)
    t.signal(tool="search")
    t.fast_forward(2 * MINUTE)
    assert t.decisions[-1].until == t.now + HALF_OPEN
    t.recover()
    assert t.decisions[-1].action == "close_circuit"
    assert len({each.id for each in t.decisions}) == 3


def test_limits_are_told_with_the_advice_they_belong_to():
    text = OWNED + "decisions: [{matchers: [], do: cap_session, limits: {steps: 50, cost_usd: '2.5'}}]\n"
    t = Scenario(text)
    t.signal(detector="session", session="s")
    assert t.decisions[0].limits == {"steps": 50.0, "cost_usd": 2.5}
    refused = text.replace("cap_session", "hold")
    assert faults(refused)[0].endswith("limits belong to cap_session and throttle_tenant alone")


LASTING = OWNED + "decisions: [{matchers: ['detector=\"dependency\"'], do: open_circuit, automatic: true}]\n"


def test_a_circuit_closes_with_its_own_finding_though_the_incident_goes_on():
    t = Scenario(LASTING)
    t.signal("s1", detector="dependency", tool="search")
    t.signal("s2", detector="cost")
    t.fast_forward(5 * MINUTE)
    t.recover("s1")
    assert [action for action, *_ in given(t)] == ["open_circuit", "close_circuit"]
    t.signal("s1", detector="dependency", tool="search")
    assert [action for action, *_ in given(t)][2:] == ["open_circuit"]
    assert len({each.id for each in t.decisions}) == 3
    t.recover("s1")
    t.recover("s2")
    assert [action for action, *_ in given(t)][3:] == ["close_circuit"]


def test_what_a_finding_called_for_ends_before_the_next_calls_for_the_contrary():
    t = Scenario(OWNED)
    t.signal("s1", detector="rollout", finding="ready", release="v2")
    rule(t, "granted")
    t.signal("s2", detector="cost")
    t.recover("s1")
    assert (t.decisions[-1].action, t.decisions[-1].until) == ("promote", t.now)
    t.signal("s3", detector="rollout", finding="worse", release="v2")
    assert t.decisions[-1].action == "roll_back"


def test_advice_that_two_findings_call_for_stays_with_the_one_that_goes_on():
    t = Scenario(LASTING)
    t.signal("s1", detector="dependency", tool="search")
    t.signal("s2", detector="dependency", tool="search")
    t.recover("s1")
    assert [action for action, *_ in given(t)] == ["open_circuit"]


def test_advice_that_is_over_makes_room_at_the_cap():
    t = Scenario(OWNED + "decisions: [{matchers: ['tool!=\"\"'], do: cap_session, for: 10m}]\n")
    t.signal("stays", detector="cost")
    for number in range(MOST_ADVICE + 1):
        t.signal(f"s{number}", detector="cost", tool=f"t{number}")
        t.recover(f"s{number}")
    assert sum(each.until != each.time for each in t.decisions) == MOST_ADVICE + 1
    assert t.router.counts == {}


EVERYTHING = (
    HANDLED
    + """
decisions:
- {matchers: ['detector="dependency"'], do: open_circuit, for: 2m, automatic: true}
- {matchers: ['detector="session"'], do: cap_session, for: 30m, limits: {steps: 50}, automatic: true}
- {matchers: ['detector="cost"'], do: throttle_tenant, for: 10m, limits: {per_minute: 60}}
- {matchers: ['detector="input_shift"'], do: defer, for: 1h}
"""
)
FINDINGS = {
    "retry": ({"types": ["rate_limit_exceeded"]}, 5 * MINUTE),
    "stop_retrying": ({"types": ["timeout"]}, 5 * MINUTE),
    "open_circuit": ({"detector": "dependency", "tool": "search"}, 2 * MINUTE),
    "cap_session": ({"detector": "session", "session": "s-1"}, 30 * MINUTE),
    "throttle_tenant": ({"detector": "cost", "tenant": "acme"}, 10 * MINUTE),
    "defer": ({"detector": "input_shift"}, 60 * MINUTE),
    "hold": ({"detector": "rollout", "finding": "no_control", "release": "v2"}, None),
    "promote": ({"detector": "rollout", "finding": "ready", "release": "v2"}, None),
    "roll_back": ({"detector": "rollout", "finding": "worse", "release": "v2"}, None),
}


@pytest.mark.parametrize("action", get_args(Action))
def test_every_kind_of_advice_says_how_long_it_holds_why_and_of_which_incident(action):
    said, valid = FINDINGS.get(action, FINDINGS["open_circuit"])
    t = Scenario(EVERYTHING)
    fails(t, *said.get("types", ()), **{name: each for name, each in said.items() if name != "types"})
    if action == "half_open_circuit":
        t.fast_forward(2 * MINUTE)
        valid = HALF_OPEN
    elif action == "close_circuit":
        t.recover()
        valid = None
    (found,) = [each for each in t.decisions if each.action == action]
    assert found.until == (None if valid is None else t.now + valid)
    assert (found.reason, found.incident) == ("s1 of refund-agent fails", t.incident.id)
    assert found.subject["agent"] == "refund-agent"
