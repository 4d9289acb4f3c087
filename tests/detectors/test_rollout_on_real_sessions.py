"""Real agent sessions under three policies that hardly differ: whoever rolls back here is too eager."""

import gzip
import random
from datetime import UTC, datetime, timedelta

import pytest

from detectors.rollout import Comparison, Rollout
from detectors.settings import Watch
from schemas.wire import decode_event
from tests.conftest import shared_data

pytestmark = [
    pytest.mark.no_cover,  # it judges the whole, and is several times as fast unmeasured
    pytest.mark.xdist_group("real sessions"),  # they are read once
]

METRICS = {"session": "binary", "evaluation": "binary", "tool_errors": "binary", "cost": "positive"}
ARMS = ("[Base]", "[Policy_v1]", "[Policy_v2]")


@pytest.fixture(name="policies", scope="module")
def _policies():
    """By policy: 114 sessions of the same tasks, as values by metric."""
    found = {arm: {} for arm in ARMS}
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        for line in lines:
            data = decode_event(line.rstrip()).data
            arm = next((arm for arm in ARMS if arm in data.release.id), None)
            if arm is not None:
                one = found[arm].setdefault(data.release.stratum, dict.fromkeys(METRICS, 0.0))
                _take(one, data)
    return found


def _take(one, data):
    if data.usage and data.usage.cost_amount:
        one["cost"] += data.usage.cost_amount
    if data.evaluation:
        one["evaluation"] = 1.0 - data.evaluation.score_value
    if data.error and data.operation.name == "execute_tool":
        one["tool_errors"] = 1.0
    if data.error and data.conversation.state == "ended":
        one["session"] = 1.0


@pytest.mark.data
@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize("seed", range(10))
def test_three_policies_near_null_stay_on_hold(policies, pair, seed):
    control, canary = (policies[ARMS[each]] for each in pair)
    assert len(control) == len(canary) == 114
    shown = [("control", one) for one in control.values()] + [("canary", one) for one in canary.values()]
    random.Random(seed).shuffle(shown)
    compared = Comparison(METRICS, share=0.5)
    for at, (arm, values) in enumerate(shown):
        time = datetime(2026, 2, 22, tzinfo=UTC) + timedelta(seconds=at)
        verdict = compared.observe(time, arm, "retail", values)
        assert (verdict.state, verdict.blamed) == ("hold", ())
    for effect in compared.effects.values():
        assert effect.low <= 1 <= effect.high


@pytest.mark.data
def test_real_sessions_made_twice_as_dear_are_not(policies):
    control, canary = policies[ARMS[0]], policies[ARMS[1]]
    dearer = [{**one, "cost": 2.0 * one["cost"]} for one in canary.values()]
    shown = [("control", one) for one in control.values()] + [("canary", one) for one in dearer]
    random.Random(1).shuffle(shown)
    compared = Comparison(METRICS, share=0.5)
    for arm, values in shown:
        verdict = compared.observe(datetime(2026, 2, 22, tzinfo=UTC), arm, "retail", values)
    assert (verdict.state, verdict.blamed) == ("roll_back", ("cost",))
    assert compared.effects["cost"].low > 1


@pytest.mark.data
def test_policies_served_one_after_the_other_have_no_control_and_no_verdict():
    detector, told, grid = Rollout(Watch(), {}), {}, 0.0
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        for line in lines:
            each = decode_event(line.rstrip())
            at = each.time.timestamp()
            if at >= grid:
                for found in detector.findings(at):
                    told.setdefault((found.finding, found.labels["release"][:20]), at)
                    assert detector._compared.verdict.state == "hold"
                grid = at + 5
            if each.type in Rollout.watches:
                detector.observe(each, at)
    first, second = "[Retail][Policy_v1][", "[Retail][Policy_v2]["
    # The next day a few sessions of the first and of control come again: still nothing can be told of it.
    assert list(told) == [("no_control", first), ("hold", first), ("no_control", second)]
