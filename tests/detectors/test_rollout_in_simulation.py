"""The quick half of `benchmarks/rollout.py`: what a comparison promises, in simulation, by fixed seeds."""

from math import comb

import pytest
from rich.console import Console

from benchmarks import rollout

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured

SILENT = Console(quiet=True)
RUNS = 30


def most_by_chance(runs, share):
    """So many of `runs` happen, at a share each, but once in a thousand times no more."""
    total, count = 0.0, -1
    while total < 0.999:
        count += 1
        total += comb(runs, count) * share**count * (1 - share) ** (runs - count)
    return count


def settings(*names):
    found = [each for each in rollout.NULL if each.name in names]
    assert len(found) == len(names)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "errors 2 %, ramp 1-5-20-50 %",
        "cost, share 5 %",
        "errors, 4 % easy / 10 % hard",
        "cost, 4 % easy / 10 % hard",
        "errors, ramp, base doubles",
        "six metrics, ramp",
    ],
)
def test_a_canary_that_equals_control_is_rolled_back_no_more_often_than_said(name):
    [(_, one, five)] = rollout.null(RUNS, 2000, SILENT, settings(name))
    assert one <= most_by_chance(RUNS, 0.01)
    assert five <= most_by_chance(RUNS, 0.05)


def test_a_shifted_mix_that_the_router_did_not_declare_is_invalid_and_never_rolled_back():
    [setting] = settings("errors, the same, not declared")
    seen = [rollout.follow(setting, seed, 20_000) for seed in range(5)]
    assert [each.state for each in seen] == ["invalid"] * 5


def test_harm_is_found_in_little_more_than_the_sessions_that_anyone_needs():
    worse = [each for each in rollout.HARM if each[0].name in {"5 %, cost +20 %", "20 %, errors 2 to 4 %"}]
    [cost, errors] = rollout.detection(20, SILENT, worse)
    # The target is 1.6 on average; the mean of 20 runs is known to about 0.18.
    assert max(cost, errors) <= 1.6 + 2 * 0.18


def test_a_catastrophe_costs_twenty_five_canary_sessions_at_most():
    assert rollout.catastrophe(30, SILENT) <= 25


def test_intervals_hold_at_any_time_whatever_the_distribution():
    held = rollout.coverage(20, 500, SILENT)
    missed = {name: round((1 - share) * 20) for name, share in held.items()}
    assert max(missed.values()) <= most_by_chance(20, 0.05)
    assert sum(missed.values()) <= most_by_chance(20 * len(held), 0.05)


def test_faults_of_recording_are_found_and_sound_recording_is_not_blamed():
    sessions = rollout.recording(5, SILENT)
    assert sessions["5 % of canary records lack a field"] <= 3000
    assert sessions["20 % of canary arrivals lost"] <= 12_000
    assert sessions["none"] == 0


def test_a_session_and_score_take_few_microseconds_and_bounded_memory():
    # The target is 20; a machine that is shared may take its time.
    assert min(rollout.speed(SILENT, 3000)) <= 20


def test_users_that_stick_to_an_arm_are_compared_one_by_one():
    found = rollout.sticky(10, SILENT, users=400)
    assert found["session"][1] >= 3
    assert found["user"][1] <= most_by_chance(10, 0.05)
