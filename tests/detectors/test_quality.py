"""Answers that get worse, of which kind, by how much, and where."""

import math
import random

import pytest

from detectors.answers.bets import Bets, Cell, _steps
from detectors.answers.decline import RECOVERY, Decline, Hold
from detectors.answers.grading import ending, verdict
from detectors.answers.scale import Scale, lower_is_better
from detectors.answers.usual import HIGHEST, Usual
from detectors.dense import encoded
from detectors.quality import COMPARED_A_MINUTE, Quality
from detectors.settings import Watch
from schemas.event import Evaluation
from tests.detectors.agent_events import START_S, event

DAY_S = 86400.0


class Agent:
    """An agent that answers every ten seconds."""

    def __init__(self, **options):
        self.detector = Quality(Watch(), options)
        self.draw = random.Random(4)
        self.at = START_S
        self.told = []

    def show(self, operation="chat", kind="agent.operation.v1", /, **data):
        self.at += 10
        for each in self.detector.findings(self.at):
            if each.finding not in {one.finding for one in self.told}:
                self.told.append(each)
        data = {"conversation": {"id": f"c{self.at}"}, **data}
        self.detector.observe(event(self.at, operation, kind, **data), self.at)
        return self

    def answer(self, reason="stop", tokens=20, **data):
        response = {"model": "m1", "finish_reasons": [reason]}
        return self.show(response=response, usage={"output_tokens": tokens}, **data)

    def score(self, value=None, name="helpfulness", **said):
        evaluation = {"name": name, "score_value": value, **said}
        return self.show("evaluate", "agent.evaluation.v1", evaluation=evaluation)

    def answers(self, count, share=0.0, reason="length", **data):
        for _ in range(count):
            self.answer(reason if self.draw.random() < share else "stop", **data)
        return self

    def scores(self, count, low, high, **said):
        for _ in range(count):
            self.score(self.draw.uniform(low, high), **said)
        return self

    @property
    def holds(self):
        return list(self.detector.findings(self.at + 5))


@pytest.mark.parametrize(
    ("reason", "finding", "words"),
    [
        ("length", "truncated", "of answers are cut short since"),
        ("content_filter", "refused", "of answers are refused since"),
        ("pause_turn", "finish_reason", "of answers end with pause_turn since"),
    ],
)
def test_answers_that_end_badly_are_told_by_how(reason, finding, words):
    agent = Agent().answers(400, 0.01, reason).answers(120, 0.4, reason)
    [told] = agent.told
    assert told.finding == finding
    assert words in told.summary
    assert told.observed > 0.2
    assert told.baseline < 0.1
    assert told.unit == "share"
    assert told.labels == ({"reason": "pause_turn"} if finding == "finish_reason" else {})
    assert START_S + 3900 < told.onset < START_S + 4400


def test_empty_answers_are_told_and_calls_of_tools_are_none():
    agent = Agent()
    for _ in range(200):
        agent.answer().answer("tool_calls", 0)
    assert agent.told == []
    for _ in range(60):
        agent.answer("stop", 0).answer("tool_calls", 0)
    assert [each.finding for each in agent.told] == ["empty"]


def test_an_error_that_is_a_refusal_counts_as_one_and_other_errors_are_no_answers():
    agent = Agent().answers(300)
    for _ in range(60):
        agent.show(error={"type": "timeout"})
    assert agent.told == []
    for _ in range(60):
        agent.show(error={"type": "content_filter"})
    assert [each.finding for each in agent.told] == ["refused"]


def test_answers_that_do_not_say_why_they_ended_are_only_not_refused():
    agent = Agent()
    for _ in range(20):
        agent.show(response={"model": "m"})
    assert set(agent.detector._state.rates) == {"refused"}
    assert ending(()).reason == ""


def test_an_answer_may_have_ended_for_two_reasons():
    agent = Agent()
    for _ in range(20):
        agent.show(response={"finish_reasons": ["stop", "tool_calls"]}, usage={"output_tokens": 0})
    assert set(agent.detector._state.rates) == {"refused", "truncated"}


def test_the_slice_in_which_it_happens_is_named():
    agent = Agent().answers(300, 0.01, agent={"name": "a", "version": "1"})
    for _ in range(150):
        agent.answers(1, 0.01, agent={"name": "a", "version": "1"})
        agent.answers(1, 0.6, agent={"name": "a", "version": "2"})
    [told] = agent.holds
    assert (told.contributors[0].dimension, told.contributors[0].value) == ("version", "2")
    assert "mostly version 2" in told.summary
    assert told.blast.sessions > 3
    assert told.samples[0].text == "length"


def test_a_score_that_falls_is_told_as_it_was_given():
    agent = Agent().scores(300, 3.6, 5.0).scores(100, 1.5, 3.5)
    [told] = agent.told
    assert told.finding == "score"
    assert told.labels == {"evaluation": "helpfulness"}
    assert "helpfulness fell to" in told.summary
    assert 1.5 < told.observed < 3.6 < told.baseline < 5
    assert told.unit == "mean score"


def test_a_score_that_rises_is_good_news_unless_it_is_one_of_harm():
    assert Agent().scores(300, 0.1, 0.3).scores(200, 0.6, 0.9).told == []
    [told] = Agent().scores(300, 0.1, 0.3, name="Toxicity").scores(200, 0.6, 0.9, name="Toxicity").told
    assert "Toxicity rose to" in told.summary
    [told] = (
        Agent(lower_is_better=["edits"]).scores(300, 1, 2, name="edits").scores(200, 4, 5, name="edits").told
    )
    assert "edits rose to" in told.summary


def test_thumbs_down_are_told():
    agent = Agent()
    for at in range(400):
        agent.score(name="thumbs", score_label="thumbs-down" if at > 300 and at % 2 else "Thumbs up")
    [told] = agent.told
    assert told.finding == "feedback"
    assert "of feedback is bad in thumbs since" in told.summary


def test_labels_that_are_neither_and_scores_that_are_no_number_are_left_out():
    assert verdict(Evaluation(name="x", score_label="purple")) is None
    assert verdict(Evaluation(name="x")) is None
    for odd in (math.nan, math.inf, -math.inf):
        assert verdict(Evaluation(name="x", score_value=odd)) is None
    agent = Agent().score(1e999)
    assert agent.detector._state.unusable == 1
    assert not agent.detector._state.scores


def test_scores_beyond_the_range_seen_widen_it_and_are_learnt_anew():
    scale = Scale()
    assert scale.holds(0.5)
    assert not scale.holds(4)
    assert (scale.low, scale.high) == (0, 5)
    assert not scale.holds(-3)
    assert (scale.low, scale.high) == (-8, 8)
    assert not Scale().holds(1e300)
    assert scale.score(scale.place(1.0)) == 1.0
    agent = Agent().scores(250, 0, 1)
    agent.score(70)
    assert agent.detector._state.scores["helpfulness"].usual.count < 2


def test_it_ends_when_answers_are_as_good_as_before():
    agent = Agent().answers(400, 0.01).answers(60, 0.5)
    assert agent.holds
    agent.answers(200, 0.01)
    assert agent.holds == []


def test_what_has_held_for_a_day_is_the_new_normal():
    agent = Agent().answers(400, 0.01).answers(8800, 0.3)
    assert len(agent.told) == 1
    assert agent.holds == []


def test_one_session_that_goes_astray_is_told_of_nowhere_here():
    agent = Agent().answers(400, 0.01)
    agent.answers(60, 0.6, conversation={"id": "stuck"})
    assert agent.told == []


def test_what_is_said_to_be_normal_is_learnt_anew():
    agent = Agent().answers(400, 0.01).answers(60, 0.5)
    agent.detector.rebase(agent.at)
    assert agent.holds == []
    assert agent.answers(600, 0.5).holds == []


def test_a_night_without_answers_ends_nothing_and_a_day_does():
    agent = Agent().answers(400, 0.01).answers(60, 0.5)
    [told] = agent.holds
    agent.at += 14 * 3600
    [still] = agent.answers(1).holds
    assert still.onset == told.onset
    assert not agent.detector.unheard({"finding": "truncated"}, agent.at)
    agent.at += DAY_S
    assert agent.holds == []
    assert agent.detector.unheard({"finding": "truncated"}, agent.at)
    assert agent.answers(1).holds == []


def test_an_evaluation_that_is_switched_off_is_stale_after_a_day_though_others_go_on():
    agent = Agent().scores(400, 0.7, 0.9).scores(200, 0.1, 0.4)
    [told] = agent.holds
    labels, off = {"agent": "a", "finding": "score", **told.labels}, agent.at
    while agent.at < off + DAY_S - 120:
        agent.at += 50
        agent.scores(1, 0.7, 0.9, name="tone")
    assert [each.onset for each in agent.holds] == [told.onset]
    assert not agent.detector.unheard(labels, agent.at)
    while agent.holds:
        agent.scores(1, 0.7, 0.9, name="tone")
    assert DAY_S - 60 <= agent.at - off <= DAY_S + 60
    assert agent.detector.unheard(labels, agent.at)
    assert not agent.detector.unheard({**labels, "evaluation": "tone"}, agent.at)
    assert agent.detector.wake_at is None


def test_what_is_no_better_after_a_pause_is_not_told_anew():
    agent = Agent().answers(400, 0.01)
    onsets = set()
    for _ in range(12):
        agent.answers(40, 0.4)
        onsets |= {each.onset for each in agent.holds}
        agent.at += 3600
    assert len(onsets) == 1


def test_the_mix_of_tool_calls_and_answers_may_go_with_the_questions():
    agent = Agent().answers(500, 0.4, "tool_calls").answers(500, 0.65, "tool_calls")
    assert agent.told == []
    agent.answers(300, 0.99, "tool_calls")
    [told] = agent.told
    assert told.labels == {"reason": "tool_calls"}


def test_answers_that_only_begin_and_other_operations_say_nothing():
    agent = Agent()
    agent.show("execute_tool")
    agent.detector.observe(event(agent.at, "chat", operation={"state": "started"}), agent.at)
    assert not agent.detector._state.rates


def test_evaluations_and_reasons_without_end_share_a_place():
    agent = Agent()
    for at in range(50):
        agent.answer(f"r{at}")
        agent.score(0.5, name=f"e{at}")
        agent.score(name=f"t{at}", score_label="good")
    state = agent.detector._state
    assert len(state.reasons) == 7
    assert len(state.scores) == 12
    assert len(state.feedback) == 13
    assert state.unusable == 38


def test_a_wobble_that_was_always_there_is_allowed_for():
    steady, wobbling = Usual(), Usual()
    for at in range(40):
        steady.learn(START_S + at, (50, 10, 10))
        wobbling.learn(START_S + at, (50, 5 if at % 2 else 15, 10))
    assert wobbling.allowed(0.01) > steady.allowed(0.01) + 0.1
    assert Usual().mean == 0
    assert Usual().allowed(0.01) > 0.9
    full, days = Usual(), Usual()
    for at in range(1000):
        full.learn(START_S + at, (50, 50, 50))
        days.learn(START_S + at * DAY_S / 4, (50, 5 if at // 4 % 2 else 15, 10))
    assert full.allowed(0.01) >= HIGHEST
    assert full.count <= 20_000
    assert days.allowed(0.01) > 0.45
    assert len(days.days.rows) == 28


@pytest.mark.parametrize("start", [Bets, Bets.of_scores])
def test_at_the_allowed_mean_the_mean_time_to_a_false_alarm_is_at_least_the_threshold(start):
    draw, threshold_s, spent = random.Random(5), 300.0, []
    for _ in range(30):
        bets, at = start(), 1.0
        while bets.level < threshold_s and at < 6 * threshold_s:
            at += 5
            grades = [draw.betavariate(1, 4) for _ in range(5)]
            bets.step(Cell(at, 5, sum(grades), at, sum(each * each for each in grades)), 0.2)
        spent.append(at)
    assert sum(spent) / len(spent) >= threshold_s


@pytest.mark.parametrize("allowed", [0.01, 0.2, 0.7])
def test_no_bet_gains_in_the_mean_while_the_mean_grade_is_what_is_allowed(allowed):
    draw = random.Random(6)
    grades = [draw.betavariate(4 * allowed, 4 * (1 - allowed)) for _ in range(100_000)]
    for by_total, by_bad, by_squares in _steps(allowed):
        gains = [math.exp(by_total + by_bad * each + by_squares * each * each) for each in grades]
        assert sum(gains) / len(gains) <= 1.02


def test_scores_that_spread_little_are_bet_on_as_such_and_chances_are_not():
    draw = random.Random(7)

    def bets(drawn):
        decline = Decline()
        for minute in range(10):
            decline.total, grades = 30, [drawn() for _ in range(30)]
            decline.bad, decline.squares = sum(grades), sum(each * each for each in grades)
            decline.close(START_S + 60 * minute, 1e9, 0.0)
        return len(decline.bets.mass)

    assert bets(lambda: draw.betavariate(4, 16)) > bets(lambda: float(draw.random() < 0.2))


def test_a_small_decline_is_over_after_more_answers_than_a_large_one():
    decline = Decline(usual=Usual(count=1000.0, total=200.0, squares=72.0))
    allowed = decline.allowed(0.0)
    small, large = (Hold(0.0, 0.0, 1000.0, 1000 * (allowed + more)) for more in (0.03, 0.5))
    assert decline._enough(large, 0.0) == RECOVERY
    assert RECOVERY < decline._enough(small, 0.0) <= 1000
    assert decline._enough(Hold(0.0, 0.0, 1000.0, 10.0), 0.0) == RECOVERY


def test_names_say_which_end_is_bad():
    assert lower_is_better("Hallucination rate")
    assert not lower_is_better("faithfulness")


def test_options_and_versions_that_do_not_hold_are_refused():
    with pytest.raises(ValueError, match="'never' is no span of time"):
        Quality(Watch(), {"arl": "never"})
    with pytest.raises(ValueError, match="state of quality has version 2, this is 1"):
        Quality.load(Watch(), {}, Quality(Watch(), {}).save(), 2)


def test_times_of_events_that_lie_a_day_off_change_nothing():
    one, other = Agent(), Agent()
    for agent, off in ((one, 0.0), (other, -DAY_S)):
        for at in range(300):
            response = {"finish_reasons": ["length" if at % 9 == 0 else "stop"]}
            agent.detector.observe(event(START_S + 10 * at + off, response=response), START_S + 10 * at)
    assert encoded(one.detector._state.rates["truncated"].usual) == encoded(
        other.detector._state.rates["truncated"].usual
    )


def test_a_clock_that_jumps_a_day_ahead_tells_nothing():
    agent = Agent().answers(400, 0.02)
    agent.at += DAY_S
    assert agent.answers(200, 0.02).told == []


def test_of_a_minute_so_much_praise_is_kept_to_compare_with_and_all_of_it_is_counted():
    detector = Quality(Watch(), {})
    praise = {"name": "thumbs", "score_label": "good"}
    for _ in range(COMPARED_A_MINUTE + 5):
        detector.observe(event(START_S, "evaluate", "agent.evaluation.v1", evaluation=praise), START_S)
        assert detector.findings(START_S) == ()
    assert detector._state.room == 0
    assert detector._state.feedback["thumbs"].total == COMPARED_A_MINUTE + 5


def test_of_events_that_are_shown_together_calls_of_tools_change_nothing():
    answers = [
        (event(START_S + at, "chat", response={"finish_reasons": ["stop"]}), START_S + at) for at in (1, 2)
    ]
    call = (event(START_S + 3, "execute_tool", tool={"name": "search"}), START_S + 3)
    without, beside = Quality(Watch(), {}), Quality(Watch(), {})
    without.observe_many(iter(answers))
    beside.observe_many(iter((*answers, call)))
    assert beside.save() == without.save()
