"""A whole partition that falls silent: one outage, told once, whatever is silent in it."""

from functools import cache
from math import inf

import msgspec
import pytest

from detectors.grid import after
from detectors.mark import Mark
from detectors.rhythms.intake import INTAKE, Intake
from detectors.silence import Silence
from schemas.control import Tick
from schemas.wire import moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import KINDS, Tape, settings_record

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
KNOWN = 4 * DAY
"""By then an agent that never rests is known, and so is the partition."""


@cache
def watched(agents, until):
    """What a bank keeps of a partition in which each of these spoke every minute."""
    tape = Tape(kinds={"silence": Silence})
    speak(tape, agents, 0, until)
    return tape.offset, {name: tape.bank.save(name) for name in agents}, tape.bank.mark()


def partition(agents=("ana", "bo", "chi"), until=KNOWN, **kinds):
    """Continues from there."""
    return taken_over(*watched(agents, until), **kinds)


def taken_over(offset, saved, mark, **kinds):
    tape = Tape(kinds={"silence": Silence, **kinds})
    tape.offset = offset
    for name, state in saved.items():
        tape.bank.load(name, state)
    tape.bank.resume(mark)
    return tape


def speak(tape, agents, begin, end, step=MINUTE):
    at = begin
    while at < end:
        for n, agent in enumerate(agents):
            tape.event(at + n, agent)
        at += step


def wait(tape, until, seldom=0.0):
    """Nothing comes: the host ticks when the bank wishes it, as it would. `seldom`: so many seconds apart."""
    last = -seldom
    while (wish := tape.bank.wake_at) is not None and wish <= START_S + until:
        last = max(after(wish) - START_S, last + seldom)
        tape.tick(last)
    return tape


def told(tape):
    """What began and what ended, by whom, in minutes since the last event."""
    seen, found = set(), []
    for each in tape.signals:
        if each.state == "resolved" or each.id not in seen:
            seen.add(each.id)
            found.append((each.finding, each.labels["agent"], each.state))
    return found


def test_a_silent_partition_is_one_signal_and_its_agents_are_none():
    tape = wait(partition(), KNOWN + HOUR)
    assert told(tape) == [("intake_down", INTAKE, "firing")]
    first = tape.signals[0]
    assert first.labels == {
        "agent": INTAKE,
        "detector": "silence",
        "finding": "intake_down",
        "partition": "agent.events/0",
    }
    assert first.onset == moment(START_S + KNOWN - MINUTE + 2)
    assert 4 * MINUTE <= (first.time - first.onset).total_seconds() <= 6 * MINUTE
    assert first.summary.startswith(
        "no event of any agent comes over agent.events/0 since 2026-01-04 23:59 UTC (5 minutes): usually 18"
    )
    assert (first.unit, first.magnitude_unit) == ("minutes of silence", "ratio")
    assert first.confidence > 0.9
    assert first.history[-1] == 0


def test_it_is_asserted_each_minute_and_ends_when_something_comes():
    tape = wait(partition(), KNOWN + 10 * MINUTE)
    assert [each.state for each in tape.signals] == ["firing"] * len(tape.signals)
    assert 5 <= len(tape.signals) <= 7
    speak(tape, ("ana", "bo", "chi"), KNOWN + 10 * MINUTE, KNOWN + 20 * MINUTE)
    assert [each[2] for each in told(tape)] == ["firing", "resolved"]
    assert tape.signals[-1].reason == "recovered"


def test_the_next_outage_is_another_signal():
    tape = wait(partition(), KNOWN + HOUR)
    speak(tape, ("ana", "bo", "chi"), KNOWN + HOUR, KNOWN + 2 * HOUR)
    wait(tape, KNOWN + 3 * HOUR)
    assert [each[2] for each in told(tape)] == ["firing", "resolved", "firing"]
    assert len({each.id for each in tape.signals}) == 2


def test_an_agent_that_stays_silent_when_the_others_come_back_is_told_then():
    tape = wait(partition(), KNOWN + HOUR)
    speak(tape, ("ana", "bo"), KNOWN + HOUR, KNOWN + 2 * HOUR)
    assert told(tape) == [
        ("intake_down", INTAKE, "firing"),
        ("intake_down", INTAKE, "resolved"),
        ("agent_down", "chi", "firing"),
    ]


def test_a_partition_of_one_agent_is_told_by_the_agent():
    tape = wait(partition(("ana",)), KNOWN + DAY)
    assert told(tape) == [("agent_down", "ana", "firing")]
    first = tape.signals[0]
    assert 5 * MINUTE <= (first.time - first.onset).total_seconds() <= 7 * MINUTE


def test_one_silent_agent_of_several_is_told_as_ever():
    tape = partition()
    speak(tape, ("ana", "bo"), KNOWN, KNOWN + HOUR)
    assert told(tape) == [("agent_down", "chi", "firing")]


@pytest.mark.no_cover  # it plays twelve days, and is several times as fast unmeasured
def test_an_agent_that_is_almost_all_of_a_partition_is_told_alone_and_the_partition_once_another_is_missed():
    tape = Tape(kinds={"silence": Silence})
    for hour in range(int(10 * DAY / HOUR)):
        speak(tape, ("ana",), hour * HOUR, (hour + 1) * HOUR)
        tape.event(hour * HOUR + 59.5 * MINUTE, "bo")
    wait(tape, 10 * DAY + HOUR)
    assert told(tape) == [("agent_down", "ana", "firing")]
    wait(tape, 12 * DAY, seldom=10 * MINUTE)
    assert told(tape) == [("agent_down", "ana", "firing"), ("intake_down", INTAKE, "firing")]


def test_an_agent_that_was_down_before_explains_nothing_of_the_others():
    tape = partition()
    speak(tape, ("ana", "bo"), KNOWN, KNOWN + HOUR)
    wait(tape, KNOWN + 2 * HOUR)
    assert told(tape) == [("agent_down", "chi", "firing"), ("intake_down", INTAKE, "firing")]


def test_a_partition_that_stays_silent_for_two_weeks_is_given_up():
    _, _, mark = watched(("ana", "bo", "chi"), KNOWN)
    intake = Intake(msgspec.msgpack.decode(mark, type=Mark).received, "partition 0")
    last = START_S + KNOWN - MINUTE
    assert intake.ask(last + HOUR, inf) == []
    assert {each.state for each in intake.ask(last + HOUR + 2 * MINUTE, inf)} == {"firing"}
    (given,) = intake.ask(last + 15 * DAY + HOUR, inf)
    assert (given.finding, given.state, given.reason) == ("intake_down", "resolved", "gone")


def test_a_partition_that_was_not_watched_for_long_says_nothing():
    assert told(wait(partition(until=DAY), 3 * DAY)) == []


def test_the_end_of_history_is_nobodys_silence():
    tape = partition()
    tape.control(Tick(time=moment(START_S + KNOWN + DAY), last=True))
    assert told(tape) == []


def test_an_agent_that_speaks_once_when_the_others_come_back_is_told_when_it_is_missed_again():
    tape = wait(partition(), KNOWN + HOUR)
    speak(tape, ("ana", "bo"), KNOWN + HOUR, KNOWN + HOUR + 5)
    speak(tape, ("chi", "ana", "bo"), KNOWN + HOUR + 5, KNOWN + HOUR + 10)
    speak(tape, ("ana", "bo"), KNOWN + HOUR + MINUTE, KNOWN + 2 * HOUR)
    assert told(tape)[1:] == [("intake_down", INTAKE, "resolved"), ("agent_down", "chi", "firing")]


def test_events_that_come_late_are_events():
    tape = partition()
    for at in range(0, 3600, 30):
        tape.tick(KNOWN + at)
        speak(tape, ("ana", "bo", "chi"), KNOWN - HOUR + at, KNOWN - HOUR + at + 30)
    assert told(tape) == []


@pytest.mark.parametrize("offset", [0, 1_000_000])
def test_what_is_usual_are_its_events_whatever_else_the_log_holds(offset):
    tape = Tape(kinds={"silence": Silence})
    tape.offset = offset
    for at in range(0, int(8 * HOUR), 5):
        tape.tick(at)
        if at % 60 == 0:
            speak(tape, ("ana", "bo", "chi"), at, at + 1)
    assert tape.bank._mark.received.heard.rate == pytest.approx(180, abs=1)


def test_events_that_come_just_behind_the_ticks_are_events():
    """Neither do they move time over the grid, nor are they late: by delay, or as each misses the point."""
    slow = partition()
    for at in range(0, 3600, 5):
        slow.tick(KNOWN + at)
        speak(slow, ("ana", "bo", "chi"), KNOWN + at - 3, KNOWN + at - 2)
    assert (told(slow), slow.bank.late_events) == ([], 0)
    between = partition()
    for at in range(0, 3600, 5):
        between.tick(KNOWN + at)
        if at % 60 == 0:
            speak(between, ("ana", "bo"), KNOWN + at + 3, KNOWN + at + 4)
    assert told(between) == [("agent_down", "chi", "firing")]


def test_a_silence_that_is_told_ends_with_events_that_come_just_behind_the_ticks():
    tape = wait(partition(), KNOWN + HOUR)
    tape.tick(KNOWN + HOUR + 5)
    speak(tape, ("ana", "bo", "chi"), KNOWN + HOUR + 2, KNOWN + HOUR + 3)
    tape.tick(KNOWN + HOUR + 10)
    assert told(tape) == [("intake_down", INTAKE, "firing"), ("intake_down", INTAKE, "resolved")]


def test_it_is_switched_off_with_its_detector():
    tape = partition()
    tape.control(settings_record({"silence": {"enabled": False}}))
    assert told(wait(tape, KNOWN + DAY)) == []


def test_switched_off_while_it_is_told_it_ends():
    tape = wait(partition(), KNOWN + HOUR)
    tape.control(settings_record({"silence": {"enabled": "false"}}))
    assert told(wait(tape, KNOWN + DAY))[-1] == ("intake_down", INTAKE, "resolved")


def test_an_agent_of_the_same_name_is_asked_as_any_other():
    tape = partition(told=KINDS["told"])
    speak(tape, ("ana", "bo", "chi"), KNOWN, KNOWN + MINUTE)
    tape.told(KNOWN + 3, INTAKE, find=1)
    tape.tick(KNOWN + 5)
    assert told(tape) == [("odd", INTAKE, "firing")]
    tape.told(KNOWN + 6, INTAKE, find=0)
    wait(tape, KNOWN + HOUR)
    assert told(tape)[1:] == [("odd", INTAKE, "resolved"), ("intake_down", INTAKE, "firing")]


def test_where_its_silence_is_normal_it_ends_at_once_and_the_next_is_one_signal_again():
    tape = wait(partition(), KNOWN + HOUR)
    tape.rebase(KNOWN + HOUR, INTAKE, "silence")
    wait(tape, KNOWN + 6 * HOUR, seldom=MINUTE)
    assert [each[1:] for each in told(tape)] == [(INTAKE, "firing"), (INTAKE, "resolved")]
    assert (tape.signals[-1].time - moment(START_S + KNOWN + HOUR)).total_seconds() <= MINUTE
    speak(tape, ("ana", "bo", "chi"), KNOWN + 6 * HOUR, KNOWN + 7 * HOUR)
    wait(tape, KNOWN + 15 * HOUR, seldom=10 * MINUTE)
    assert told(tape)[2:] == [("intake_down", INTAKE, "firing")]


@pytest.mark.parametrize(("after_s", "detector"), [(0, "silence"), (HOUR, "told")])
def test_nothing_else_is_normal_of_it(after_s, detector):
    tape = wait(partition(), KNOWN + after_s)
    tape.rebase(KNOWN + after_s, INTAKE, detector)
    wait(tape, KNOWN + 2 * HOUR)
    assert told(tape) == [("intake_down", INTAKE, "firing")]


def test_what_another_lasting_detector_finds_meanwhile_waits_for_the_partition():
    class Lasting(KINDS["told"]):
        name = "lasting"
        outlives_s = DAY

    tape = partition(lasting=Lasting)
    tape.told(KNOWN, "ana", find=0, wake=START_S + KNOWN + HOUR)
    tape.told(KNOWN + 1, "bo", find=0)
    wait(tape, KNOWN + 2 * HOUR)
    assert {each.detector for each in tape.signals} == {"silence"}


@pytest.mark.parametrize("after_s", [200, 270, 400, 3000])
def test_a_restart_at_any_time_of_it_changes_nothing(after_s):
    tape, whole = partition(), partition()
    wait(tape, KNOWN + after_s)
    keys = tape.bank._keys
    saved = {name: tape.bank.save(name) or keys.asleep[name] for name in ("ana", "bo", "chi")}
    heir = taken_over(tape.offset, saved, tape.bank.mark())
    heir.outputs = tape.outputs
    for each in (heir, whole):
        wait(each, KNOWN + HOUR)
        speak(each, ("ana", "bo"), KNOWN + HOUR, KNOWN + 2 * HOUR)
    assert heir.signals == whole.signals
    assert heir.bank.wake_at == whole.bank.wake_at


def test_a_mark_that_was_written_before_partitions_were_heard_is_read():
    mark = msgspec.msgpack.decode(partition(until=HOUR).bank.mark())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(mark[:-3]), type=Mark).received.wake_at is None


def test_a_mark_that_was_written_before_events_were_counted_is_read():
    offset, saved, mark = watched(("ana", "bo", "chi"), KNOWN)
    fields = msgspec.msgpack.decode(mark)
    fields[10][4:6] = offset - 1, 7
    older = taken_over(offset, saved, msgspec.msgpack.encode(fields[:-2]))
    assert older.bank._mark.unheard == 0
    assert told(wait(older, KNOWN + HOUR)) == [("intake_down", INTAKE, "firing")]
