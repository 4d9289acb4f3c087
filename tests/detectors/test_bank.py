"""What the bank makes of events, controls and time."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.asking import DAY_S
from detectors.bank import Bank
from detectors.crowd import OVERFLOW
from detectors.keys import SILENT_S
from detectors.mark import Mark
from detectors.registry import discover
from schemas.control import Tick
from schemas.event import EVENT_TYPES
from schemas.record import Record
from schemas.wire import Malformed, moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    KINDS,
    Judge,
    Other,
    Shy,
    Tape,
    config,
    reasons,
    settings_of,
    settings_record,
    signals,
    wakes,
)
from tests.simulation.counting import Counter

START = moment(START_S)


def after(at_s: float):
    return moment(START_S + at_s)


def test_an_agent_renamed_in_mid_stream_is_another_agent():
    tape = Tape()
    tape.told(1, "old", find=1)
    (first,) = signals(tape.told(7, "new"))
    assert first.labels["agent"] == "old"
    assert set(tape.bank.unsaved()) == {"old", "new"}


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


class TestSignals:
    def test_a_signal_is_asserted_each_minute_under_its_first_id_with_fresh_words(self):
        tape = Tape()
        tape.told(0, find=1)
        for at_s in range(10, 140, 10):
            tape.event(at_s)
        assert [each.time for each in tape.signals] == [after(5), after(65), after(125)]
        assert len({each.id for each in tape.signals}) == 1
        assert [each.summary for each in tape.signals] == ["1 seen ", "7 seen ", "13 seen "]

    def test_it_says_whom_what_and_where(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.event(1, deployment={"environment_name": "prod"})
        (signal,) = signals(tape.tick(5))
        assert signal.labels == {
            "n": "0",
            "agent": "ana",
            "detector": "told",
            "finding": "odd",
            "env": "prod",
        }

    def test_it_ends_once_its_finding_holds_no_more(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.told(6, find=0)
        (ended,) = signals(tape.tick(10))
        assert (ended.state, ended.reason, ended.id) == ("resolved", "recovered", tape.signals[0].id)

    def test_it_ends_as_stale_when_nothing_is_heard_of_the_agent_for_a_quarter_of_an_hour(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.event(0, agent="bo")
        tape.tick(900)
        assert tape.signals[-1].state == "firing"
        (ended,) = signals(tape.tick(905))
        assert (ended.state, ended.reason) == ("resolved", "stale")
        assert tape.bank.wake_at is None

    def test_a_finding_that_comes_back_is_another_signal(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.told(6, find=0)
        tape.told(11, find=1)
        tape.tick(15)
        first, _, again = tape.signals
        assert again.state == "firing"
        assert again.id != first.id

    def test_what_changed_lately_is_told_the_newest_first_and_five_at_most(self):
        tape = Tape()
        for n in range(6):
            release = {"kind": "rollout_step", "share": 0.1 * n, "summary": f"step {n}"}
            said = {"operation": {"name": "x"}, "release": release, "version": f"2.{n}"}
            tape.event(60 * n, kind="agent.release.v1", **said)
        tape.event(360, kind="agent.release.v1", operation={"name": "deploy"})
        tape.told(361, find=1)
        (signal,) = signals(tape.tick(365))
        assert len(signal.changes) == 5
        assert signal.changes[0] == "2026-01-01 00:06 UTC deploy"
        assert signal.changes[1] == "2026-01-01 00:05 UTC x rollout_step 2.5 at 50% step 5"

    def test_more_than_64_wait_for_a_place_and_a_signal_says_so(self):
        tape = Tape()
        tape.told(0, find=3)
        tape.told(6, find=70)
        opened = signals(tape.tick(10))
        assert len(opened) == 62
        assert opened[-1].labels == {"agent": "ana", "detector": "telemetry", "finding": "signals_capped"}
        assert opened[-1].observed == 6
        tape.told(11, find=64)
        (ended,) = signals(tape.tick(15))
        assert (ended.finding, ended.reason) == ("signals_capped", "recovered")

    def test_signals_of_a_detector_that_raises_keep_their_places(self):
        tape = Tape(kinds=KINDS)
        tape.told(0, find=64)
        assert len(signals(tape.tick(5))) == 65
        tape.told(6, mute=1, find=64)
        tape.event(6)
        tape.tick(10)
        assert not [each for each in tape.signals if each.state == "resolved" and each.detector == "told"]


class TestWatching:
    def test_a_detector_is_shown_the_types_that_it_watches_and_no_others(self):
        tape = Tape(kinds={"judge": Judge})
        for at_s, kind in enumerate(EVENT_TYPES):
            tape.event(at_s, kind=kind)
        (signal,) = signals(tape.tick(5))
        assert signal.summary == "1 seen "
        assert signal.onset == after(EVENT_TYPES.index("agent.evaluation.v1"))


class TestDuplicates:
    def test_an_event_that_comes_again_is_seen_once(self):
        tape = Tape()
        for _ in range(3):
            tape.event(1, id="same", attributes={"find": 1})
        assert signals(tape.tick(5))[0].summary == "1 seen "

    def test_the_same_id_of_another_agent_is_another_event(self):
        tape = Tape()
        for agent in ("ana", "bo"):
            tape.event(1, agent, id="same", attributes={"find": 1})
        assert len(signals(tape.tick(5))) == 2

    def test_after_ten_minutes_an_id_may_be_used_again(self):
        tape = Tape()
        tape.event(1, id="same")
        for at_s in range(10, 640, 10):
            tape.event(at_s)
        tape.event(640, id="same", attributes={"find": 1})
        assert signals(tape.tick(645))[0].summary == "65 seen "


class TestWording:
    def test_a_finding_is_worded_when_it_opens_and_once_a_minute(self):
        tape = Tape(kinds={"shy": Shy})
        tape.told(1, find=1)
        for at_s in range(10, 130, 5):
            tape.event(at_s)
        said = [(each.time, each.summary) for each in tape.signals]
        assert said == [(after(at_s), f"{START_S + at_s:.0f}") for at_s in (5, 65, 125)]

    def test_a_finding_that_cannot_be_worded_is_told_of_and_the_others_stand(self):
        tape = Tape(kinds={"other": Other, "shy": Shy})
        tape.told(1, find=1, mute=1)
        given = tape.tick(5)
        assert reasons(given) == ['shy/odd{n="0"}: ValueError: no word']
        assert [each.detector for each in signals(given)] == ["other"]

    def test_a_finding_that_finds_no_words_any_more_still_holds(self):
        tape = Tape(kinds={"shy": Shy})
        tape.told(1, find=1)
        tape.tick(5)
        tape.told(61, mute=1)
        assert reasons(tape.tick(65))
        tape.told(66)
        assert [each.state for each in signals(tape.tick(70))] == ["firing"]


class TestFaults:
    def test_a_detector_that_raises_is_told_and_the_others_see_the_event(self):
        tape = Tape(kinds=KINDS)
        (letter,) = tape.told(1, fail=1)
        assert letter.stream == "deadletter"
        assert letter.value == msgspec.json.encode(msgspec.json.decode(letter.value))
        assert reasons([letter]) == ["Told.observe: ValueError: as it was told\\ud800"]
        assert [each.detector for each in signals(tape.tick(5))] == ["other"]

    def test_a_detector_that_cannot_say_what_holds_ends_nothing(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.told(6, mute=1)
        (letter,) = tape.tick(10)
        assert reasons([letter]) == ["Told.findings: ValueError: no word"]
        tape.told(11, find=1)
        tape.event(70)
        assert {each.state for each in tape.signals} == {"firing"}
        assert len({each.id for each in tape.signals}) == 1

    def test_a_detector_that_cannot_take_a_new_normal_is_told(self):
        tape = Tape()
        tape.told(1, find=3)
        tape.rebase(2)
        assert "Told.rebase: ValueError" in reasons(tape.event(3))[0]
        assert not tape.event(4)


class TestControls:
    def test_a_new_normal_ends_what_holds(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.event(6)
        tape.rebase(7)
        assert [(each.state, each.reason) for each in signals(tape.tick(10))] == [("resolved", "recovered")]

    def test_a_new_normal_of_nobody_known_is_passed_over(self):
        tape = Tape()
        tape.told(0, find=1)
        tape.rebase(1, agent="nobody")
        tape.rebase(1, detector="none")
        assert sorted(tape.bank.unsaved()) == ["ana"]
        assert len(signals(tape.tick(5))) == 1

    def test_other_settings_are_followed_from_their_record_on(self):
        tape = Tape()
        tape.bank.begin(config({"told": {"label": "before"}}), "d1")
        tape.told(0, find=1)
        tape.control(settings_record({"told": {"label": "after"}, "redact": {"patterns": ["*"]}}))
        assert signals(tape.tick(5))[0].summary == "1 seen after*"
        assert tape.bank.digests == ("d1", "d2")

    def test_settings_that_do_not_hold_are_told_and_the_old_ones_stay(self):
        tape = Tape()
        tape.bank.begin(config({"told": {"label": "before"}}), "d1")
        tape.told(0, find=1)
        (letter,) = tape.control(settings_record("no JSON"))
        assert reasons([letter])[0].startswith("configuration d2: rules: ")
        assert signals(tape.tick(5))[0].summary == "1 seen before"
        assert tape.bank.digests == ("d1",)

    def test_settings_that_one_detector_cannot_follow_are_not_followed_by_the_others(self):
        tape = Tape(kinds=KINDS)
        tape.bank.begin(config({"told": {"label": "before"}}), "d1")
        tape.told(0, find=2)
        said = {"told": {"label": "after"}, "other": {"unfit": "vip"}}
        (letter,) = tape.control(settings_record(said))
        assert reasons([letter]) == ["configuration d2: detectors: other: ValueError: this does not fit"]
        assert signals(tape.tick(5))[0].summary == "1 seen before"

    def test_settings_before_any_event_that_do_not_hold_are_told(self):
        (letter,) = Tape().control(settings_record("no JSON"))
        assert letter.at == 0

    def test_a_detector_that_fails_to_follow_is_told_with_the_next_event(self):
        tape = Tape()
        tape.told(0, find=1)
        assert not tape.control(settings_record({"told": {"stubborn": 1}}))
        assert reasons(tape.event(1)) == ["Told.configure: TypeError: never again"]
        assert len(signals(tape.tick(5))) == 1

    @pytest.mark.parametrize("off", [False, "false"])
    def test_a_detector_that_is_switched_off_says_nothing_and_forgets(self, off):
        tape = Tape()
        tape.told(0, find=1)
        tape.told(6, find=1)
        tape.control(settings_record({"told": {"enabled": off}}))
        assert [each.state for each in signals(tape.tick(10)) if each.detector == "told"] == ["resolved"]
        tape.control(settings_record({}, "d3"))
        tape.event(11)
        assert not [each for each in signals(tape.tick(15)) if each.detector == "told"]

    def test_sixteen_digests_are_remembered(self):
        tape = Tape()
        for n in range(20):
            tape.control(settings_record({}, f"d{n}"))
        assert tape.bank.digests == tuple(f"d{n}" for n in range(4, 20))

    def test_settings_do_not_move_time(self):
        tape = Tape()
        tape.told(0, find=1)
        assert not tape.control(settings_record({}, at_s=START_S + 500))


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


class TestRestarts:
    def test_an_agent_stays_bytes_until_its_first_event_beyond_what_was_saved(self):
        tape = Tape()
        tape.event(0)
        tape.event(1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.event(0)
        heir.event(1)
        assert not heir.bank._keys.awake
        assert not signals(heir.tick(10))
        heir.rebase(1, agent="ana")
        assert not heir.bank._keys.asleep

    def test_an_agent_that_slept_is_asked_when_it_wished_to_be(self):
        tape = Tape()
        tape.told(0, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = 1
        assert heir.bank.wake_at == START_S + 5
        assert signals(heir.tick(5)) == signals(tape.tick(5))

    def test_an_agent_is_asked_nothing_by_what_its_state_contains(self):
        tape = Tape()
        tape.event(0)
        tape.told(1, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        assert not heir.tick(6)

    def test_an_agent_that_wished_nothing_is_asked_nothing(self):
        tape = Tape()
        tape.event(0)
        tape.tick(5)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        assert heir.bank.wake_at is None

    def test_a_piece_of_state_that_cannot_be_read_is_told_and_costs_the_others_nothing(self):
        class Newer(KINDS["told"]):
            name = "told"
            version = 2

        tape = Tape(kinds={**KINDS, "told": Newer})
        tape.told(0, find=1)
        heir = Tape(kinds=KINDS)
        heir.offset = 1
        heir.bank.load("ana", tape.bank.save("ana"))
        assert reasons(heir.event(1)) == ["Told.load: ValueError: version 2"]
        heir.event(2)
        assert [each.summary for each in signals(heir.tick(5))] == ["3 seen "]

    def test_state_of_a_format_that_is_not_known_is_not_loaded(self):
        tape = Tape()
        tape.event(0)
        saved = msgspec.structs.replace(tape.bank.save("ana"), version=2)
        with pytest.raises(ValueError, match="state of ana has version 2, expected 1"):
            Tape().bank.load("ana", saved)

    def test_settings_that_hold_no_more_are_wanted_anew(self):
        tape = Tape()
        tape.bank.begin(config({}), "d1")
        tape.control(settings_record({"told": {"unfit": "*"}}, "d2"))
        picky = Bank(settings_of, kinds=KINDS)
        mark = msgspec.msgpack.decode(tape.bank.mark())
        mark[3], mark[4] = ["d1", "d2"], [["rules", "no JSON"]]
        picky.resume(msgspec.msgpack.encode(mark))
        assert picky.digests == ()

    def test_a_detector_that_was_switched_off_and_on_while_an_agent_slept_starts_anew(self):
        tape = Tape()
        tape.told(0, find=1)
        heir = Tape()
        heir.bank.load("ana", tape.bank.save("ana"))
        heir.bank.resume(tape.bank.mark())
        heir.offset = 1
        for each in (tape, heir):
            each.control(settings_record({"told": {"enabled": False}}, "off"))
            each.control(settings_record({}, "on"))
        assert heir.event(6) == tape.event(6)
        assert heir.bank.save("ana") == tape.bank.save("ana")


KINDS_HERE = {**discover(), "told": KINDS["told"], "counter": Counter}
steps = st.lists(
    st.tuples(
        st.sampled_from(["event"] * 9 + ["tick", "rebase", "settings", "bad settings", "again"]),
        st.sampled_from(["ana", "bo", "vip", "dora"]),
        st.floats(-20, 30),
        st.integers(0, 9),
    ),
    max_size=60,
)
SAID = [
    {},
    {"told": {"enabled": False}},
    {"told": {"label": "x"}, "error_rate": {"arl": "7d"}},
    {"cost": {"enabled": False}, "input_shift": {"per_minute": 3}},
    {"redact": {"patterns": ["a+"]}},
]


def play(tape: Tape, step, now_s: float) -> None:
    what, agent, _, n = step
    match what:
        case "tick":
            tape.tick(now_s)
        case "rebase":
            tape.rebase(now_s, agent)
        case "settings":
            tape.control(settings_record(SAID[n % len(SAID)], f"d{n}"))
        case "bad settings":
            tape.control(settings_record("{", f"d{n}"))
        case "again":
            tape.event(now_s, agent, id=f"again-{n}")
        case _:
            failed = {"error": {"type": "Timeout"}} if n % 3 == 0 else {}
            usage = {"cost_amount": 0.1 * n, "cost_currency": "USD"}
            talk = {"id": f"s{n % 4}", "state": "ended"}
            told = {"find": n % 3, "fail": n == 7, "mute": n == 8, "wake": START_S + now_s + 60 * n}
            tape.event(
                now_s,
                agent,
                kind="agent.session.v1" if n % 2 else "agent.operation.v1",
                usage=usage,
                conversation=talk,
                input={"text": f"refund order {n}"},
                attributes=told,
                **failed,
            )


def restarted(tape: Tape) -> Tape:
    """Another owner, who finds what this one saved just now, or found itself and did not wake."""
    heir = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    heir.offset = tape.offset
    for name in sorted(tape.bank._keys.awake.keys() | tape.bank._keys.asleep):
        if name in tape.bank._keys.awake:
            heir.bank.load(name, tape.bank.save(name))
        else:
            heir.bank.load(name, tape.bank._keys.asleep[name])
    heir.bank.resume(tape.bank.mark())
    return heir


RATES_CHANGE = [*[("event", "ana", 0.0, 0)] * 5, ("settings", "ana", 0.0, 3)]


@given(steps, st.lists(st.integers(0, 60), max_size=4))
@example(RATES_CHANGE, [5])
def test_restarts_at_any_place_change_neither_outputs_nor_state(drawn, cuts):
    whole = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    broken = Tape(clock="events", kinds=KINDS_HERE, most_agents=3)
    outputs = []
    now_s = 0.0
    for at, step in enumerate(drawn):
        if at in cuts:
            outputs += broken.outputs
            broken = restarted(broken)
        now_s += step[2]
        play(whole, step, now_s)
        play(broken, step, now_s)
    assert outputs + broken.outputs == whole.outputs
    assert broken.bank.mark() == whole.bank.mark()
    assert broken.bank.wake_at == whole.bank.wake_at
    for name in sorted(whole.bank._keys.awake):
        if name in broken.bank._keys.asleep:
            broken.bank._keys.state(name, broken.offset)
        assert broken.bank.save(name).body == whole.bank.save(name).body
