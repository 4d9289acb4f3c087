"""Numbers as columns: the same numbers again, in as few bytes as hold them, whatever they are."""

from math import copysign, inf, isnan, nan

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct, field

from detectors.boundaries.parties import Sessions
from detectors.consents.unapproved import Decided
from detectors.costs.log_tail import LogTail
from detectors.dense import (
    Column,
    Pairs,
    Rows,
    column,
    decoded,
    encoded,
    numbers,
    rows_packed,
    rows_unpacked,
    single,
    singles,
)
from detectors.failures.affected import MOST_MARKS, Mark
from detectors.failures.marks import Marks
from detectors.failures.windows import Windows
from detectors.latencies.sketch import Sketch
from detectors.metrics.highest import Highest
from detectors.metrics.known_values import KnownValues

floats = st.floats(allow_nan=False)


class Holder(Struct, array_like=True):
    rows: Rows = field(default_factory=Rows)
    column: Column = field(default_factory=Column)
    windows: Windows = field(default_factory=Windows)
    marks: Marks = field(default_factory=Marks)
    sessions: Sessions = field(default_factory=Sessions)
    decided: Decided = field(default_factory=Decided)


@given(
    st.lists(floats | st.integers(0, 2**53) | st.sampled_from([0, 0.0, -0.0, 1.0, 255, 256, 2**16, 2**32]))
)
@example([-0.0])
@example([-0.0, 3.0])
def test_a_column_gives_its_numbers_back(values):
    again = numbers(column(values), len(values))
    assert again == values
    assert [copysign(1, each) for each in again] == [copysign(1, each) for each in values]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_whole_numbers_stay_whole(values):
    assert all(isinstance(each, int) for each in numbers(column(values), len(values)))


def test_no_number_is_kept_as_none():
    kept = column([nan, 1.0])
    assert isnan(numbers(kept, 2)[0])
    assert numbers(kept, 2)[1] == 1.0


@pytest.mark.parametrize(
    ("values", "each"),
    [
        ([0, 0.0], 0), ([1.0, 255], 1), ([256, 1], 2), ([2**16], 4), ([2**32], 8), ([0.5, -3], 4),
        ([inf, 1], 4), ([1, 0.5], 4), ([0.1], 8), ([1e300], 8), ([-0.1, 7], 8),
    ],
)  # fmt: skip
def test_a_column_is_as_narrow_as_its_numbers(values, each):
    assert len(column(values)) == each * len(values) + (each > 0)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 300), floats), max_size=80), st.integers(0, 2**40)
)
def test_rows_give_their_numbers_back(steps, begin):
    rows, at = [], begin
    for gap, count, amount in steps:
        rows.append([at, count, amount])
        at += gap
    assert rows_unpacked(rows_packed(rows)) == rows
    again = decoded(encoded(Holder(rows=Rows(rows))), Holder)
    assert again.rows.rows == rows
    assert all(isinstance(each, float) for row in again.rows.rows for each in row)


@given(st.lists(floats))
def test_columns_of_a_state_give_their_numbers_back(values):
    again = decoded(encoded(Holder(column=Column(values))), Holder)
    assert again.column.values == values
    assert all(isinstance(each, float) for each in again.column.values)


def test_what_earlier_versions_kept_as_lists_is_read():
    earlier = [[[29000000, 4.0], [29000002, 0.5]], [0.25, 3.0], [[[7, 1, 0], [9, 2, 1]], [[0, 3, 1]], []]]
    read = decoded(msgspec.msgpack.encode(earlier), Holder)
    assert read.rows.rows == earlier[0]
    assert read.column.values == earlier[1]
    assert [read.windows.minutes, read.windows.tens, read.windows.hours] == earlier[2]
    again = decoded(encoded(read), Holder)
    assert encoded(again) == encoded(read)
    assert again.windows.minutes == earlier[2][0]


digests = st.integers(0, 2**64 - 1)
texts = st.text(max_size=8)
marks = st.builds(
    Mark, st.floats(0, 2e9), texts, texts, digests, digests, digests, st.tuples(*[texts | st.none()] * 6)
)
whose = st.tuples(texts, texts)


def kept(**fields):
    """The same state, from its bytes."""
    state = Holder(**fields)
    again = decoded(encoded(state), Holder)
    assert encoded(again) == encoded(state)
    return again


@given(st.lists(marks, max_size=2 * MOST_MARKS))
def test_marks_are_kept_as_they_are(some):
    held = Marks()
    for each in some:
        held.add(each)
    assert held.last == some[-MOST_MARKS:]
    assert kept(marks=held).marks.last == held.last
    earlier = msgspec.msgpack.encode([[], [], [[], [], []], held.last])
    assert decoded(earlier, Holder).marks.last == held.last


@given(st.dictionaries(digests, whose), st.integers(0, 2**30), st.lists(st.integers(0, 9), min_size=1))
def test_sessions_are_kept_as_they_are(of, minute, steps):
    seen = {}
    for place, (key, parties) in enumerate(of.items()):
        minute += steps[place % len(steps)]
        seen[key] = (*parties, minute)
    again = kept(sessions=Sessions(seen)).sessions.seen
    assert [*again.items()] == [*seen.items()]
    earlier = msgspec.msgpack.encode([[], [], [[], [], []], [], seen])
    assert decoded(earlier, Holder).sessions.seen == seen


@given(st.dictionaries(digests, st.integers(0, 1)), st.lists(st.integers(0, 9000), min_size=1))
def test_what_was_decided_is_kept_as_it_is(of, steps):
    by, at = {}, 1_700_000_000
    for place, (key, granted) in enumerate(of.items()):
        at += steps[place % len(steps)]
        by[key] = granted, at
    again = kept(decided=Decided(by)).decided.by
    assert [*again.items()] == [*by.items()]
    assert all(isinstance(each, int) for both in again.values() for each in both)
    earlier = msgspec.msgpack.encode([[], [], [[], [], []], [], {}, by])
    assert decoded(earlier, Holder).decided.by == by


def test_an_hour_of_calls_of_which_few_fail_takes_three_bytes_a_minute():
    minutes = [[29000000 + each, 40, int(each % 9 == 0), 0, 0, 0] for each in range(60)]
    assert len(encoded(Windows(minutes))) < 3.5 * 60


@given(st.floats(1e-30, 1e30))
def test_a_single_is_as_near_as_32_bits_are(value):
    assert abs(single(value) - value) <= 6e-8 * value
    assert single(single(value)) == single(value)


bins = st.dictionaries(st.integers(-400, 400), st.integers(1, 10**6))


@given(bins, bins)
def test_bins_are_kept_in_order_whatever_order_they_came_in(amounts, durations):
    tail, sketch = decoded(encoded((LogTail(amounts), Sketch(durations))), tuple[LogTail, Sketch])
    assert (tail.bins, tail.count) == (amounts, sum(amounts.values()))
    assert (sketch.bins, sketch.count) == (durations, sum(durations.values()))
    backwards = dict(reversed(amounts.items()))
    assert encoded(LogTail(backwards)) == encoded(tail)
    assert LogTail(backwards).tail(1.0) == tail.tail(1.0)
    earlier = msgspec.msgpack.encode([[amounts, tail.count], [durations, sketch.count]])
    assert encoded(decoded(earlier, tuple[LogTail, Sketch])) == encoded((tail, sketch))


@given(st.lists(st.tuples(floats, floats)))
def test_pairs_are_kept_as_they_are(some):
    again = decoded(encoded(Pairs(some)), Pairs)
    assert again.pairs == some
    assert decoded(msgspec.msgpack.encode(some), Pairs).pairs == some


def test_what_earlier_versions_knew_of_a_series_is_read():
    """They kept values and the highest of them as lists within lists."""
    known, highest = KnownValues([1.0, 2.5]), Highest([(3.0, 0.5), (4.0, 0.25)])
    kept = decoded(encoded((known, highest)), tuple[KnownValues, Highest])
    earlier = msgspec.msgpack.encode([[known.values], [highest.pairs]])
    for read in (kept, decoded(earlier, tuple[KnownValues, Highest])):
        assert (read[0].values, read[1].pairs) == (known.values, highest.pairs)
    nothing = decoded(msgspec.msgpack.encode([[[]], [[]]]), tuple[KnownValues, Highest])
    assert (nothing[0].values, nothing[1].pairs) == ([], [])


def test_several_are_rounded_as_one_is():
    assert singles([0.1, 2.0, -3.3]) == [single(0.1), 2.0, single(-3.3)]
