from hypothesis import given
from hypothesis import strategies as st

from streams.delivering.parcels import Rows
from tests.fakes import Hall


def row_of(hall: Hall, count: int, partition: int = 0, rows: Rows | None = None):
    rows = rows or Rows(hall)
    return [rows.parcel(hall.event(b"x", partition)) for _ in range(count)]


def test_what_is_done_waits_for_those_before_it():
    hall = Hall()
    first, second, third = row_of(hall, 3)
    third.done()
    second.done()
    assert hall.acked == []
    first.done()
    assert hall.acked == [(0, 0), (0, 1), (0, 2)]


def test_partitions_do_not_wait_for_each_other():
    hall = Hall()
    rows = Rows(hall)
    (slow,), (fast,) = row_of(hall, 1, 0, rows), row_of(hall, 1, 1, rows)
    fast.done()
    assert hall.acked == [(1, 0)]
    slow.done()
    assert hall.acked == [(1, 0), (0, 0)]


def test_after_one_that_was_left_nothing_is_committed_and_nothing_is_waited_for():
    hall = Hall()
    first, second, third = row_of(hall, 3)
    third.done()
    second.leave()
    first.done()
    assert hall.acked == [(0, 0)]
    assert not hall.unacked


def test_a_partition_that_comes_back_begins_a_new_row():
    hall = Hall()
    rows = Rows(hall)
    (old,) = row_of(hall, 1, rows=rows)
    hall.consumer_generation_id = 2
    (new,) = row_of(hall, 1, rows=rows)
    assert (old.is_ours(), new.is_ours()) == (False, True)
    new.done()
    assert hall.acked == [(0, 1)]


def test_a_suspended_flow_means_that_partitions_go():
    hall = Hall()
    (parcel,) = row_of(hall, 1)
    assert parcel.is_ours()
    hall.active = False
    assert not parcel.is_ours()


def test_a_tombstone_is_empty():
    hall = Hall()
    parcel = Rows(hall).parcel(hall.event(None, 3))
    assert (parcel.value, parcel.partition) == (b"", 3)


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
def test_in_whatever_order_they_end_what_is_committed_has_no_gap(order, left):
    hall = Hall()
    parcels = row_of(hall, 8)
    for n in order:
        if n in left:
            parcels[n].leave()
        else:
            parcels[n].done()
        offsets = [offset for _, offset in hall.acked]
        assert offsets == list(range(len(offsets)))
        ended = set(order[: order.index(n) + 1])
        assert all(offset in ended - left for offset in offsets)
    assert len(hall.acked) == min(left, default=8)
    assert not hall.unacked
