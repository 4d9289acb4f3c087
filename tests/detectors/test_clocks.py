"""Whose clock runs ahead: the one beyond the middle of its partition, not those that look late beside it."""

import msgspec
import pytest

from detectors.clocks import MOST_LAGGING, Clocks
from detectors.settings import Settings
from schemas.wire import moment
from tests.detectors.agent_events import START_S, event
from tests.detectors.made_up import Tape, signals

AHEAD_S = 240.0
SOUND = ("ana", "bob", "cyd")


def hour(tape, agents, fast="", written=None, since=0):
    """An event of each agent each ten seconds; they are written `written` s after it."""
    found = []
    for at in range(since, since + 3600, 10):
        for number, agent in enumerate(agents):
            time_s = at + number + (AHEAD_S if agent == fast else 0)
            found += signals(tape.event(time_s, agent, None if written is None else at + number + written))
    return found


def told(found):
    return {(each.labels["agent"], each.finding) for each in found}


def test_a_clock_ahead_of_all_others_is_told_by_name():
    tape = Tape()
    assert hour(tape, SOUND) == []
    found = hour(tape, (*SOUND, "eve"), "eve", since=3600)
    assert told(found) == {("eve", "ahead")}
    assert len({each.id for each in found}) == 1
    assert found[-1].summary.startswith("the clock of eve s is up to 2")
    assert "ahead of the others of agent.events/0: their events look late beside it" in found[-1].summary
    assert found[-1].contributors[0].value == "eve s"
    assert 200 < found[-1].observed < 260


def test_of_two_it_is_the_one_that_came_later():
    tape = Tape()
    hour(tape, ["ana"])
    assert told(hour(tape, ["ana", "eve"], "eve", since=3600)) == {("eve", "ahead")}


def test_of_two_that_have_always_been_there_nobody_can_tell():
    tape = Tape()
    hour(tape, ["ana", "eve"])
    assert told(hour(tape, ["ana", "eve"], "eve", since=3600)) == set()


def test_of_two_it_is_the_one_ahead_of_its_writing_where_that_is_known():
    tape = Tape()
    hour(tape, ["ana", "eve"], written=0)
    assert told(hour(tape, ["ana", "eve"], "eve", written=0, since=3600)) == {("eve", "ahead")}


def test_of_two_nobody_is_ahead_who_is_not_ahead_of_the_writing():
    tape = Tape()
    hour(tape, ["ana"], written=0)
    assert told(hour(tape, ["ana", "eve"], "eve", written=AHEAD_S, since=3600)) == set()


def test_one_that_is_late_makes_nobody_ahead():
    tape, found = Tape(), []
    for at in range(300, 7200, 10):
        found += signals(tape.event(at, "ana"))
        found += signals(tape.event(at + 1, "bob"))
        found += signals(tape.event(at - 240, "eve"))
    assert found == []


def test_it_is_told_no_more_when_the_clock_is_set_right_and_again_when_it_is_not():
    tape = Tape()
    hour(tape, SOUND)
    first = hour(tape, (*SOUND, "eve"), "eve", since=3600)
    quiet = [hour(tape, (*SOUND, "eve"), since=3600 * each) for each in (2, 3)]
    assert signals(tape.tick(3600 * 4)) == []
    assert quiet[1] == []
    again = hour(tape, (*SOUND, "eve"), "eve", since=3600 * 5)
    assert told(again) == {("eve", "ahead")}
    assert again[-1].id != first[-1].id


def test_where_telemetry_is_off_no_clock_is_told_of():
    tape = Tape()
    tape.bank._following.settings = Settings(detectors={"telemetry": {"enabled": False}})
    hour(tape, SOUND)
    assert hour(tape, (*SOUND, "eve"), "eve", since=3600) == []


@pytest.mark.parametrize(("fast", "finding"), [("eve", "ahead"), ("", "late")])
def test_sound_agents_are_not_told_as_late_beside_a_clock_that_is_ahead(fast, finding):
    tape = Tape(kinds=None)
    hour(tape, SOUND)
    hour(tape, SOUND, since=3600)
    found = []
    for at in range(7200, 10_800, 10):
        for number, agent in enumerate(SOUND):
            behind_s = 240 if agent == "ana" and not fast else 0
            found += signals(tape.event(at + number - behind_s, agent))
        found += signals(tape.event(at + 3 + (AHEAD_S if fast else 0), "eve"))
    telemetry = {each for each in told(found) if each[1] in {"ahead", "late"}}
    assert telemetry == {("eve" if fast else "ana", finding)}


def test_producers_beyond_the_cap_give_their_places_and_a_restart_changes_nothing():
    clocks = Clocks()
    for number in range(MOST_LAGGING + 9):
        late = event(START_S, agent={"name": f"a{number}"}, service={"name": "batch"})
        clocks.lag(late, START_S + 100 + number, 100.0)
    assert len(clocks.lagging) == MOST_LAGGING
    assert next(iter(clocks.lagging)) == "a9 made-up batch"
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(clocks), type=Clocks)
    assert again == clocks
    assert list(again.signals("p", START_S + 200)) == []


def test_agents_beyond_the_cap_give_their_places():
    clocks = Clocks()
    for number in range(MOST_LAGGING + 3):
        clocks.see(f"a{number}")
        clocks.hear(START_S + number)
    assert len(clocks.heard) == MOST_LAGGING
    assert next(iter(clocks.heard)) == "a3"
    for number in range(MOST_LAGGING + 3):
        clocks.see(f"b{number}")
    assert len(clocks.present) == MOST_LAGGING


def test_what_was_long_ago_counts_no_more():
    clocks = Clocks()
    for _ in range(2):
        clocks.lag(event(START_S), START_S + 100, 100.0)
    clocks.lag(event(START_S), START_S + 4000, 90.0)
    (place,) = clocks.lagging.values()
    assert (place.count, place.gap, place.since) == (1, 90.0, START_S + 100)
    assert moment(place.last) == moment(START_S + 4000)
