"""A rollout as it is planned: its steps, how long each lasts, what is compared, and what the router draws."""

import random

import msgspec
import pytest

from detectors.rollout import Rollout
from detectors.rollouts.met import BYTES, Met
from detectors.rollouts.packed import rounded
from detectors.rollouts.plan import plan_of
from detectors.rollouts.rollout_finding import LONG_S
from detectors.settings import Settings, Watch
from tests.detectors.agent_events import START_S, event
from tests.detectors.streams_rollout import step
from tests.detectors.test_rollout import Shown, changed, rollout

HOUR_S = 3600.0


def bare(count, **more):
    """Sessions of which only outcome and duration are told."""
    yield from changed(rollout(count, **more), usage=lambda _: None, evaluation=lambda _: None)


def test_who_holds_for_long_is_told_so_and_for_how_long_still():
    shown = Shown().feed([step(START_S, 0.1), *rollout(int(LONG_S / 10) - 10, share=0.1)])
    assert shown.found == ()
    shown.feed(rollout(40, begin_s=LONG_S, share=0.1, seed=2))
    found = shown.finding
    assert (found.finding, found.labels) == ("hold", {"release": "v2"})
    assert found.summary.startswith("canary v2 is neither worse nor fit to go on after 1,")
    assert found.summary.endswith(("to go at this traffic", "no verdict in sight at this traffic"))
    assert found.onset == shown.trial.began


def test_an_end_is_told_as_evidence_has_grown_so_far():
    shown = Shown(margins={"sessions": 3.0, "duration": 1.5}).feed(
        [step(START_S, 0.3), *bare(1500, every_s=12.0)]
    )
    assert shown.finding.summary.endswith(" hours to go at this traffic") or shown.finding.finding == "ready"


def test_nothing_is_in_sight_before_a_block_is_over():
    shown = Shown(maturity="5h").feed([step(START_S, 0.3), *rollout(10)])
    shown.feed(rollout(5, begin_s=LONG_S))
    assert shown.finding.summary.endswith("hold, no verdict in sight at this traffic")


def ready(**options):
    margins = {"error": 8.0, "tools": 8.0, "duration_s": 2.0}
    options = {"margins": margins, "alpha": 0.05, "steps": ["5%", "50%", 1.0], **options}
    return Shown(**options).feed([step(START_S, 0.5), *bare(1200, share=0.5)])


def test_who_is_fit_goes_on_to_the_next_step():
    found = ready().finding
    assert (found.finding, found.labels) == ("ready", {"release": "v2", "step": "1"})
    assert found.summary.endswith("promote to 1")


def test_without_steps_or_a_share_the_next_is_not_named():
    assert plan_of({"steps": ["5%", 0.5]}).after(0.05) == 0.5
    assert plan_of({"steps": ["5%", 0.5]}).after(0.5) is None
    assert plan_of({"steps": ["5%"]}).after(None) is None
    found = ready(steps=()).finding
    assert (found.labels, found.summary.endswith(": promote")) == ({"release": "v2"}, True)


def test_the_present_step_does_not_follow_itself_though_its_share_is_rounded():
    plan = plan_of({"steps": ["33.333%", "100%"]})
    assert plan.after(rounded(0.33333)) == 1.0
    assert plan.after(rounded(0.99999)) == 1.0
    assert plan_of({"steps": ["0.001%", "5%"]}).after(rounded(0.00001)) == 0.05
    assert ready(steps=["50.004%", "100%"]).finding.labels["step"] == "1"


def test_a_step_lasts_as_long_as_it_is_to_last():
    shown = ready(min_time="4h30m")
    assert shown.found == ()
    shown.feed(bare(60, begin_s=LONG_S, share=0.5, seed=3))
    assert shown.finding.finding == "hold"
    assert "in a step that is to last: hold, " in shown.finding.summary
    assert shown.finding.summary.endswith(" minutes to go")
    shown.feed(bare(60, begin_s=4.6 * HOUR_S, share=0.5, seed=4))
    assert shown.finding.finding == "ready"
    onset = shown.finding.onset
    shown.feed([step(START_S + 4.8 * HOUR_S, 0.6)])
    for hours in (4.9, 5.7, 6.5, 7.3, 8.1, 8.9):
        shown.feed(bare(10, begin_s=hours * HOUR_S, share=0.6, seed=int(hours)))
        assert shown.finding.finding == "hold"
    shown.feed(bare(20, begin_s=9.4 * HOUR_S, share=0.6, seed=6))
    assert shown.finding.labels == {"release": "v2", "step": "1"}
    assert shown.finding.onset > onset


def test_a_step_that_changes_nothing_does_not_begin_anew():
    shown = Shown().feed([step(START_S, 0.3), *rollout(20), step(START_S + 900, 0.3)])
    assert shown.trial.stepped == shown.trial.began


def test_strata_are_made_of_attributes_too():
    plan = plan_of({"strata": ["request.model", "task.type", "tenant.id", "operation"]})
    data = event(START_S, request={"model": "m"}, attributes={"task.type": "refund"}).data
    assert plan.stratum(data) == "m/refund//chat"
    assert plan_of({}).stratum(data) == ""


def test_a_stratum_of_an_attribute_without_end_is_cut():
    plan = plan_of({"strata": ["operation", "task.type"]})
    data = event(START_S, attributes={"task.type": "x" * 900_000}).data
    assert plan.stratum(data) == "chat/" + "x" * 251


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unit": "tenant"}, 'no unit "tenant": expected one of session, user'),
        ({"steps": ["many"]}, "could not convert"),
        ({"margins": ["error"]}, "expected margins by metric, such as error: 1.5; found"),
        ({"margins": {"error": "0"}}, "expected a number above 0, found '0'"),
        ({"margins": {"eror": 2}}, 'no metric "eror": expected one of sessions'),
        ({"strata": ["modl"]}, 'no part of an event "modl": expected one of tenant, '),
        ({"strata": "model"}, "expected a list, found 'model'"),
        ({"min_time": "soon"}, "no span of time"),
    ],
)
def test_plans_that_do_not_hold_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Rollout(Watch(), options)


def test_an_agent_s_rollouts_have_options_of_their_own():
    settings = Settings(
        detectors={"rollout": {"alpha": 0.05, "maturity": "5m"}},
        rollouts=(("refund-*", {"alpha": 0.001}), ("*-eu", {"unit": "user"})),
    )
    assert settings.options("rollout", "refund-eu") == {"alpha": 0.001, "maturity": "5m"}
    assert settings.options("rollout", "search-eu") == {"alpha": 0.05, "maturity": "5m", "unit": "user"}
    assert settings.options("rollout", "search") == {"alpha": 0.05, "maturity": "5m"}
    assert settings.options("cost", "refund-eu") == {}


# -- users ------------------------------------------------------------------------------------------------


def users(count, each, *, begin_s=0.0, spread=0.7, seed=1):
    """Sessions of users who stay in their arm, and whose sessions cost alike."""
    draw = random.Random(seed)
    arms = [draw.random() < 0.3 for _ in range(count)]
    level = [draw.lognormvariate(0.0, spread) for _ in range(count)]
    for at in range(count * each):
        who = draw.randrange(count)
        cohort = "canary" if arms[who] else "control"
        for one in rollout(1, begin_s=begin_s + 10 * at, share=float(arms[who]), seed=seed + at):
            usage = one.data.usage and msgspec.structs.replace(
                one.data.usage, cost_amount=one.data.usage.cost_amount * level[who]
            )
            release = msgspec.structs.replace(one.data.release, cohort=cohort)
            user = event(START_S, user={"id": f"u{who}"}).data.user
            data = msgspec.structs.replace(one.data, usage=usage, release=release, user=user)
            yield msgspec.structs.replace(one, data=data)


def test_of_a_user_only_the_first_session_counts():
    shown = Shown(unit="user", maturity="1m").feed(users(30, 8))
    compared = shown.detector._compared
    scored = compared._waiting + sum(compared._sessions) + len(shown.detector._sessions.open)
    assert 25 <= scored <= 30
    other = Shown(maturity="1m").feed(users(30, 8))
    assert other.detector._compared._waiting + sum(other.detector._compared._sessions) > 200


def test_with_another_step_users_count_again():
    shown = Shown(unit="user", maturity="1m").feed([step(START_S, 0.2), *users(30, 4)])
    before = shown.detector._compared._waiting + sum(shown.detector._compared._sessions)
    shown.feed([step(START_S + 1250, 0.3), *users(30, 4, begin_s=1300)])
    assert shown.detector._compared._waiting + sum(shown.detector._compared._sessions) > 1.5 * before


def visits(number, count, *, at=0.0, cohort="canary", user="ana"):
    """Events of a session that does not say when it starts; only the first tells whose it is."""
    for each in range(count):
        yield event(
            START_S + at + 2 * each,
            release={"id": "v2", "cohort": cohort},
            conversation={"id": f"c{number}"},
            user={"id": user} if not each else None,
        )


AN_HOUR_ON = 3601.0
"""From then on sessions count that do not say when they start, where they are scored after an hour."""


def test_further_sessions_of_a_user_never_count_whatever_their_events_tell():
    shown = Shown(unit="user", maturity="1h").feed(visits(9, 1, user="bo"))
    for number in range(3):
        shown.feed(visits(number, 10, at=AN_HOUR_ON + 100 * number))
    assert len(shown.detector._sessions.open) == 1
    assert shown.trial.canaries == 1
    assert shown.trial.last_canary == START_S + AN_HOUR_ON + 200
    assert len(shown.detector._sessions.closed) == 3


def test_a_share_that_is_told_again_makes_nobody_new():
    shown = Shown(unit="user", maturity="1h").feed([step(START_S, 0.2), *visits(9, 1, user="bo")])
    shown.feed([*visits(1, 1, at=AN_HOUR_ON), step(START_S + AN_HOUR_ON + 50, 0.2)])
    shown.feed(visits(2, 1, at=AN_HOUR_ON + 100))
    assert len(shown.detector._sessions.open) == 1
    shown.feed([step(START_S + AN_HOUR_ON + 150, 0.3), *visits(3, 1, at=AN_HOUR_ON + 200)])
    assert len(shown.detector._sessions.open) == 2


def test_where_no_user_is_told_sessions_count():
    shown = Shown(unit="user").feed([step(START_S, 0.3), *rollout(700, worse=0.4)])
    assert shown.finding.finding == "worse"


def test_who_was_met_is_met_whatever_comes_and_across_a_restart():
    met, again = Met(), Met()
    for at in range(5000):
        first = met.meets(f"u{at}")
        assert again.meets(f"u{at}") == first
        if at % 1000 == 0:
            again = msgspec.msgpack.decode(msgspec.msgpack.encode(again), type=Met)
    assert not any(met.meets(f"u{at}") for at in range(5000))
    assert sum(met.meets(f"v{at}") for at in range(1000)) > 850
    assert len(met.bits) == BYTES
