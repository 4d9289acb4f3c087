"""How much a signal matters, and why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from routing.matchers import parse_matchers
from routing.ownership import owned, with_team
from routing.policy import BurnRate, Owned, Policy, Route, SeverityRule, SeverityTable
from routing.rules.compiling import BASE
from routing.severity import band, score
from schemas.signal import Blast, Signal
from tests.routing.configs import policy
from tests.routing.scenario import START

TABLE = SeverityTable(
    base={"error_rate": 40, "cost": 60, "input_shift": 60, "input_shift/injection": 65, "silence": 80},
    rules=(
        SeverityRule(matchers=parse_matchers('env="prod"'), add=15),
        SeverityRule(matchers=parse_matchers('confidence=~"0[.][0-4].*"'), add=-30),
        SeverityRule(matchers=(), add=0),
    ),
    burn_rate=(
        BurnRate(long="1h", short="5m", factor=14.4, score=90),
        BurnRate(long="6h", short="30m", factor=6, score=70),
    ),
)
POLICY = Policy(
    route=Route(id="", receiver="r"),
    receivers={},
    severity=TABLE,
    agents=(
        Owned(name="pay-*", team="payments", consequence="critical"),
        Owned(name="toy", consequence="low"),
    ),
)


def signal(detector="error_rate", finding="sessions", **fields):
    basics = {"id": "s", "state": "firing", "labels": {}, "time": START, "onset": START, "summary": ""}
    return Signal(detector=detector, finding=finding, **{**basics, **fields})


def points(each, beside=(), **labels):
    """Total and parts without those of no points."""
    found = score(each, labels, POLICY, START, beside)
    assert found.total == sum(part.points for part in found.parts)
    return found.total, {part.why: part.points for part in found.parts if part.points}


def test_what_is_as_likely_as_not_to_be_no_attack_is_at_most_a_warning():
    doubtful = signal("input_shift", "injection", confidence=0.5, magnitude=125.0, magnitude_unit="ratio")
    assert points(doubtful)[0] == POLICY.severity.bands["error"] - 1
    sure = signal("input_shift", "injection", confidence=0.9, magnitude=125.0, magnitude_unit="ratio")
    assert points(sure)[0] == 78


def test_that_a_critical_agent_never_asks_anybody_is_a_warning_however_often_it_acts():
    table = structs.replace(TABLE, base=BASE)
    often = Blast(sessions=5000, share=1.0)
    each = signal("approvals", "unasked", magnitude=9e9, trend="rising", blast=often)
    found = score(each, {"agent": "pay-1"}, structs.replace(POLICY, severity=table), START)
    assert (found.total, found.severity) == (15 + 20 + 10 + 5, "warning")


def test_the_base_is_the_finding_s_own_or_its_detector_s_or_the_default():
    assert points(signal("input_shift", "injection")) == (65, {"input_shift/injection": 65})
    assert points(signal("silence", "agent_down")) == (80, {"silence": 80})
    assert points(signal("new", "thing")) == (20, {"new/thing (default)": 20})


def test_rules_that_match_add_up_and_say_which_they_are():
    assert points(signal(), env="prod")[1] == {"error_rate": 40, 'env="prod"': 15}


def test_low_confidence_takes_away_and_rules_see_it():
    total, parts = points(signal(confidence=0.25))
    assert parts == {
        "error_rate": 40,
        'confidence=~"0[.][0-4].*"': -30,
        "confidence 25%": -15,
        "at least 0": 5,
    }
    assert total == 0


def test_the_agent_s_consequence_counts():
    assert points(signal(), agent="pay-1")[1]["consequence critical"] == 20
    assert points(signal(), agent="toy")[1]["consequence low"] == -10
    assert points(signal(), agent="other") == (40, {"error_rate": 40})


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"1h": 20.0, "5m": 15.0}, 90),
        ({"1h": 20.0, "5m": 14.0}, 40),
        ({"6h": 6.0, "30m": 6.0}, 70),
        ({"6h": 7.0, "30m": 7.0, "1h": 15.0, "5m": 15.0}, 90),
        ({"5m": 99.0}, 40),
    ],
)
def test_a_burn_rate_pair_replaces_the_base_where_both_windows_hold(rates, expected):
    assert points(signal(burn_rates=rates))[0] == expected


def test_burn_rates_of_other_detectors_do_not_replace_their_base():
    assert points(signal("silence", burn_rates={"1h": 20.0, "5m": 20.0}))[0] == 80


def test_size_does_not_count_twice_where_a_burn_rate_pair_holds():
    each = signal(burn_rates={"1h": 20.0, "5m": 20.0}, magnitude=20.0, magnitude_unit="burn_rate")
    assert points(each)[0] == 90


def test_a_slow_pair_does_not_hide_what_is_lost_now():
    each = signal(burn_rates={"6h": 7.0, "30m": 7.0}, magnitude=100.0, magnitude_unit="burn_rate")
    ticket = structs.replace(TABLE, burn_rate=(BurnRate(long="6h", short="30m", factor=6, score=40),))
    found = score(each, {}, structs.replace(POLICY, severity=ticket), START)
    told = [(part.why, part.points) for part in found.parts[:2]]
    assert told == [("error_rate", 40), ("burn rate 100", 30)]


@pytest.mark.parametrize(
    ("size", "unit", "added"),
    [
        (14.4, "burn_rate", 30),
        (6.0, "burn_rate", 15),
        (5.9, "burn_rate", 0),
        (10.0, "ratio", 15),
        (0.1, "ratio", 15),
        (0.0, "ratio", 15),
        (3.0, "ratio", 7),
        (1.0, "ratio", 0),
        (100.0, "ratio", 15),
        (-4.0, "sigma", 2),
        (50.0, "sigma", 5),
        (50.0, "", 0),
    ],
)
def test_size_adds_by_its_unit(size, unit, added):
    assert points(signal(magnitude=size, magnitude_unit=unit))[0] == 40 + added


@pytest.mark.parametrize(
    ("blast", "added"),
    [
        (Blast(), 0),
        (Blast(share=1.0), 10),
        (Blast(sessions=1, share=1.0), 1),
        (Blast(sessions=35, share=1.0), 10),
        (Blast(sessions=999, share=0.01), 10),
        (Blast(sessions=31), 5),
    ],
)
def test_how_many_are_affected_adds_up_to_ten(blast, added):
    assert points(signal(blast=blast))[0] == 40 + added


@pytest.mark.parametrize("finding", ["agent_down", "intake_down", "budget", "over_budget"])
def test_what_is_always_of_the_whole_agent_weighs_no_more_for_it(finding):
    whole = Blast(sessions=5000, share=1.0)
    assert points(signal(finding=finding, blast=whole)) == points(signal(finding=finding))


def test_what_rises_adds_five():
    assert points(signal(trend="rising"))[1] == {"error_rate": 40, "rising": 5}
    assert points(signal(trend="falling"))[0] == 40


def test_by_the_built_in_table_nine_of_ten_that_stay_away_page_and_a_crowd_does_not():
    built_in = policy("route: {receiver: r}\nreceivers: [{name: r}]\n")
    sizes = {"magnitude_unit": "ratio", "confidence": 0.99, "blast": Blast(sessions=50, share=0.9)}
    fall = signal("traffic", "drop", magnitude=0.1, **sizes)
    assert score(fall, {}, built_in, START).severity == "error"
    assert score(structs.replace(fall, confidence=0.6), {}, built_in, START).severity == "warning"
    crowd = signal("traffic", "surge", magnitude=10.0, trend="rising", **sizes)
    assert score(crowd, {}, built_in, START).severity == "warning"


def test_of_what_stays_away_it_is_a_further_fall_that_adds_five():
    assert points(signal("traffic", "drop", trend="falling"))[1]["falling"] == 5
    assert "rising" not in points(signal("traffic", "drop", trend="rising"))[1]
    assert points(signal("traffic", "surge", trend="rising"))[1]["rising"] == 5


def test_a_shift_alone_is_at_most_a_warning():
    total, parts = points(signal("input_shift"), env="prod")
    assert total == 64
    assert parts["a shift alone is at most a warning"] == -11


def test_telemetry_is_at_most_a_warning_however_large_and_long():
    grown = signal("telemetry", "malformed", magnitude=100.0, magnitude_unit="ratio", trend="rising")
    total, parts = points(grown, ["error_rate"], env="prod", agent="pay-refunds")
    assert total == 64
    assert "telemetry is at most a warning" in parts


@pytest.mark.parametrize(("times", "total", "severity"), [(1.0, 70, "error"), (10.0, 85, "critical")])
def test_that_events_are_read_late_is_an_error_at_once_and_critical_at_ten_times_the_limit(
    times, total, severity
):
    late = signal("telemetry", "behind", magnitude=times, magnitude_unit="ratio")
    table = structs.replace(TABLE, base=BASE)
    found = score(late, {"agent": "agent-oversight"}, structs.replace(POLICY, severity=table), START)
    assert (found.total, found.severity) == (total, severity)


@pytest.mark.parametrize(
    "fields",
    [
        {"magnitude": 5.0, "magnitude_unit": "ratio"},
        {"magnitude": 0.1, "magnitude_unit": "ratio"},
        {"magnitude": 10.0, "magnitude_unit": "sigma"},
        {"onset": START - timedelta(hours=1)},
    ],
)
def test_a_shift_that_is_large_or_lasts_is_more(fields):
    assert points(signal("cost", "spike", **fields), env="prod")[0] >= 75


@pytest.mark.parametrize("fields", [{"magnitude": 4.9, "magnitude_unit": "ratio"}, {}])
def test_a_shift_that_is_neither_is_not(fields):
    assert points(signal("cost", "spike", **fields), env="prod")[0] == 64


def test_harm_beside_a_shift_lifts_its_limit():
    assert points(signal("cost", "spike"), ["error_rate"], env="prod")[0] == 75
    assert points(signal("cost", "spike"), ["cost", "latency"], env="prod")[0] == 64


def test_harm_by_itself_knows_no_such_limit():
    assert points(signal("input_shift", "injection"), env="prod")[0] == 80
    assert points(signal("cost", "budget"), env="prod")[0] == 75


def test_no_score_is_above_a_hundred():
    total, parts = points(signal("silence", trend="rising"), agent="pay-1", env="prod")
    assert (total, parts["at most 100"]) == (100, -20)


def test_bands_are_reached_from_their_lowest_score():
    bands = [band(total, TABLE) for total in (0, 34, 35, 64, 65, 84, 85, 100)]
    assert bands == ["info", "info", "warning", "warning", "error", "error", "critical", "critical"]
    assert band(10, SeverityTable(base={}, bands={"error": 50})) == "info"


@given(
    st.builds(
        signal,
        st.sampled_from(["error_rate", "cost", "input_shift", "silence", "x"]),
        magnitude=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        magnitude_unit=st.sampled_from(["ratio", "sigma", "burn_rate", ""]),
        confidence=st.floats(-1, 2),
        blast=st.builds(Blast, sessions=st.integers(0, 10**9), share=st.floats(0, 1)),
    )
)
def test_every_score_lies_in_0_to_100_and_is_the_sum_of_its_parts(each):
    assert 0 <= points(each, env="prod")[0] <= 100


def test_the_first_glob_that_matches_names_the_owner():
    assert owned(POLICY, {"agent": "pay-1"}).team == "payments"
    assert owned(POLICY, {}).name == "*"


def test_a_team_in_the_labels_stays_and_empty_labels_are_dropped():
    assert with_team(POLICY, {"agent": "pay-1"}) == {"agent": "pay-1", "team": "payments"}
    assert with_team(POLICY, {"agent": "pay-1", "team": "x"})["team"] == "x"
    assert with_team(POLICY, {"agent": "toy", "env": ""}) == {"agent": "toy"}
