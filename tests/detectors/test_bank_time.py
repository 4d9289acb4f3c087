"""What the bank makes of time: the grid, the watermark, ticks, the clock of events."""

import msgspec
import pytest

from detectors.mark import Mark
from schemas.record import Record
from schemas.wire import Malformed, moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    Tape,
    signals,
    wakes,
)


def after(at_s: float):
    return moment(START_S + at_s)


class TestTime:
    def test_findings_are_asked_for_on_the_grid(self):
        tape = Tape()
        tape.told(1, find=1)
        assert not tape.event(4.9)
        (signal,) = signals(tape.event(7))
        assert (signal.state, signal.time, signal.onset) == ("firing", after(5), after(1))

    def test_an_event_on_the_grid_is_not_seen_by_what_is_asked_there(self):
        tape = Tape()
        tape.told(1)
        assert not tape.told(5, find=1)
        assert signals(tape.event(10))[0].time == after(10)

    def test_now_is_the_watermark_for_a_late_event(self):
        tape = Tape()
        tape.event(100)
        tape.told(30, find=1)
        assert signals(tape.event(110))[0].onset == after(100)

    def test_events_behind_the_watermark_by_more_than_a_step_are_counted_as_late(self):
        tape = Tape()
        for at_s in (100, 95, 94.9, 20):
            tape.event(at_s)
        assert tape.bank.late_events == 2

    def test_an_ancient_event_moves_nothing(self):
        tape = Tape()
        tape.told(100, find=1)
        tape.event(-40 * 365 * 86400.0)
        assert signals(tape.event(106))[0].time == after(105)

    def test_a_bank_that_begins_with_an_ancient_event_catches_up_in_one_step(self):
        tape = Tape()
        tape.told(-40 * 365 * 86400.0, find=1)
        opened, *again, ended = signals(tape.event(0))
        assert opened.state == "firing"
        assert len(again) == 14
        assert (ended.state, ended.reason) == ("resolved", "stale")

    def test_a_time_far_ahead_of_its_record_is_replaced_by_the_watermark(self):
        tape = Tape()
        tape.event(100, written_s=100)
        tape.told(100_000, written_s=100, find=1)
        tape.event(400, written_s=100)
        assert signals(tape.event(407, written_s=400))[0].onset == after(100)
        assert tape.bank.future_events == 1

    def test_the_first_time_far_ahead_is_replaced_by_that_of_its_record(self):
        tape = Tape()
        tape.told(100_000, written_s=100, find=1)
        assert signals(tape.event(106))[0].onset == after(100)

    def test_a_release_that_claims_to_be_of_the_future_is_told_at_its_replaced_time(self):
        tape = Tape()
        tape.event(0, written_s=0)
        tape.event(100_000, written_s=0, kind="agent.release.v1", release={"kind": "deploy"})
        tape.told(1, find=1)
        assert tape.event(6)[0].value.signal.changes == ("2026-01-01 00:00 UTC chat deploy",)

    def test_a_tick_makes_time_pass(self):
        tape = Tape()
        tape.told(1, find=1)
        assert [each.time for each in signals(tape.tick(5))] == [after(5)]

    def test_a_tick_that_time_has_overtaken_changes_nothing(self):
        tape = Tape()
        tape.told(1, find=1)
        assert not tape.tick(0)
        assert tape.bank.wake_at == START_S + 5

    def test_a_tick_far_ahead_of_its_record_is_not_believed(self):
        tape = Tape()
        tape.told(1, find=1)
        assert not tape.tick(100_000, written_s=1)
        assert tape.bank._mark.watermark == START_S + 1

    def test_a_bank_without_any_event_wants_no_tick(self):
        assert Tape().bank.wake_at is None

    def test_a_detector_is_asked_when_it_wants_to_be(self):
        tape = Tape()
        tape.told(1, find=1, wake=START_S + 62)
        tape.told(7, find=0, wake=START_S + 62)
        tape.tick(10)
        assert tape.bank.wake_at == START_S + 62
        tape.tick(70)
        assert tape.bank.wake_at is None

    def test_a_wish_that_was_put_off_is_not_heeded(self):
        tape = Tape()
        tape.told(1, find=0, wake=START_S + 60)
        tape.told(6, find=0, wake=START_S + 120)
        tape.tick(10)
        tape.bank.save("ana")
        tape.tick(100)
        assert not tape.bank.unsaved()
        tape.tick(120)
        assert tape.bank.unsaved()

    def test_its_own_tick_is_understood(self):
        tape = Tape()
        tape.told(1, find=1)
        key, value = tape.bank.waking(START_S + 6)
        assert key == b""
        assert signals(tape.put(value))[0].time == after(5)

    def test_wishes_that_are_overtaken_do_not_pile_up(self):
        tape = Tape()
        for n in range(500):
            tape.told(6 * n, find=0, wake=START_S + 90_000 + n)
        assert len(tape.bank._asking._grid._wishes) < 100
        assert tape.bank._asking._grid._wishes[0][0] <= tape.bank._asking._grid._wishes[-1][0]

    def test_a_record_that_is_no_event_changes_nothing_but_is_counted(self):
        tape = Tape()
        tape.told(1, find=1)
        before, mark = dict(tape.bank.unsaved()), msgspec.msgpack.decode(tape.bank.mark(), type=Mark)
        with pytest.raises(Malformed):
            tape.bank.apply(Record(1, b"no event"))
        assert dict(tape.bank.unsaved()) == before
        after_it = msgspec.msgpack.decode(tape.bank.mark(), type=Mark)
        assert after_it.misfits["malformed"].count == 1
        assert msgspec.structs.replace(after_it, misfits=mark.misfits) == mark


class TestTheClock:
    def test_where_events_are_the_clock_the_watermark_is_told_each_minute(self):
        tape = Tape(clock="events", partition=1, partitions=4)
        for at_s in range(0, 190, 10):
            tape.event(at_s)
        told = wakes(tape.outputs)
        assert [each.at for each in told] == [after(at_s) for at_s in (0, 60, 120, 180)]
        assert {(each.partition, each.partitions) for each in told} == {(1, 4)}

    def test_it_is_told_after_every_signal_up_to_it(self):
        tape = Tape(clock="events")
        tape.told(0, find=1)
        *signals_, wake = tape.event(200)
        assert len(signals_) == len(signals(signals_)) > 1
        assert wakes([wake])[0].at == after(200)

    def test_it_is_told_on_each_tick(self):
        tape = Tape(clock="events")
        tape.event(0)
        assert [each.at for each in wakes(tape.tick(13))] == [after(10)]
        assert [each.at for each in wakes(tape.tick(13))] == [after(10)]

    def test_on_the_wall_clock_nothing_is_told(self):
        tape = Tape()
        for at_s in range(0, 190, 10):
            tape.event(at_s)
        tape.tick(300)
        assert not wakes(tape.outputs)
