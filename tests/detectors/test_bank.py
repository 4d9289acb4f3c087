"""What the bank makes of events: signals, duplicates, what raises."""

import msgspec

from schemas.event import EVENT_TYPES
from schemas.wire import moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import (
    KINDS,
    Judge,
    Other,
    Shy,
    Tape,
    reasons,
    signals,
)


def after(at_s: float):
    return moment(START_S + at_s)


def test_an_agent_renamed_in_mid_stream_is_another_agent():
    tape = Tape()
    tape.told(1, "old", find=1)
    (first,) = signals(tape.told(7, "new"))
    assert first.labels["agent"] == "old"
    assert set(tape.bank.unsaved()) == {"old", "new"}


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
