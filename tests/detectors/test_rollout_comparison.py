"""The comparison of a canary with control, as one who calls it sees it."""

from datetime import UTC, datetime, timedelta
from math import inf, log, nan

import msgspec
import numpy as np
import pytest

from detectors.rollout import Comparison, Verdict
from detectors.rollouts.arrivals import Arrivals
from detectors.rollouts.comparison import MOST_STRATA
from detectors.rollouts.instrumentation import MOST_SCHEMAS
from detectors.rollouts.stakes import Stakes

START = datetime(2026, 1, 1, tzinfo=UTC)
BOTH = {"error": "binary", "cost": "positive"}


def sessions(seed, count, *, share=0.2, worse=None, dearer=1.0, base=0.05):
    """Drawn sessions in four strata: (arm, stratum, values)."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        canary = draw.random() < share
        bad = draw.random() < (worse if canary and worse is not None else base)
        cost = draw.lognormal() * (dearer if canary else 1.0)
        arm = "canary" if canary else "control"
        yield arm, f"s{draw.integers(4)}", {"error": float(bad), "cost": cost}


def shown(compared, stream, step_s=1.0, **more):
    """The verdict after a stream of sessions; it ends where one is final."""
    verdict = compared.verdict
    for at, (arm, stratum, values) in enumerate(stream):
        verdict = compared.observe(START + timedelta(seconds=at * step_s), arm, stratum, values, **more)
        if verdict.state in {"roll_back", "invalid"}:
            break
    return verdict


def test_a_canary_that_fails_more_is_rolled_back_and_the_metric_is_blamed():
    verdict = shown(Comparison(BOTH, share=0.2), sessions(1, 20_000, worse=0.15))
    assert (verdict.state, verdict.blamed, verdict.stratum) == ("roll_back", ("error",), "")
    assert verdict.evidence >= 100
    assert 0 < verdict.canaries < verdict.controls < 5000


def test_a_canary_that_costs_more_is_rolled_back_with_an_interval_that_holds_the_truth():
    compared = Comparison(BOTH, share=0.2)
    verdict = shown(compared, sessions(2, 20_000, dearer=1.6))
    assert (verdict.state, verdict.blamed) == ("roll_back", ("cost",))
    effect = compared.effects["cost"]
    assert (effect.unit, effect.low <= 1.6 <= effect.high) == ("ratio", True)
    assert effect.low > 1
    assert effect.canary > 1.2 * effect.control
    assert compared.effects["error"].unit == "odds ratio"
    assert compared.effects["error"].low < 1 < compared.effects["error"].high


def test_what_is_worse_in_one_stratum_only_is_named():
    def stream(seed):
        draw = np.random.default_rng(seed)
        for arm, stratum, values in sessions(seed, 60_000, base=0.02):
            bad = arm == "canary" and stratum == "s2" and draw.random() < 0.1
            yield arm, stratum, {**values, "error": max(values["error"], float(bad))}

    verdicts = [shown(Comparison(BOTH, share=0.2), stream(seed)) for seed in range(5)]
    assert {verdict.state for verdict in verdicts} == {"roll_back"}
    assert sum(verdict.stratum == "s2" for verdict in verdicts) >= 4
    assert {verdict.stratum for verdict in verdicts} <= {"s2", ""}


def test_a_canary_that_equals_control_is_promoted_at_its_margins_in_time():
    compared = Comparison(BOTH, share=0.5, margins={"error": 2.0, "cost": 1.3})
    states = set()
    verdict = Verdict()
    for arm, stratum, values in sessions(4, 9000, share=0.5, base=0.2):
        verdict = compared.observe(START, arm, stratum, values)
        states.add(verdict.state)
    assert states == {"hold", "promote"}
    assert verdict.eta_sessions is None


def test_a_promoted_canary_is_still_rolled_back_when_it_turns_bad():
    compared = Comparison({"error": "binary"}, share=0.5, margins={"error": 2.0})
    assert shown(compared, sessions(5, 3000, share=0.5, base=0.3)).state == "promote"
    assert shown(compared, sessions(6, 5000, share=0.5, base=0.3, worse=0.9)).state == "roll_back"


def test_while_nothing_is_known_it_holds_and_says_for_how_long():
    compared = Comparison({"error": "binary"}, share=0.5)
    assert shown(compared, sessions(7, 15, share=0.5)) == Verdict()
    verdict = shown(compared, sessions(8, 400, share=0.5, base=0.3, worse=0.36))
    assert verdict.state == "hold"
    assert verdict.eta_sessions is not None
    assert verdict.eta_sessions > 0


def test_without_sessions_in_both_arms_it_holds_for_ever():
    compared = Comparison(BOTH, share=None)
    verdict = shown(compared, (("canary", "s", {"error": 1.0, "cost": 1e9}) for _ in range(500)))
    assert (verdict.state, verdict.eta_sessions, verdict.canaries, verdict.controls) == ("hold", None, 500, 0)
    effect = compared.effects["cost"]
    assert (effect.low, effect.high, effect.canary, effect.control) == (0.0, inf, None, None)


def test_without_its_share_lost_arrivals_go_unseen_and_all_else_works():
    verdict = shown(Comparison(BOTH, share=None), sessions(9, 9000, share=0.4, worse=0.2))
    assert verdict.state == "roll_back"


def test_canaries_that_do_not_arrive_make_it_invalid():
    stream = (each for at, each in enumerate(sessions(10, 40_000)) if each[0] == "control" or at % 4)
    verdict = shown(Comparison(BOTH, share=0.2), stream)
    assert (verdict.state, verdict.fault, verdict.blamed) == ("invalid", "arrivals", ())


def test_records_that_lack_more_in_one_arm_make_it_invalid():
    def stream():
        for at, (arm, stratum, values) in enumerate(sessions(11, 20_000)):
            yield arm, stratum, {"error": values["error"]} if arm == "canary" and at % 10 == 0 else values

    verdict = shown(Comparison(BOTH, share=0.2), stream())
    assert (verdict.state, verdict.fault) == ("invalid", "missing fields")


def test_what_both_arms_lack_alike_is_no_fault_and_the_rest_is_compared():
    compared = Comparison(BOTH, share=0.2)
    stream = (
        (arm, stratum, {**values, "cost": nan if at % 3 else values["cost"]})
        for at, (arm, stratum, values) in enumerate(sessions(12, 20_000, dearer=2.0))
    )
    verdict = shown(compared, stream)
    assert (verdict.state, verdict.blamed) == ("roll_back", ("cost",))


def test_a_metric_that_nobody_has_says_nothing():
    stream = ((arm, stratum, {"error": values["error"]}) for arm, stratum, values in sessions(13, 4000))
    verdict = shown(Comparison(BOTH, share=0.2), stream, lacking=())
    assert verdict.state == "hold"


def test_another_schema_in_one_arm_makes_it_invalid():
    compared = Comparison(BOTH, share=0.2)
    verdict = Verdict()
    for arm, stratum, values in sessions(14, 3000):
        verdict = compared.observe(START, arm, stratum, values, schema="2" if arm == "canary" else "1")
    assert (verdict.state, verdict.fault) == ("invalid", "schema version")


def test_schemas_beyond_a_cap_count_as_one():
    compared = Comparison(BOTH, share=0.5)
    for at, (arm, stratum, values) in enumerate(sessions(15, 400, share=0.5)):
        compared.observe(START, arm, stratum, values, schema=str(at))
    assert len(compared._instrumentation._schemas) == MOST_SCHEMAS


@pytest.mark.parametrize("bad", [nan, inf, -inf, -1.0, 0.0, None])
def test_an_amount_that_has_no_logarithm_is_missing(bad):
    compared = Comparison({"cost": "positive"}, share=0.5)
    for at in range(400):
        cost = bad if at % 7 == 0 else 1.0 + at % 5
        verdict = compared.observe(START, "canary" if at % 2 else "control", "", {"cost": cost})
    assert verdict.state == "hold"


def test_ramps_declared_or_unseen_do_not_mix_shares_in_a_block():
    compared = Comparison({"error": "binary"}, share=0.01)
    shown(compared, sessions(16, 50, share=0.01))
    compared.step(0.5)
    compared.step(0.5)
    assert [count for _, count in compared.shares.values()] == [0, 0, 0, 0]
    assert compared.verdict.canaries + compared.verdict.controls == 50
    shown(compared, sessions(17, 400, share=0.5))
    assert sum(canaries for canaries, _ in compared.shares.values()) > 150
    assert compared.verdict.state == "hold"


def test_strata_may_have_shares_of_their_own():
    compared = Comparison({"error": "binary"}, share={"easy": 0.1, "hard": 0.5})
    draw = np.random.default_rng(18)
    for _ in range(20_000):
        hard = draw.random() < 0.3
        canary = draw.random() < (0.5 if hard else 0.1)
        bad = draw.random() < (0.3 if hard else 0.02)
        stratum = "hard" if hard else "easy"
        verdict = compared.observe(START, "canary" if canary else "control", stratum, {"error": float(bad)})
    assert verdict.state in {"hold", "promote"}


def test_a_block_that_a_day_does_not_fill_is_judged_as_it_is():
    compared = Comparison({"error": "binary"}, share=0.5)
    stream = (("canary" if at % 2 else "control", "", {"error": float(at % 2)}) for at in range(60))
    verdict = shown(compared, stream, step_s=7200.0)
    assert verdict.state == "roll_back"


def test_times_without_a_zone_are_taken_for_utc():
    compared = Comparison({"error": "binary"}, share=0.5)
    compared.observe(START.replace(tzinfo=None), "canary", "", {"error": 0.0})
    assert compared._blocks[0].began == START.timestamp()


def test_strata_beyond_the_cap_are_left_out_and_counted():
    compared = Comparison(BOTH, share=0.5)
    for at in range(MOST_STRATA + 5):
        compared.observe(START, "canary", f"s{at}", {"error": 0.0, "cost": 1.0})
    assert (len(compared.shares), compared.left_out) == (MOST_STRATA, 5)


def test_its_memory_does_not_grow_with_sessions():
    compared = Comparison(BOTH, share=0.05)
    sizes = []
    for seed in range(6):
        shown(compared, sessions(100 + seed, 2000, share=0.05))
        sizes.append(len(compared.save()))
    assert max(sizes) <= 1.1 * sizes[0] + 4 * 40 * 17
    assert max(sizes) <= 24_000


def test_a_restart_anywhere_changes_no_verdict():
    stream = list(sessions(19, 4000, worse=0.09))
    whole, broken = Comparison(BOTH, share=0.2), Comparison(BOTH, share=0.2)
    for at, (arm, stratum, values) in enumerate(stream):
        expected = whole.observe(START, arm, stratum, values, schema=str(at % 2))
        assert broken.observe(START, arm, stratum, values, schema=str(at % 2)) == expected
        if at % 97 == 0:
            state = broken.save()
            broken = Comparison.load(state)
            assert broken.save() == state
            assert broken.verdict == expected
    assert broken.save() == whole.save()
    assert broken.effects == whole.effects


def test_order_within_a_block_changes_no_verdict():
    stream = list(sessions(20, 2000, worse=0.1))
    one, other = Comparison(BOTH, share=0.2), Comparison(BOTH, share=0.2)
    by_stratum = {}
    for each in stream:
        by_stratum.setdefault(each[1], []).append(each)
    draw = np.random.default_rng(20)
    for each in by_stratum.values():
        for begin in range(0, len(each), 20):
            block = each[begin : begin + 20]
            for place in range(len(block)):
                one.observe(START, *block[place])
            for place in draw.permutation(len(block)):
                other.observe(START, *block[place])
    assert one.verdict.state == other.verdict.state
    assert one.verdict.evidence == pytest.approx(other.verdict.evidence, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (({}, 0.1), "at least one metric"),
        (({"error": "odd"}, 0.1), "binary or positive, found 'odd'"),
        (({"error": "binary"}, 1.5), r"share must be in \[0, 1\], found 1.5"),
        (({"error": "binary"}, 0.1, 1.0), r"alpha must be in \(0, 1\), found 1.0"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        Comparison(*arguments)


def test_a_margin_below_one_is_refused():
    with pytest.raises(ValueError, match=r"margin must be above 1, found 0\.9"):
        Comparison({"error": "binary"}, 0.1, margins={"error": 0.9})


def test_a_third_arm_is_refused():
    with pytest.raises(ValueError, match="canary or control, found 'shadow'"):
        Comparison(BOTH, 0.1).observe(START, "shadow", "", {})


def test_stakes_of_later_strata_come_out_of_what_there_is():
    stakes = Stakes()
    assert stakes.total == 0
    stakes.enter()
    stakes.won[0] = 2.0
    before = stakes.total
    stakes.enter()
    assert stakes.total == pytest.approx(before)
    assert stakes.best == 0


def test_evidence_of_lost_arrivals_outlives_a_step():
    arrivals = Arrivals()
    arrivals.count(10, 1000, 0.05)
    before = arrivals.evidence(0.05)
    arrivals.step(0.05)
    assert arrivals.evidence(0.2) == before > 10
    arrivals.count(1, 50, None)
    assert arrivals.evidence(None) == before


def test_an_arm_that_pauses_is_no_lost_arrival_and_short_gaps_count():
    paused, gap = Arrivals(), Arrivals()
    for arrivals, alone in ((paused, 400), (gap, 200)):
        arrivals.count(2, 40, 0.05)
        arrivals.count(0, alone // 2, 0.05)
        arrivals.count(0, alone // 2, 0.05)
        arrivals.count(2, 40, 0.05)
    assert (paused.canaries, paused.all) == (4, 80)
    assert (gap.canaries, gap.all) == (4, 280)


def test_one_arm_after_the_other_is_no_comparison_and_no_fault():
    compared = Comparison(BOTH, share=0.5)
    draw = np.random.default_rng(21)
    for arm in ("control", "canary", "control"):
        for _ in range(114):
            values = {"error": float(draw.random() < 0.4), "cost": draw.lognormal()}
            assert compared.observe(START, arm, "", values).state == "hold"


def test_what_earlier_versions_kept_of_a_comparison_goes_on():
    """They kept zeros too, and each stratum's part of the stake instead of what all had when it entered."""
    whole = Comparison(BOTH, share=0.2)
    stream = [*sessions(3, 3000, worse=0.02)]
    for each in stream[:1500]:
        whole.observe(START, *each)
    whole.observe(START, "canary", "late", {"error": 1.0, "cost": 2.0})
    kept = msgspec.msgpack.decode(whole.save())
    for one, evidence in zip(kept[8], whole._evidence, strict=True):
        numbers = evidence.logs, np.concatenate(evidence._parts)
        one[:] = [*(each.astype(np.float32).tobytes() for each in numbers), _shares(one[2]), one[3]]
    kept[9][1] = _shares(kept[9][1])
    recorded = whole._instrumentation
    kept[9][2:4] = [each.tobytes() for each in (recorded._lacking, recorded._schema)]
    again = Comparison.load(msgspec.msgpack.encode(kept))
    for each in stream[1500:]:
        whole.observe(START, *each)
        again.observe(START, *each)
    assert again.verdict.state == whole.verdict.state
    assert again.verdict.evidence == pytest.approx(whole.verdict.evidence)
    assert again.effects == whole.effects


def _shares(stakes):
    _, won, entered = stakes
    return [[each - log(len(entered)) for each in entered], won]


def test_strata_of_which_nothing_is_known_take_few_bytes():
    one, many = Comparison(BOTH, share=0.2), Comparison(BOTH, share=0.2)
    for place in range(32):
        one.observe(START, "control", "0", {"error": 0.0, "cost": 1.0})
        many.observe(START, "control", str(place), {"error": 0.0, "cost": 1.0})
    assert len(many.save()) < len(one.save()) + 32 * 50
