"""What the bank makes of controls: a new normal, other settings."""

import pytest

from schemas.wire import moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    KINDS,
    Tape,
    config,
    reasons,
    settings_record,
    signals,
)


def after(at_s: float):
    return moment(START_S + at_s)


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
        assert reasons([letter]) == ["configuration d2: detectors: other: unfit: this does not fit"]
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
