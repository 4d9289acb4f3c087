"""How many agents a bank holds, and whom it forgets."""

import pytest

from detectors.asking import DAY_S
from detectors.crowd import OVERFLOW
from detectors.keys import SILENT_S
from schemas.control import Tick
from schemas.wire import moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    Tape,
    signals,
)


class TestManyAgents:
    def test_agents_beyond_the_cap_are_watched_as_one_and_a_signal_says_so_each_minute(self):
        tape = Tape(most_agents=2, partition=3)
        for name in ("ana", "bo", "chi"):
            tape.event(0, name)
        tape.told(1, "dora", find=1)
        told, capped = signals(tape.tick(5))
        assert told.labels["agent"] == OVERFLOW
        assert capped.labels == {
            "agent": OVERFLOW,
            "detector": "telemetry",
            "finding": "agents_capped",
            "partition": "agent.events/3",
        }
        assert capped.observed == 2
        assert not [each for each in signals(tape.tick(70)) if each.finding == "agents_capped"]
        tape.event(70, "emil")
        (again,) = [each for each in signals(tape.tick(75)) if each.finding == "agents_capped"]
        tape.event(76, "emil")
        assert not [each for each in signals(tape.tick(130)) if each.finding == "agents_capped"]
        assert again.id == capped.id
        tape.event(9000, "emil")
        (later,) = [each for each in signals(tape.tick(9060)) if each.finding == "agents_capped"]
        assert later.id != capped.id

    def test_the_shared_key_takes_no_place_of_an_agent_that_is_restored(self):
        tape = Tape(most_agents=2)
        for at_s, name in enumerate(("ana", "bo", "chi", "chi")):
            tape.event(at_s, name)
        heir = Tape(most_agents=2)
        heir.bank.load("bo", tape.bank.save("bo"))
        heir.bank.load(OVERFLOW, tape.bank.save(OVERFLOW))
        heir.event(0, "ana")
        assert sorted(heir.bank._keys.awake) == ["ana"]


class TestForgetting:
    LONG_S = SILENT_S + 2 * DAY_S

    def test_an_agent_that_is_silent_for_long_is_forgotten_and_what_was_saved_of_it_removed(self):
        tape = Tape()
        tape.event(0, "ana")
        tape.event(DAY_S, "bo")
        tape.bank.save("ana")
        tape.event(SILENT_S + DAY_S, "bo")
        assert dict(tape.bank.unsaved()) == {"bo": 1, "ana": 2}
        assert tape.bank.save("ana") is None
        assert tape.bank.save("bo") is not None
        tape.event(self.LONG_S, "ana", attributes={"find": 1})
        assert signals(tape.tick(self.LONG_S + 5))[0].summary == "1 seen "

    def test_an_agent_that_waits_for_something_is_kept(self):
        tape = Tape()
        tape.told(0, "ana", wake=START_S + 2 * self.LONG_S)
        tape.event(1, "bo", attributes={"wake": START_S + 2 * self.LONG_S})
        tape.tick(5)
        tape.told(6, "bo", wake=START_S + 30)
        tape.tick(60)
        tape.tick(self.LONG_S)
        assert sorted(tape.bank._keys.awake) == ["ana"]
        tape.tick(2 * self.LONG_S + DAY_S)
        assert not tape.bank._keys.awake

    @pytest.mark.parametrize(("offset", "left"), [(1, ["ana"]), (2, [])])
    def test_a_sleeping_agent_is_forgotten_unless_it_is_heard_of_later_in_the_log(self, offset, left):
        tape = Tape()
        tape.event(0, "ana")
        tape.tick(5)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = offset
        heir.tick(self.LONG_S)
        assert sorted(heir.bank._keys.asleep) == left

    def test_the_end_of_published_history_forgets_nobody(self):
        tape = Tape()
        tape.event(0)
        tape.control(Tick(time=moment(START_S + self.LONG_S), last=True))
        assert sorted(tape.bank._keys.awake) == ["ana"]
