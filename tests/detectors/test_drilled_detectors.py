"""A drill's copy of every real detector: what its agent was in the middle of is not what the drill finds."""

from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random

import msgspec
import pytest

from detectors.agent import AgentState
from detectors.grid import GRID_S, after
from detectors.registry import discover
from detectors.settings import Settings
from detectors.shadow import Shadow, begun
from schemas.event import Event
from schemas.signal import Signal
from tests.detectors.agent_events import START_S, event
from tests.detectors.conformance import KINDS, events
from tests.detectors.streams_rollout import session, step

HOUR_S = 3600.0
MINUTE_S = 60.0


class Watched:
    """An agent whom one detector watches, and the copy of it that a drill is shown to."""

    def __init__(self, name: str) -> None:
        self.state = AgentState("made-up", {name: discover()[name]}, Settings())
        self.now = START_S
        self._drill = f"{name}/x:y"

    def live(self, stream: Iterable[Event]) -> list[Signal]:
        """What the agent's own events bring, asked for on the grid."""
        return list(self._each(self.state, stream))

    def wait(self, seconds: float) -> list[Signal]:
        """What time alone brings."""
        until, told = self.now + seconds, []
        while self.now < until:
            self.now = after(self.now)
            told += self.state.ask(self.now)[0]
        return told

    def _each(self, state: AgentState, stream: Iterable[Event]) -> Iterator[Signal]:
        for each in stream:
            at = each.time.timestamp()
            while after(self.now) <= at:
                self.now = after(self.now)
                yield from state.ask(self.now)[0]
            self.now = max(self.now, at)
            assert list(state.take([(each, self.now)])) == []

    def drilled(self, seconds: float) -> list[Signal]:
        """What a drill finds that for so long sends nothing that any detector minds."""
        shadow, told = self._begun(), []
        for _ in range(int(seconds / GRID_S)):
            self.now = after(self.now)
            assert not shadow.take(self._nothing(), self.now)
            signals, faults = shadow.ask(self.now)
            assert faults == []
            told += signals
        return told

    def _begun(self) -> Shadow:
        shadow = begun(self._nothing(), self.state, Settings(), 0, self.now)
        assert isinstance(shadow, Shadow)
        return shadow

    def _nothing(self) -> Event:
        release = event(self.now, "release", "agent.release.v1")
        return msgspec.structs.replace(release, drill=self._drill)


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"silence"}))
@pytest.mark.parametrize("cut", [300, 1501, 2602])
def test_a_drill_in_which_nothing_happens_finds_nothing_however_the_agent_was_cut_off(name, cut):
    agent = Watched(name)
    agent.live(islice(events(name, "stable"), cut))
    assert agent.drilled(20 * MINUTE_S) == []


def test_to_a_drill_of_silence_its_agent_has_fallen_silent():
    agent = Watched("silence")
    agent.live(each for each in events("silence", "stable") if each.time.timestamp() < START_S + 9 * 86400)
    since = agent.now
    found = agent.drilled(4 * HOUR_S)
    assert {each.finding for each in found} == {"agent_down"}
    assert found[0].time.timestamp() - since < 4 * HOUR_S


def calls(begin_s: float, seconds: float, *, ended: bool) -> Iterator[Event]:
    """A call of a tool each five seconds, which ends or does not."""
    for at in range(int(seconds / 5)):
        which = {"id": f"op{begin_s}-{at}"}
        more = {"tool": {"name": "refund"}, "conversation": {"id": f"c{at}"}}
        at_s = START_S + begin_s + 5 * at
        yield event(at_s, "execute_tool", **more, operation={**which, "state": "started"})
        if ended:
            yield event(at_s + 0.5, "execute_tool", **more, operation={**which, "duration": 0.5})


def hanging() -> Watched:
    agent = Watched("dependency")
    assert agent.live([*calls(0, 2 * HOUR_S, ended=True), *calls(2 * HOUR_S, 50, ended=False)]) == []
    return agent


def test_real_calls_that_have_not_ended_yet_are_no_finding_of_a_drill():
    assert {each.finding for each in hanging().wait(5 * MINUTE_S)} == {"hanging"}
    assert hanging().drilled(20 * MINUTE_S) == []


def waiting() -> Watched:
    agent = Watched("approvals")
    asked = {"approval": {"id": "a", "state": "requested", "consequence": "high"}}
    assert agent.live([event(START_S, "pay", "agent.approval.v1", **asked)]) == []
    return agent


def test_a_real_request_that_waits_for_a_person_is_none_either():
    assert {each.finding for each in waiting().wait(HOUR_S)} == {"waiting"}
    assert waiting().drilled(HOUR_S) == []


def canary(count: int) -> Iterator[Event]:
    """Sessions of both arms; from the hundredth on those of the canary have only begun."""
    draw = Random(1)
    yield step(START_S, 0.3)
    for at in range(count):
        for each in session(START_S + 1 + at * 2, draw):
            if at < 100 or each.data.conversation.state == "started" or each.data.release.id == "v1":
                yield each


def rolled_out() -> Watched:
    agent = Watched("rollout")
    agent.live(sorted(canary(450), key=lambda each: each.time))
    return agent


def test_real_sessions_of_a_canary_that_have_not_ended_yet_are_none_either():
    assert "worse" in {each.finding for each in rolled_out().wait(HOUR_S)}
    assert rolled_out().drilled(HOUR_S) == []
