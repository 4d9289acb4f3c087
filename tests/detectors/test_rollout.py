"""Canaries as the detector sees them: by events of sessions, releases and evaluations."""

import random
from itertools import pairwise

import msgspec
import pytest

from detectors.course import trend
from detectors.detector import State
from detectors.rollout import MOST_BYTES, Rollout
from detectors.rollouts.comparison import MOST_WAITING
from detectors.rollouts.packed import pack, unpack
from detectors.rollouts.sessions import MOST_CLOSED, MOST_EVALUATIONS, MOST_OPEN, MOST_SCORED, MOST_STRATA
from detectors.rollouts.telling import MINUTES
from detectors.rollouts.trial import MOST_DONE, Trial
from detectors.settings import Watch
from schemas.event import Failure
from tests.detectors.agent_events import START_S, event
from tests.detectors.streams_rollout import session, stable, step

HOUR_S = 3600.0
GRID_S = 5.0


class Shown:
    """A detector that is asked on the grid, as the bank asks."""

    def __init__(self, **options):
        self.detector = Rollout(Watch(), options)
        self.now, self.found = 0.0, []

    def feed(self, events):
        for each in events:
            at = each.time.timestamp()
            if at // GRID_S > self.now // GRID_S:
                self.ask(at // GRID_S * GRID_S)
            self.now = max(self.now, at)
            self.detector.observe(each, self.now)
        return self

    def ask(self, now):
        self.now = max(self.now, now)
        self.found = self.detector.findings(now)
        return self.found

    def wait(self, seconds):
        return self.ask(self.now + seconds)

    @property
    def finding(self):
        [found] = self.found
        told = found.told()
        assert (told.finding, told.onset, told.labels) == (found.finding, found.onset, found.labels)
        return told

    @property
    def trial(self):
        return self.detector._trial


def rollout(count, *, seed=1, begin_s=0.0, every_s=10.0, **more):
    """Sessions of a rollout; what `session` takes by name."""
    draw = random.Random(seed)
    for at in range(count):
        yield from session(START_S + 1 + begin_s + at * every_s, draw, **more)


def changed(events, **how):
    """Events with parts of the data replaced by functions of the data."""
    for each in events:
        parts = {name: make(each.data) for name, make in how.items()}
        yield msgspec.structs.replace(each, data=msgspec.structs.replace(each.data, **parts))


def is_canary(data):
    return data.release is not None and data.release.cohort == "canary"


def worse(**more):
    return Shown().feed([step(START_S, 0.3), *rollout(700, worse=0.4, **more)])


def test_a_worse_canary_is_named_with_its_metric_effect_and_samples():
    shown = worse()
    found = shown.finding
    assert (found.finding, found.labels) == ("worse", {"release": "v2", "metric": "sessions"})
    assert found.observed > 0.3
    assert found.baseline < 0.1
    assert found.magnitude > 3
    assert found.confidence >= 0.99
    assert found.blast.sessions >= 30
    assert 0.2 < found.blast.share < 0.4
    assert "fail or never end" in found.summary
    assert "odds ratio" in found.summary
    assert found.summary.endswith("canary sessions: roll back")
    assert all("agent_error" in each.text or "not_found" in each.text for each in found.samples)
    assert START_S < found.onset < shown.now


def test_its_onset_and_labels_stay_while_it_holds():
    shown = Shown().feed([step(START_S, 0.3)])
    seen = set()
    for each in rollout(700, worse=0.4):
        shown.feed([each])
        seen |= {(found.onset, *found.labels.items()) for found in shown.found}
    assert len(seen) == 1


def test_a_canary_that_costs_more_is_blamed_for_cost():
    def usage(data):
        more = 3.0 if is_canary(data) else 1.0
        return data.usage and msgspec.structs.replace(data.usage, cost_amount=data.usage.cost_amount * more)

    shown = Shown().feed(changed(rollout(700), usage=usage))
    assert shown.finding.labels["metric"] == "cost"
    assert shown.finding.unit == "USD per session"
    assert "a session costs $" in shown.finding.summary


def test_a_canary_whose_sessions_never_end_is_bad():
    stream = [
        each
        for each in rollout(700)
        if not (is_canary(each.data) and each.data.conversation.state == "ended")
    ]
    found = Shown().feed(stream).finding
    assert (found.finding, found.labels["metric"]) == ("worse", "sessions")
    assert found.observed == 1.0


def test_worse_evaluations_and_tools_are_blamed():
    def poor(data):
        return data.evaluation and msgspec.structs.replace(
            data.evaluation, score_value=0.0 if is_canary(data) else data.evaluation.score_value
        )

    assert Shown().feed(changed(rollout(700), evaluation=poor)).finding.labels["metric"] == "evaluation"

    def slip(data):
        return data.error or (
            event(START_S, error={"type": "down"}).data.error
            if is_canary(data) and data.operation.name == "execute_tool"
            else None
        )

    assert Shown().feed(changed(rollout(700), error=slip)).finding.labels["metric"] == "tools"


def test_escalations_are_no_failures():
    def escalated(data):
        ended = is_canary(data) and data.conversation.state == "ended"
        return event(START_S, error={"type": "handoff", "class": "escalation"}).data.error if ended else None

    assert Shown().feed(changed(rollout(700, worse=0.0), error=escalated)).found == ()


def test_where_it_is_worse_is_named():
    draw = random.Random(3)

    def stream():
        for at in range(3000):
            name = draw.choice("abcd")
            bad = 0.8 if name == "c" else 0.05
            yield from session(START_S + 1 + at * 10, draw, worse=bad, stratum=name)

    shown = Shown().feed(stream())
    assert "most of all in c" in shown.finding.summary
    contributor, *others = shown.finding.contributors
    assert (contributor.dimension, contributor.value) == ("stratum", "c")
    assert contributor.lift > 2
    strata = [each for each in others if each.dimension == "stratum"]
    assert strata
    assert all(0.15 < each.share < 0.35 and 0.7 < each.lift < 1.4 for each in strata)


def test_what_fails_in_a_worse_canary_and_how_it_goes_by_the_minute_is_told():
    shown = worse()
    found = shown.finding
    [failing] = found.contributors
    assert (failing.dimension, failing.value) == ("error type", "agent_error")
    assert failing.share > 0.6
    assert failing.lift > 1.5
    assert len(found.history) == MINUTES
    assert sum(found.history) / MINUTES == pytest.approx(found.observed, abs=0.1)
    assert found.trend == trend(found.history)


def test_what_of_the_canary_s_traffic_control_lacks_is_told_and_nothing_is_promoted_on_it():
    draw = random.Random(8)

    def stream(count, begin=0, *, lacking=True):
        for at in range(begin, begin + count):
            name = "chat" if at % 3 else "batch"
            share = 1.0 if lacking and name == "batch" else 0.3
            yield from session(START_S + 1 + at * 10, draw, share=share, worse=0.05, stratum=name)

    margins = dict.fromkeys(("sessions", "tools", "evaluation"), 6.0) | dict.fromkeys(
        ("cost", "tokens", "duration"), 1.6
    )
    shown = Shown(margins=margins).feed(stream(2500))
    found = shown.finding
    assert (found.finding, found.labels) == ("unbalanced", {"release": "v2"})
    assert "that control hardly has (batch)" in found.summary
    assert found.summary.endswith("control sessions: hold")
    assert 0.5 < found.observed < 0.7
    assert found.blast.share == found.observed
    assert [each.value for each in found.contributors] == ["batch", "chat"]
    assert found.contributors[0].lift == 100.0
    shown.feed(stream(2500, 2500, lacking=False))
    assert shown.finding.finding == "ready"


def test_a_worse_canary_is_rolled_back_on_what_can_be_compared():
    draw = random.Random(8)

    def stream():
        for at in range(1200):
            share, name = (1.0, "batch") if at % 3 == 0 else (0.3, "chat")
            yield from session(START_S + 1 + at * 10, draw, share=share, worse=0.5, stratum=name)

    shown = Shown().feed(stream())
    assert shown.finding.finding == "worse"
    assert "of them compared with nothing: batch): roll back" in shown.finding.summary


def test_a_minute_in_which_no_canary_has_a_metric_shows_the_one_before():
    def usage(data):
        return data.usage if int(float(data.conversation.id[1:])) // 60 % 2 else None

    shown = Shown().feed(changed(rollout(700, worse=0.4), usage=usage))
    told = shown.detector._telling
    costs = told.means("cost")
    assert len(told.minutes.rows) == MINUTES
    assert sum(one == other for one, other in pairwise(costs)) >= 10
    assert len(told.sessions()) == MINUTES
    assert len(told.means("tokens")) in {MINUTES - 1, MINUTES}


def test_a_canary_without_control_is_told_and_held():
    shown = Shown().feed(rollout(60, share=1.0))
    assert shown.found == ()
    shown.feed(rollout(60, begin_s=700, share=1.0, every_s=20))
    assert shown.finding.finding == "no_control"
    assert "nothing to compare it with: hold" in shown.finding.summary
    onset = shown.finding.onset
    shown.feed(rollout(5, begin_s=2000, share=1.0))
    assert shown.finding.onset == onset
    shown.feed(rollout(40, begin_s=2100, share=0.3))
    assert shown.found == ()


def test_a_canary_within_its_margins_is_ready_and_may_still_turn_bad():
    shown = Shown(
        margins=dict.fromkeys(("sessions", "tools", "evaluation"), 6.0)
        | {"cost": 1.6, "tokens": 1.6, "duration": 1.6}
    )
    shown.feed([step(START_S, 0.5), *rollout(2500, share=0.5, worse=0.05)])
    found = shown.finding
    assert (found.finding, found.labels) == ("ready", {"release": "v2"})
    assert found.summary.endswith("canary sessions: promote")
    shown.feed(rollout(900, begin_s=25_000, share=0.5, worse=0.9))
    assert shown.finding.finding == "worse"
    assert shown.finding.onset > found.onset


def test_what_no_session_has_need_not_be_within_its_margin():
    margins = {"sessions": 6.0, "tools": 6.0, "duration": 1.6}
    bare = changed(rollout(2500, share=0.5), usage=lambda _: None, evaluation=lambda _: None)
    shown = Shown(margins=margins).feed(bare)
    assert shown.finding.finding == "ready"
    assert "cost" not in shown.finding.summary


def test_lost_arrivals_make_it_invalid():
    draw = random.Random(4)
    gone = {f"c{START_S + 1 + at * 10:.1f}": draw.random() < 0.6 for at in range(4000)}
    stream = (
        each for each in rollout(4000) if not (is_canary(each.data) and gone[each.data.conversation.id])
    )
    shown = Shown().feed([step(START_S, 0.3), *stream])
    assert shown.finding.finding == "invalid"
    assert shown.finding.labels == {"release": "v2", "fault": "arrivals"}
    assert "the router's share" in shown.finding.summary


def test_missing_usage_in_one_arm_makes_it_invalid():
    shown = Shown().feed(changed(rollout(900), usage=lambda data: None if is_canary(data) else data.usage))
    assert shown.finding.labels["fault"] == "missing fields"


def test_other_currencies_and_odd_scores_are_left_out():
    def usage(data):
        return data.usage and msgspec.structs.replace(data.usage, cost_currency="EUR")

    def odd(data):
        return data.evaluation and msgspec.structs.replace(
            data.evaluation,
            name=f"e{data.conversation.id[-4:-2]}",
            score_value=None if data.error else float("nan"),
        )

    shown = Shown().feed(changed(rollout(200), usage=usage, evaluation=odd))
    assert shown.found == ()
    assert shown.detector._compared.effects["cost"].canary is None
    assert shown.detector._compared.effects["evaluation"].canary is None


def test_evaluations_beyond_a_number_of_names_are_left_out():
    def named(data):
        return data.evaluation and msgspec.structs.replace(data.evaluation, name=data.conversation.id)

    shown = Shown().feed(changed(rollout(100), evaluation=named))
    assert len(shown.detector._sessions.means) == MOST_EVALUATIONS


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_rollout_ends_with_its_last_step(share):
    shown = worse()
    shown.feed([step(shown.now + 1, share)])
    assert shown.wait(GRID_S) == ()
    assert shown.detector.wake_at is None
    shown.feed(rollout(300, begin_s=7200, worse=0.4))
    assert shown.found == ()


def test_what_is_rolled_back_is_over_an_hour_after_its_last_session():
    shown = worse()
    shown.feed(rollout(100, begin_s=7200, share=0.0))
    assert shown.finding.finding == "worse"
    assert shown.wait(HOUR_S) == ()
    assert shown.trial.done == ["v2"]


def test_a_worse_canary_holds_through_a_night_in_which_nothing_comes():
    shown = worse()
    before = shown.finding
    assert shown.wait(14 * HOUR_S)
    shown.feed(rollout(60, begin_s=7200 + 14 * HOUR_S, worse=0.4))
    assert (shown.finding.finding, shown.finding.onset) == ("worse", before.onset)
    assert shown.wait(4 * 24 * HOUR_S) == ()


def test_a_canary_of_which_little_comes_is_not_over_after_an_hour_without():
    trial = Trial()
    trial.start("v2", START_S)
    trial.settle("roll_back", START_S)
    for minute in range(1, 1000):
        now = START_S + 60.0 * minute
        trial.hear(now)
        trial.came(now, canary=minute % 100 == 1, counts=True)
    assert now - trial.last_canary > HOUR_S
    trial.settle("roll_back", now)
    assert trial.release == "v2"
    for minute in range(1000, 2600):
        now = START_S + 60.0 * minute
        trial.hear(now)
        trial.settle("roll_back", now)
    assert trial.done == ["v2"]


def test_what_is_held_is_held_by_night_and_no_more_once_its_sessions_are_missed():
    shown = Shown().feed(rollout(5 * 60, every_s=60.0, share=0.05))
    assert shown.finding.finding == "hold"
    shown.wait(14 * HOUR_S)
    assert shown.finding.finding == "hold"
    shown.feed(rollout(6 * 60, begin_s=19 * HOUR_S, every_s=60.0, share=0.0))
    assert shown.found == ()


def test_a_rollout_of_a_friday_goes_on_on_monday():
    shown = Shown().feed(rollout(300, share=0.3))
    shown.feed(rollout(700, begin_s=64 * HOUR_S, worse=0.4))
    assert shown.finding.finding == "worse"


def test_a_canary_nobody_judged_is_forgotten_after_a_day():
    shown = Shown().feed(rollout(10))
    assert shown.wait(2 * HOUR_S) == ()
    assert shown.detector.wake_at == shown.trial.last_canary + 24 * HOUR_S
    shown.wait(24 * HOUR_S)
    assert not shown.trial.release


def test_steps_of_a_ramp_are_followed_by_the_sessions_that_begin_after_them():
    shown = Shown().feed([step(START_S, 0.1), *rollout(300, share=0.1)])
    shown.feed([step(START_S + 3100, 0.5), *rollout(600, begin_s=3200, share=0.5, seed=5)])
    assert shown.found == ()
    assert shown.detector._compared._share == 0.5


def test_a_share_announced_for_another_release_is_not_taken():
    shown = Shown().feed([step(START_S, 0.1, "v9"), *rollout(20)])
    assert shown.trial.share is None
    shown.feed([step(START_S + 300, 0.4, "v9"), step(START_S + 301, 0.3)])
    assert (shown.trial.share, shown.trial.announced_share) == (0.3, 0.4)
    shown.feed([step(START_S + 310, 1.0, "v9"), event(START_S + 311, "deploy", "agent.release.v1")])
    assert shown.trial.release == "v2"


def test_a_new_release_begins_anew_and_an_old_one_does_not_come_back():
    def as_(name):
        return lambda data: msgspec.structs.replace(data.release, id=name if is_canary(data) else "v1")

    shown = worse()
    shown.feed(changed(rollout(40, begin_s=7200, seed=6), release=as_("v3")))
    assert shown.trial.release == "v3"
    assert shown.found == ()
    shown.feed(rollout(40, begin_s=7700, worse=0.9, seed=7))
    assert (shown.trial.release, shown.trial.done) == ("v3", ["v2"])
    for number in range(2 * MOST_DONE):
        shown.feed(changed(rollout(3, share=1.0, begin_s=9000 + 40 * number), release=as_(f"w{number}")))
    assert len(shown.trial.done) == MOST_DONE


def test_a_release_is_named_by_its_version_where_it_has_no_id():
    def nameless(data):
        return msgspec.structs.replace(data.release, id=None)

    shown = Shown().feed(changed(rollout(20), release=nameless))
    assert shown.trial.release == "(unnamed)"


def test_shadows_and_events_of_no_session_do_not_count():
    common = {"release": {"id": "v2", "cohort": "canary"}}
    shadow = {"release": {"id": "v3", "cohort": "shadow"}, "conversation": {"id": "s", "state": "started"}}
    shown = Shown().feed([event(START_S, **common), event(START_S + 1, conversation={"id": None}, **common)])
    shown.feed([event(START_S + 2, conversation={"id": "c", "state": "started"}, **common)])
    shown.feed([event(START_S + 3, **shadow), event(START_S + 4, conversation={"id": "bare"})])
    assert len(shown.detector._sessions.open) == 1


def test_agents_that_tell_no_starts_are_compared_by_what_they_do():
    stream = [each for each in rollout(900, worse=0.4) if each.data.conversation.state != "started"]
    shown = Shown().feed(stream)
    assert shown.finding.finding == "worse"
    late = [each for each in rollout(90) if each.data.operation.name == "chat"]
    before = shown.trial.canaries
    for each in late:
        shown.detector.observe(each, shown.now)
    assert shown.trial.canaries == before


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.parametrize("seed", range(6))
def test_agents_that_tell_no_starts_are_recorded_alike_in_both_arms(seed):
    stream = rollout(2400, seed=seed, every_s=4, share=0.2)
    kept = [step(START_S, 0.2), *(each for each in stream if each.data.conversation.state != "started")]
    shown, said = Shown(), set()
    for each in kept:
        shown.feed([each])
        said |= {found.finding for found in shown.found}
    assert said <= {"hold", "ready"}


def test_where_no_end_is_told_failed_calls_are_what_is_compared():
    def error(data):
        failed = is_canary(data) and data.operation.name == "chat" and draw.random() < 0.3
        return Failure(type="overloaded", class_="retryable") if failed else data.error

    draw = random.Random(4)
    stream = [each for each in rollout(1200) if each.type != "agent.session.v1"]
    assert Shown().feed(stream).found == ()
    found = Shown().feed(changed(stream, error=error)).finding
    assert (found.finding, found.labels["metric"]) == ("worse", "sessions")


def test_sessions_without_room_are_turned_away_and_counted():
    shown = Shown().feed(rollout(MOST_OPEN + 40, every_s=0.5))
    sessions = shown.detector._sessions
    assert (len(sessions.open), sessions.turned_away) == (MOST_OPEN, 40)


def test_its_memory_is_bounded():
    shown, sizes = Shown(), []
    for hour in range(4):
        draw = random.Random(hour)
        for at in range(2500):
            at_s = START_S + 1 + hour * HOUR_S + at * 1.4
            shown.feed(session(at_s, draw, stratum=f"s{draw.randrange(200)}"))
        sizes.append(len(shown.detector.save().body))
    assert max(sizes) <= MOST_BYTES
    assert sizes[-1] <= 1.2 * sizes[1]  # strata of which nothing is known yet take less
    assert len(shown.detector._sessions.closed) <= MOST_CLOSED
    assert shown.detector._sessions.turned_away > 0


def test_at_its_worst_it_keeps_fifty_kilobytes():
    """A small share, all strata, long names, all that there may be of everything."""
    shown, draw = Shown(), random.Random(1)
    shown.feed([step(START_S, 0.01)])
    for at in range(4000):
        stratum = f"{draw.randrange(MOST_STRATA)}".ljust(64, "x")
        shown.feed(session(START_S + 1 + at * 1.4, draw, share=0.01, stratum=stratum))
    sessions = shown.detector._sessions
    assert (len(sessions.open), len(sessions.closed)) == (MOST_OPEN, MOST_CLOSED)
    assert shown.detector._compared._waiting > 0.8 * MOST_WAITING
    assert MOST_BYTES / 2 <= len(shown.detector.save().body) <= MOST_BYTES


def test_sessions_are_kept_to_the_bit():
    shown = Shown().feed(rollout(300, worse=0.3))
    sessions = shown.detector._sessions
    assert len(sessions.open) > 10
    assert unpack(pack(sessions)) == sessions


def test_after_the_first_version_s_state_a_comparison_begins_anew():
    shown = Shown().feed(rollout(60))
    trial = shown.trial
    trial.share = 0.25
    state = State(msgspec.msgpack.encode([trial, {}, None, 0.25]))
    loaded = Rollout.load(Watch(), {}, state, 1)
    assert (loaded._trial.release, loaded._trial.announced_share, loaded._trial.done) == ("", 0.25, [])
    again = Shown()
    again.detector = loaded
    assert again.feed(rollout(900, worse=0.4)).finding.finding == "worse"
    assert Rollout.load(Watch(), {}, State(msgspec.msgpack.encode([Trial()])), 1)._trial == Trial()


def test_the_greatest_and_the_least_numbers_of_the_contract_are_borne():
    draw = random.Random(8)

    def usage(data):
        wild = draw.choice((0.0, 5e-324, 1e300, 1.7e308))
        tokens = draw.choice((0, 1, 2**63 - 1))
        return data.usage and msgspec.structs.replace(data.usage, cost_amount=wild, input_tokens=tokens)

    def score(data):
        wild = draw.choice((0.0, -1.7e308, 1e300, float("inf")))
        return data.evaluation and msgspec.structs.replace(data.evaluation, score_value=wild)

    shown = Shown(maturity="1m").feed(changed(rollout(400, worse=0.9), usage=usage, evaluation=score))
    told = shown.finding
    assert "inf" not in told.summary
    assert "nan" not in told.summary


def test_strata_may_be_made_of_the_first_event():
    shown = Shown(strata=("tenant", "operation", "model"), maturity="1m")
    named = changed(
        rollout(60),
        tenant=lambda _: event(START_S, tenant={"id": "t1"}).data.tenant,
        request=lambda _: event(START_S, request={"model": "m"}).data.request,
    )
    shown.feed(named)
    assert list(shown.detector._compared.shares) == ["t1/invoke_agent/m"]
    shown = Shown(strata=("tenant", "operation", "model"), maturity="1m").feed(rollout(60))
    assert list(shown.detector._compared.shares) == ["/invoke_agent/"]


def test_a_person_may_call_it_the_new_normal():
    shown = worse()
    shown.detector.rebase(shown.now)
    assert shown.wait(GRID_S) == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"margins": {"charm": 2}}, 'no metric "charm": expected one of sessions, tools'),
        ({"strata": ["moon"]}, 'no part of an event "moon": expected one of tenant'),
        ({"alpha": 2}, "alpha must be in"),
        ({"maturity": "soon"}, "soon"),
    ],
)
def test_options_that_do_not_hold_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Rollout(Watch(), options)


def test_state_of_another_version_is_refused():
    with pytest.raises(ValueError, match="version 3, this is 2"):
        Rollout.load(Watch(), {}, Rollout(Watch(), {}).save(), 3)


def test_without_a_canary_it_remembers_nothing():
    shown = Shown().feed(
        each for each in stable() if not is_canary(each.data) and each.type != "agent.release.v1"
    )
    assert shown.detector.wake_at is None
    assert len(shown.detector.save().body) < 100


def test_of_a_session_s_evaluations_the_first_255_count():
    events = [*rollout(1, share=1.0)]
    poor = {"name": "reward", "score_value": 0.0}
    more = [
        event(START_S + 4, "invoke_agent", "agent.evaluation.v1", evaluation=poor, conversation=each)
        for each in [{"id": events[0].data.conversation.id}] * (2 * MOST_SCORED)
    ]
    shown = Shown().feed([*events, *more])
    [session] = shown.detector._sessions.open.values()
    assert session.scored == MOST_SCORED
    assert unpack(pack(shown.detector._sessions)) == shown.detector._sessions
