"""What holds of an agent of which little comes: told once, however long the agent pauses."""

import random

from detectors.isolation import TOLD_S, Isolation
from detectors.rollout import Rollout
from detectors.session import Session
from schemas.wire import encode
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import Tape
from tests.detectors.streams_rollout import session, step

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


class Watched(Tape):
    """The bank with one detector."""

    def __init__(self, kind):
        super().__init__(kinds={kind.name: kind})

    def silence(self, from_s, to_s):
        """Nothing comes but the time, each minute."""
        for at in range(int(from_s) + 60, int(to_s), 60):
            self.tick(float(at))

    @property
    def edges(self):
        """What was told: that it holds, that it is over, and why."""
        found, firing = [], set()
        for each in self.signals:
            if (each.state == "firing") is (each.id not in firing):
                firing ^= {each.id}
                found.append((each.state, each.reason))
        return found


def breach(tape, at_s):
    memory = {"kind": "memory", "id": "m9", "owner": "t2"}
    tape.event(at_s, conversation={"id": "c1"}, tenant={"id": "t1"}, isolation={"resources": [memory]})


def test_a_breach_is_told_once_though_nothing_comes_for_twenty_minutes():
    tape = Watched(Isolation)
    breach(tape, 0)
    tape.silence(0, 20 * MINUTE_S)
    tape.event(20 * MINUTE_S, conversation={"id": "c2"}, tenant={"id": "t1"})
    tape.silence(20 * MINUTE_S, TOLD_S + 3 * MINUTE_S)
    tape.event(TOLD_S + 3 * MINUTE_S, conversation={"id": "c2"}, tenant={"id": "t1"})
    assert tape.edges == [("firing", ""), ("resolved", "recovered")]


def test_a_breach_is_over_in_half_an_hour_though_nothing_comes_any_more():
    tape = Watched(Isolation)
    breach(tape, 0)
    tape.silence(0, TOLD_S + 5 * MINUTE_S)
    assert tape.edges == [("firing", ""), ("resolved", "stale")]
    assert tape.bank.wake_at is None


def loop(tape, at_s, session):
    """Thirty equal calls in half a minute."""
    for call in range(30):
        tool = {"name": "status", "arguments_digest": "d"}
        tape.event(at_s + call, operation={"name": "execute_tool"}, conversation={"id": session}, tool=tool)


def test_a_session_that_loops_and_pauses_for_twenty_minutes_is_told_once():
    tape = Watched(Session)
    for at in range(0, 100 * 60, 20 * 60):
        loop(tape, at, "c1")
        tape.silence(at + 30, at + 20 * 60)
    tape.silence(100 * MINUTE_S, 180 * MINUTE_S)
    assert tape.edges == [("firing", ""), ("resolved", "stale")]


def test_sessions_that_loop_each_forty_minutes_are_told_on_once_their_spacing_is_known():
    tape = Watched(Session)
    for number in range(12):
        at = number * 40 * 60
        loop(tape, at, f"c{number}")
        tape.silence(at + 30, at + 40 * 60)
    assert [state for state, _ in tape.edges] == ["firing", "resolved"] * 2 + ["firing"]


def canary(tape, at_s, sessions):
    """One every ten seconds, of which a canary has three in ten; more than a third of its fail."""
    draw = random.Random(1)
    for number in range(sessions):
        for each in session(START_S + at_s + 10 * number, draw, worse=0.4):
            tape.put(encode(each))


def test_a_canary_that_is_worse_is_told_once_though_a_weekend_lies_between():
    tape = Watched(Rollout)
    tape.put(encode(step(START_S, 0.3)))
    canary(tape, 1, 700)
    tape.silence(2 * HOUR_S, 66 * HOUR_S)
    canary(tape, 66 * HOUR_S, 60)
    assert tape.edges == [("firing", "")]


def test_a_canary_that_is_worse_is_over_after_four_days_though_nothing_comes_any_more():
    tape = Watched(Rollout)
    tape.put(encode(step(START_S, 0.3)))
    canary(tape, 1, 700)
    tape.silence(2 * HOUR_S, 2 * HOUR_S + 4 * DAY_S + 5 * MINUTE_S)
    assert tape.edges == [("firing", ""), ("resolved", "stale")]
    assert tape.bank.wake_at is None
