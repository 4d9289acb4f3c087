"""Times that lie ahead of when they were written: of events, and of ticks."""

import msgspec
import pytest

from detectors.bank import FUTURE_S, Bank
from detectors.settings import Settings
from schemas.cause import Wake
from schemas.control import Tick
from schemas.record import Output, Record
from schemas.wire import Malformed, encode, moment

START_S = 1_767_225_600.0
DAY_S = 86_400.0


def event(at_s: float) -> bytes:
    data = {"operation": {"name": "chat"}, "agent": {"name": "ana"}}
    said = {"specversion": "1.0", "id": str(at_s), "source": "s", "type": "agent.operation.v1"}
    return msgspec.json.encode({**said, "time": moment(at_s), "data": data})


def tick(at_s: float) -> bytes:
    return encode(Tick(time=moment(at_s)))


def told_s(outputs: list[Output]) -> float:
    """The latest watermark that routing is told, after the start."""
    wakes = [each.value for each in outputs if isinstance(each.value, Wake)]
    return max((wake.at.timestamp() for wake in wakes), default=START_S) - START_S


def folded(bank: Bank, *records: tuple[bytes, float | None]) -> list[Output]:
    """What a bank puts out for values, each with when it was written."""
    outputs: list[Output] = []
    for offset, (value, written_s) in enumerate(records):
        outputs += bank.apply(Record(offset, value, None, written_s))
    return outputs


def bank(clock: str = "events") -> Bank:
    return Bank(lambda _: Settings(), clock, kinds={})


@pytest.mark.parametrize(("ahead_s", "replaced"), [(FUTURE_S, 0), (FUTURE_S + 1, 1), (30_000 * DAY_S, 1)])
def test_an_event_too_far_ahead_of_its_writing_drags_nobody_along(ahead_s, replaced):
    one = bank()
    outputs = folded(one, (event(START_S), START_S), (event(START_S + ahead_s), START_S), (tick(0), START_S))
    assert one.future_events == replaced
    assert told_s(outputs) <= (0 if replaced else ahead_s)


def test_history_that_begins_with_a_time_ahead_has_no_other_to_put_in_its_place():
    one = bank()
    with pytest.raises(Malformed, match=r"Expected a time before 2026-01-01 00:05:00.*time"):
        one.apply(Record(0, event(START_S + FUTURE_S + 1), None, START_S))
    assert told_s(folded(one, (event(START_S), START_S), (tick(START_S + 60), START_S))) == 60
    assert one.future_events == 0


def test_on_the_wall_clock_it_counts_as_of_its_writing():
    one = bank("wall")
    folded(one, (event(START_S + DAY_S), START_S), (event(START_S + 6), START_S), (event(START_S), START_S))
    assert (one.future_events, one.late_events) == (1, 1)


def test_where_it_is_not_known_when_an_event_was_written_its_time_is_believed():
    one = bank()
    assert told_s(folded(one, (event(START_S + DAY_S), None), (tick(0), None))) == DAY_S
    assert one.future_events == 0


def test_the_end_of_published_history_is_believed_though_its_day_is_yet_to_come():
    one = bank()
    assert told_s(folded(one, (event(START_S), START_S), (tick(START_S + DAY_S), START_S + 1))) == DAY_S
    assert one.future_events == 0


def test_a_tick_that_is_ahead_of_the_wall_clock_is_not_believed_where_that_is_the_clock():
    one = bank("wall")
    folded(one, (event(START_S), START_S), (tick(START_S + DAY_S), START_S + 1), (event(START_S + 9), None))
    assert (one.future_events, one.late_events) == (1, 0)
