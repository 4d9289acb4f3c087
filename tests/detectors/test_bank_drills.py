"""Fire drills in the bank: a copy of the agent is shown their events, and the agent knows nothing of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.shadow import LINGERS_S
from schemas.wire import Malformed, moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import KINDS, Tape, reasons, settings_record, signals
from tests.detectors.test_bank_restarts import KINDS_HERE, play, steps

DRILL = "told/odd:tuesday"
DAY_S = 86400.0
LATE_S = 36 * DAY_S - 30
"""Just before an agent that was heard at 0 is forgotten."""


def known(**more) -> Tape:
    """A bank that has heard of one agent."""
    tape = Tape(**more)
    tape.event(0)
    tape.tick(4)
    return tape


def drilled(tape: Tape, at_s: float, drill: str = DRILL, agent: str = "ana", written_s=None, **said):
    more = {"id": said.pop("id")} if "id" in said else {}
    return tape.event(at_s, agent, written_s, drill=drill, attributes=said, **more)


class TestWhatADrillFinds:
    def test_a_copy_that_is_gone_when_it_is_to_be_asked_says_nothing(self):
        tape = known()
        drilled(tape, 4, find=1)
        tape.bank._keys.shadows.clear()
        assert signals(tape.tick(5)) == []

    def test_it_is_told_as_a_signal_of_the_drill(self):
        tape = known()
        drilled(tape, 4, find=1)
        (signal,) = signals(tape.tick(5))
        assert signal.labels == {
            "n": "0", "agent": "ana", "detector": "told", "finding": "odd", "env": "mine", "drill": DRILL,
        }  # fmt: skip
        assert signal.summary == "DRILL: 2 seen "

    def test_it_ends_two_minutes_after_the_last_event_of_the_drill(self):
        tape = known()
        drilled(tape, 4, find=1)
        drilled(tape, 30)
        for at_s in range(5, 120, 5):
            tape.tick(at_s)
        assert {each.state for each in tape.signals} == {"firing"}
        tape.tick(150)
        (ended,) = [each for each in tape.signals if each.state == "resolved"]
        assert (ended.id, ended.reason) == (tape.signals[0].id, "over")
        assert tape.bank.wake_at is None

    def test_what_the_agent_found_by_itself_is_not_told_again(self):
        tape = known()
        tape.told(4, find=1)
        tape.tick(5)
        drilled(tape, 6, find=2)
        assert [each.labels["n"] for each in signals(tape.tick(10)) if "drill" in each.labels] == ["1"]

    def test_it_exercises_one_detector_alone(self):
        tape = known(kinds=KINDS)
        drilled(tape, 4, find=1)
        tape.tick(5)
        assert {each.detector for each in tape.signals if "drill" in each.labels} == {"told"}

    def test_what_raises_is_told(self):
        tape = known()
        (reason,) = reasons(drilled(tape, 4, fail=1))
        assert reason.startswith("Told.observe: ValueError: as it was told")

    def test_real_events_make_no_difference_to_it(self):
        tape = known()
        drilled(tape, 4, find=1)
        tape.told(4, find=9)
        assert sum("drill" in each.labels for each in signals(tape.tick(5))) == 1

    def test_it_follows_new_settings(self):
        tape = known()
        drilled(tape, 4, find=1)
        tape.control(settings_record({"told": {"label": "anew"}}))
        (signal,) = signals(tape.tick(5))
        assert signal.summary == "DRILL: 2 seen anew"

    def test_a_detector_that_is_switched_off_ends_it(self):
        tape = known()
        drilled(tape, 4, find=1)
        tape.tick(5)
        tape.control(settings_record({"told": {"enabled": False}}))
        (ended,) = signals(tape.tick(65))
        assert ended.state == "resolved"


class TestOnAQuietPartition:
    """Its watermark is that of its last event, however long ago, until a tick comes."""

    def test_it_lives_for_two_minutes_from_its_own_last_event_on(self):
        tape = known()
        drilled(tape, 600, find=1)
        (signal,) = signals(tape.tick(602))
        assert (signal.state, signal.time) == ("firing", moment(START_S + 600))
        drilled(tape, 610)
        tape.tick(725)
        assert {each.state for each in tape.signals} == {"firing"}
        (ended,) = signals(tape.tick(730))
        assert (ended.state, ended.reason, ended.time) == ("resolved", "over", moment(START_S + 730))
        assert tape.bank.wake_at is None

    def test_what_it_finds_began_when_it_was_drilled(self):
        tape = known()
        drilled(tape, 600, find=1)
        (signal,) = signals(tape.tick(607))
        assert (signal.onset, signal.time) == (moment(START_S + 600), moment(START_S + 600))

    def test_it_is_found_though_ticks_are_always_behind_its_events(self):
        tape = known()
        for at_s in range(600, 630):
            drilled(tape, at_s, find=1)
            tape.tick(at_s - 2)
        assert {each.state for each in tape.signals} == {"firing"}
        assert tape.signals[0].time <= moment(START_S + 605)

    def test_while_the_partition_catches_up_it_is_asked_once_and_then_in_time(self):
        tape = known()
        drilled(tape, 600, find=1)
        assert len(signals(tape.tick(300))) == 1
        assert tape.bank.wake_at == START_S + 605
        heir = Tape()
        heir.offset = tape.offset
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        assert heir.bank.wake_at == START_S + 605
        drilled(tape, 606, find=2, id="d")
        drilled(heir, 606, find=2, id="d")
        assert signals(heir.tick(611)) == signals(tape.tick(611)) != []

    def test_a_time_after_it_was_written_is_not_believed(self):
        tape = known()
        drilled(tape, 1e6, find=1, written_s=30)
        (signal,) = signals(tape.tick(35))
        assert signal.onset == moment(START_S + 30)


class TestWhatIsNoDrill:
    def test_an_agent_that_nobody_has_heard_of_has_none(self):
        tape = Tape()
        assert reasons(drilled(tape, 0)) == [f"drill {DRILL}: nothing was heard of ana yet"]
        assert not tape.bank.unsaved()

    def test_a_detector_that_is_off_has_none(self):
        tape = known()
        (reason,) = reasons(drilled(tape, 4, "other/odd:x"))
        assert reason == "drill other/odd:x: ana has no detector other: it is not known or switched off"

    def test_one_is_over_before_the_next_begins(self):
        tape = known()
        drilled(tape, 4)
        assert reasons(drilled(tape, 5, "told/odd:x")) == [
            f"drill told/odd:x: drill {DRILL} of ana is not over yet"
        ]
        tape.tick(4 + LINGERS_S + 5)
        assert not reasons(drilled(tape, 140, "told/odd:x"))

    @pytest.mark.parametrize(
        "drill", ["told", "told/odd", "told/odd:", "told/odd:a b", "told/odd:a\n", "Told/odd:x", 3]
    )
    def test_an_event_with_a_mark_that_is_none_is_malformed(self, drill):
        tape = Tape()
        with pytest.raises(Malformed, match="drill"):
            drilled(tape, 4, drill)


class TestTheAgentItself:
    @given(steps, st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["ana", "bo", "vip"])), max_size=30))
    def test_its_state_and_its_signals_are_the_same_to_the_byte(self, drawn, drills):
        plain = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
        beside = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
        now_s = 0.0
        for at, step in enumerate(drawn):
            if step[0] == "drill":
                continue
            now_s += step[2]
            plain.offset = beside.offset
            play(plain, step, now_s)
            play(beside, step, now_s)
            for n, (_, agent) in enumerate(each for each in drills if each[0] == at):
                drilled(beside, now_s + n, agent=agent, find=n, wake=START_S + now_s + n)
        assert [each for each in beside.signals if "drill" not in each.labels] == plain.signals
        assert mark(beside) == mark(plain)
        for name in plain.bank._keys.awake:
            mine, theirs = plain.bank.save(name), beside.bank.save(name)
            assert theirs.body == mine.body
            assert {part: piece for part, piece in theirs.parts.items() if part != "(drill)"} == mine.parts

    def test_nothing_of_a_drill_is_left_in_its_state(self):
        tape, plain = known(), known()
        drilled(tape, 4, find=1)
        plain.offset = tape.offset
        for each in (tape, plain):
            each.tick(200)
            each.event(201, id="last")
        assert tape.bank.save("ana") == plain.bank.save("ana")


class TestForgetting:
    @pytest.mark.parametrize("asleep", [False, True])
    def test_an_agent_of_which_a_drill_has_a_copy_is_kept_until_that_is_over(self, asleep):
        tape = known()
        for at_s in (10, 35 * DAY_S, LATE_S):
            tape.event(at_s, "zed")
        drilled(tape, LATE_S, find=1)
        tape.event(LATE_S + 6, "zed")
        if asleep:
            saved = msgspec.structs.replace(tape.bank.save("ana"), wake_at=None)
            tape.bank._keys.awake.pop("ana")
            tape.bank._keys.asleep["ana"] = saved
        tape.bank._keys.forget(START_S + 36 * DAY_S, tape.offset + 1)
        assert "ana" in tape.bank._keys


class TestRestarts:
    def test_a_drill_goes_on_where_it_was(self):
        tape = known()
        drilled(tape, 4, find=1)
        heir = Tape()
        heir.offset = tape.offset
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        assert heir.bank.wake_at == tape.bank.wake_at == START_S + 5
        assert signals(heir.tick(5)) == signals(tape.tick(5))
        assert signals(heir.tick(200)) == signals(tape.tick(200))

    def test_an_event_that_is_contained_is_not_shown_again(self):
        tape = known()
        drilled(tape, 4, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = 2
        assert drilled(heir, 4, find=5) == []
        (signal,) = signals(heir.tick(5))
        assert signal.summary == "DRILL: 2 seen "


def mark(tape: Tape) -> list:
    """Of the partition's mark everything: a drill leaves no trace in it."""
    return msgspec.msgpack.decode(tape.bank.mark())
