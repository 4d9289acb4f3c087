"""Several partitions, whose interleaving is free, give one order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.incidents import alignment
from routing.incidents.alignment import Alignment, Watermarks
from routing.router import KEY, Router
from schemas.cause import Acknowledged, ConfigFile, Configured, Probed, Reported, Signalled, Wake
from schemas.incident import Incident
from schemas.outcome import Delivered
from schemas.page import Page
from schemas.record import Record
from schemas.signal import Signal
from schemas.wire import encode
from tests.routing.scenario import ESCALATED, MINUTE, START, origin

CONFIG = Configured(at=START, digest="d", files=(ConfigFile("rules.yaml", ESCALATED),), clock="events")


def at(seconds):
    return START + timedelta(seconds=seconds)


def a_signal(seconds, partition, offset, agent="a", n=0):
    signal = Signal(
        id=f"s{partition}-{offset}",
        detector="error_rate",
        finding="sessions",
        state="firing",
        labels={"agent": agent},
        time=at(seconds),
        onset=at(seconds),
        summary="",
    )
    return Signalled(at=at(seconds), signal=signal, origin=origin(offset, n, partition))


def told(seconds, partition, partitions=2):
    return Wake(at=at(seconds), partition=partition, partitions=partitions)


def ids(causes):
    return [cause.signal.id for cause in causes if isinstance(cause, Signalled)]


def test_a_lone_partition_s_causes_pass_at_once():
    line = Alignment(Watermarks())
    cause = a_signal(5, 0, 1)
    assert line.take(cause, 1) == [cause]
    assert line.take(told(10, 0, 1), 2) == [Wake(at=at(10))]
    assert line.take(a_signal(12, 0, 2), 3) == [a_signal(12, 0, 2)]
    assert line.first is None


def test_causes_wait_until_every_partition_has_passed_them():
    line = Alignment(Watermarks())
    assert line.take(told(0, 0), 0) == []
    assert line.take(a_signal(7, 0, 1), 1) == []
    assert line.take(a_signal(5, 1, 1), 2) == []
    assert line.take(told(10, 0), 3) == []
    assert line.first == at(5)
    released = line.take(told(6, 1), 4)
    assert ids(released) == ["s1-1"]
    assert released[-1] == Wake(at=at(6))
    assert ids(line.take(told(20, 1), 5)) == ["s0-1"]


def test_equal_times_are_ordered_by_partition_offset_and_number():
    line = Alignment(Watermarks(partitions=2))
    for offset, cause in enumerate((a_signal(5, 1, 1), a_signal(5, 0, 12), a_signal(5, 0, 2))):
        line.take(cause, offset)
    line.take(told(9, 0), 8)
    assert ids(line.take(told(9, 1), 9)) == ["s0-2", "s0-12", "s1-1"]


def test_what_people_do_waits_its_turn_and_comes_first_at_its_time():
    line = Alignment(Watermarks(partitions=2))
    line.take(a_signal(5, 0, 1), 1)
    word = Acknowledged(at=at(5), id="a", incident="i", by="ana")
    assert line.take(word, 2) == []
    line.take(told(9, 0), 3)
    assert line.take(told(9, 1), 4)[0] == word


def test_an_origin_without_a_number_is_taken_as_none():
    line = Alignment(Watermarks(partitions=2))
    cause = a_signal(5, 0, 1)
    line.take(type(cause)(at=cause.at, signal=cause.signal, origin=origin(4, 0, "x")), 1)
    assert line.waiting[0][1:4] == (-1, 4, 0)


def test_outcomes_and_configurations_do_not_wait():
    line = Alignment(Watermarks(partitions=2))
    report = Reported(at=at(99), page="p", attempt=1, outcome=Delivered())
    assert line.take(report, 1) == [report]
    assert line.take(CONFIG, 2) == [CONFIG]


def test_what_is_late_passes_at_once():
    line = Alignment(Watermarks(partitions=2, told={0: at(10), 1: at(10)}))
    assert ids(line.take(a_signal(9, 0, 1), 1)) == ["s0-1"]
    assert line.take(a_signal(10, 0, 2), 2) == []


def test_what_lies_at_the_lowest_watermark_waits_for_what_may_still_come_then():
    line = Alignment(Watermarks(partitions=2))
    line.take(a_signal(10, 0, 1), 1)
    line.take(told(10, 0), 2)
    assert line.take(told(10, 1), 3) == [Wake(at=at(10))]
    assert line.first == at(10)


def test_a_watermark_never_goes_back():
    line = Alignment(Watermarks(partitions=2, told={0: at(10), 1: at(10)}))
    assert line.take(told(5, 1), 1) == [Wake(at=at(10))]


def test_the_end_of_input_lets_everything_pass_up_to_its_time():
    line = Alignment(Watermarks(partitions=2))
    for offset, seconds in enumerate((5, 50)):
        line.take(a_signal(seconds, 0, offset), offset)
    released = line.take(Wake(at=at(5)), 9)
    assert ids(released) == ["s0-0"]
    assert line.first == at(50)


def test_at_the_cap_the_first_in_order_leaves_and_is_counted():
    line = Alignment(Watermarks(partitions=2))
    for offset in range(alignment.HELD_CAP):
        assert line.take(a_signal(1000 - offset % 7, 0, offset), offset) == []
    assert ids(line.take(a_signal(2000, 1, 1), 1)) == ["s0-6"]
    assert line.watermarks.forced == 1


STREAMS = [
    [
        told(0, 0),
        a_signal(5, 0, 1, "a"),
        told(5, 0),
        a_signal(65, 0, 2, "c"),
        a_signal(300, 0, 3, "b"),
        told(700, 0),
    ],
    [
        told(0, 1),
        a_signal(5, 1, 1, "b"),
        a_signal(64, 1, 2, "a"),
        told(300, 1),
        a_signal(305, 1, 3, "a", 1),
        told(700, 1),
    ],
]


def routed(log, restart_at=-1):
    """Pages and incidents of a log; every page is answered as soon as it is out.

    Updates are left out: they follow outcomes, whose place among the causes is free.
    """
    fold, outputs, offset = Router(), [], 0
    queue = [CONFIG, *log]
    for number, cause in enumerate(queue):
        if number == restart_at:
            saved = fold.save(KEY)
            fold = Router()
            fold.load(KEY, saved)
        todo = [cause]
        while todo:
            found = fold.apply(Record(offset, encode(todo.pop(0))))
            offset += 1
            outputs += [
                (each.stream, each.key, encode(each.value), each.at)
                for each in found
                if isinstance(each.value, Page | Incident)
            ]
            pages = [each.value for each in found if isinstance(each.value, Page)]
            todo += [
                Reported(at=page.time, page=page.id, attempt=1, outcome=Delivered(reference="r"))
                for page in pages
            ]
    return outputs


@given(st.permutations([0] * len(STREAMS[0]) + [1] * len(STREAMS[1])), st.integers(0, 13))
def test_any_interleaving_of_partitions_gives_the_same_pages(order, restart_at):
    places = [iter(stream) for stream in STREAMS]
    log = [next(places[partition]) for partition in order]
    expected = routed([*STREAMS[0], *STREAMS[1]])
    assert sorted(routed(log, restart_at)) == sorted(expected)


def test_where_the_clock_is_the_events_hosts_and_notifiers_do_not_move_time():
    fold = Router()
    fold.apply(Record(0, encode(CONFIG)))
    later = Reported(at=at(99999), page="p", attempt=1, outcome=Delivered())
    fold.apply(Record(1, encode(later)))
    probe = Probed(at=at(99999), sent=at(99999), partition=0, partitions=1, origin=origin(0))
    fold.apply(Record(2, encode(probe)))
    found = fold.apply(Record(3, encode(a_signal(5, 0, 1))))
    assert found[0].at == at(5).timestamp()


def test_where_the_clock_is_the_events_an_outcome_is_waited_for_without_end():
    fold = Router()
    fold.apply(Record(0, encode(CONFIG)))
    fold.apply(Record(1, encode(a_signal(0, 0, 1))))
    found = fold.apply(Record(2, encode(Wake(at=START + 4 * MINUTE))))
    assert found == []


def test_the_router_tells_how_many_causes_left_before_their_turn():
    router = Router()
    assert router.counts == {}
    router._alignment.watermarks.forced = 3
    assert router.counts == {"causes before their turn": 3}
