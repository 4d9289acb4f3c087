"""What contends in the benchmark finds what we find, however its framework feeds it."""

from itertools import groupby

import pytest

from benchmarks.contest import CONTENDERS, OURS, Figures, is_here
from benchmarks.findings import to_find
from benchmarks.history import history
from benchmarks.hour import Minute
from benchmarks.peers.watcher import Watcher, kinds_of
from benchmarks.throughput import merged
from schemas.wire import decode_event
from streams.history import partition_of

KINDS = kinds_of("three")
pytestmark = pytest.mark.xdist_group("contest")  # what is to be found is found once


@pytest.fixture(scope="module")
def told():
    return history(2_400, 20, 240.0)


@pytest.fixture(scope="module")
def expected(told):
    return to_find(told, "three")


def found(told, see):
    watchers, ids = {}, {}
    for name, events in groupby(map(decode_event, told.lines), key=lambda event: event.data.agent.name):
        watchers[name], given = see(watchers.get(name) or Watcher(name, KINDS), list(events))
        ids.update(given)
    return {each for each, at_s in ids.items() if at_s <= told.until_s}


def one_by_one(watcher, events):
    return watcher, [told for event in events for told in watcher.see(event)]


def together(watcher, events):
    return watcher, watcher.see_many(events)


def from_its_state(watcher, events):
    again = Watcher.load(watcher.save(), KINDS)
    return again, again.see_many(events)


def test_there_is_something_to_be_found(expected):
    assert expected


@pytest.mark.parametrize("see", [one_by_one, together])
def test_a_peer_finds_what_a_replay_finds(told, expected, see):
    assert found(told, see) == expected


def test_a_peer_that_reads_its_state_anew_each_time_finds_the_same():
    told = history(600, 4, 60.0)
    assert found(told, from_its_state) == to_find(told, "three") != set()


def test_every_peer_runs_both_sets_of_detectors_as_we_do():
    for name in {each.name for each in CONTENDERS if each.set}:
        assert {each.set for each in CONTENDERS if each.name == name} == OURS.keys()


def test_a_peer_that_is_not_installed_is_known_to_be_absent(tmp_path):
    absent = {each.name for each in CONTENDERS if not is_here(each, tmp_path / "python")}
    assert absent == {"Quix in memory", "Quix with state", "Bytewax with recovery"}


def test_what_was_measured_in_turn_makes_rounds():
    figures = [Figures(rate=float(n), cpu_us=1.0, peak_mb=1.0) for n in range(4)]
    parts = [{"limit": figures[0]}, {"ours": figures[1]}, {"limit": figures[2]}, {"peer": figures[3]}]
    assert merged(parts) == [
        {"limit": figures[0], "ours": figures[1], "peer": figures[3]},
        {"limit": figures[2]},
    ]


def test_each_minute_of_an_outage_has_events_and_sessions_of_its_own():
    minute = Minute(10.0, 4, 4)
    events = [[decode_event(each[2]) for each in minute.at(number, 60.0 * number)] for number in (0, 1)]
    ids, sessions = zip(
        *[({each.id for each in some}, {each.data.conversation.id for each in some}) for some in events],
        strict=True,
    )
    assert not ids[0] & ids[1]
    assert not sessions[0] & sessions[1]
    assert len(ids[1]) == len(events[1]) == len(events[0]) > 300
    assert all(60 <= each.time.timestamp() < 120 for each in events[1])


def test_what_a_minute_holds_goes_where_producers_put_it():
    for partition, key, value, at_s in Minute(2.0, 4, 4).at(0, 0.0):
        event = decode_event(value)
        assert (partition, key) == (partition_of(key, 4), event.data.agent.name.encode())
        assert at_s == pytest.approx(event.time.timestamp())
