"""How history is laid out over partitions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from detectors.rhythms.intake import INTAKE
from schemas.control import Rebase, Tick
from schemas.event import Agent, Data, Event, Operation
from schemas.wire import decode_event, encode, moment
from streams.files import Line
from streams.history import DRAIN, FIRST, plan, spread

START_S = 1_790_000_000.0
NAMES = [f"agent-{n}" for n in range(6)]
moves = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-30, 400)), max_size=60)


def event(agent: str, at_s: float, partitionkey: str | None = None) -> Line:
    data = Data(operation=Operation(name="chat"), agent=Agent(name=agent))
    return Line(
        encode(
            Event(
                specversion="1.0",
                id="e",
                source="s",
                type="agent.operation.v1",
                time=moment(at_s),
                data=data,
                partitionkey=partitionkey,
            )
        )
    )


def events(steps: list[tuple[str, int]]) -> list[Line]:
    """Events of agents, each so many seconds after (or before) the one before it."""
    lines, at_s = [], START_S
    for agent, forward_s in steps:
        at_s += forward_s
        lines.append(event(agent, at_s))
    return lines


def times(lines: list[Line], partitions: int) -> list[list[tuple[datetime, bool]]]:
    """What each partition is told of the time: (time, by a tick)."""
    told: list[list[tuple[datetime, bool]]] = [[] for _ in range(partitions)]
    for step in plan(lines, partitions):
        what = decode_event(step.value)
        told[step.partition].append((what.time, isinstance(what, Tick)))
    return told


@given(st.text(min_size=1, max_size=40), st.integers(1, 12))
def test_an_event_lies_where_every_kafka_producer_puts_its_agent(name, partitions):
    (step,) = spread([event(name, START_S)], partitions)
    assert step.key == name.encode()
    assert step.partition == DefaultPartitioner()(step.key, list(range(partitions)), [])


def test_a_partition_key_goes_before_the_agents_name():
    (step,) = spread([event("refund", START_S, partitionkey="shard-7")], 5)
    assert step.key == b"shard-7"


@given(moves, st.integers(1, 4))
def test_events_keep_their_order_and_none_is_added_or_left_out(steps, partitions):
    lines = events(steps)
    assert [step.line for step in plan(lines, partitions) if step.line] == lines
    assert [step.line for step in spread(lines, partitions)] == lines


@given(moves.filter(bool), st.integers(1, 4))
def test_no_partition_is_left_without_the_time_for_two_minutes(steps, partitions):
    lines = events(steps)
    latest = datetime.min.replace(tzinfo=UTC)
    known = [None] * partitions
    for step in plan(lines, partitions):
        time = decode_event(step.value).time
        if step.line is not None:
            latest = max(latest, time)
        known[step.partition] = max(known[step.partition] or time, time)
        first = decode_event(lines[0].value).time
        if step.line is not None and latest - first >= timedelta(minutes=2):
            assert all(each and latest - each < timedelta(minutes=2) for each in known)


@given(moves.filter(bool), st.integers(1, 4))
def test_the_end_drains_every_partition(steps, partitions):
    lines = events(steps)
    latest = max(decode_event(line.value).time for line in lines)
    for told in times(lines, partitions):
        assert told[-1] == (latest + DRAIN, True)


def test_a_busy_partition_gets_no_tick_but_the_last():
    told = times(events([("a", 20)] * 60), 1)
    assert [by_tick for _, by_tick in told[0]] == [False] * 60 + [True]


def test_hours_of_silence_are_one_tick_on_the_minute():
    told = times(events([("a", 0), ("a", 7200)]), 1)[0]
    assert [by_tick for _, by_tick in told] == [False, True, False, True]
    assert told[1][0] == moment((START_S + 7200) // 60 * 60)


def test_malformed_lines_go_along_whole_and_do_not_move_the_time():
    lines = [
        event("a", START_S),
        Line(b'{"time": "2999-01-01T00:00:00Z"'),
        Line(b"\x00\xff"),
        event("a", START_S + 1),
    ]
    steps = list(plan(lines, 3))
    assert [step.line for step in steps[:4]] == lines
    assert [step.key for step in steps[:4]] == [b"a", None, None, b"a"]
    assert [step.at_s for step in steps[:4]] == [START_S, None, None, START_S + 1]
    assert steps == list(plan(lines, 3))


def test_nothing_but_malformed_lines_has_no_time_to_tell():
    assert [step.line is None for step in plan([Line(b"?")], 2)] == [False]


def test_the_last_event_that_the_contract_allows_can_be_drained():
    last = Line(event("a", START_S).value.replace(b"2026-09-21", b"9998-12-31"))
    *_, tick = plan([last], 1)
    assert decode_event(tick.value).time.year == 9999


def test_an_event_ahead_of_the_wall_clock_tells_nobody_the_time():
    lines = [event("a", START_S), event("a", START_S + 10**9), event("a", START_S + 1)]
    steps = list(plan(lines, 2, START_S + 60))
    assert [step.line for step in steps[:3]] == lines
    assert [step.is_ahead for step in steps[:3]] == [False, True, False]
    assert {step.written_s for step in steps[:3]} == {START_S + 60}
    assert [step.at_s for step in steps[3:]] == [START_S + 1 + DRAIN.total_seconds()] * 2


def test_history_whose_first_lines_all_lie_ahead_is_made_up_and_believed():
    lines = [Line(b"?"), *(event("a", START_S + at) for at in range(FIRST)), event("a", START_S - 10**6)]
    assert list(plan(lines, 2, START_S - 10**6)) == list(plan(lines, 2))
    assert all(step.written_s for step in plan([event("a", START_S), *lines], 2, START_S) if step.line)


def test_what_an_earlier_host_wrote_for_its_partitions_is_left_out_but_a_rebase_stays():
    def controls() -> Iterator[Line]:
        yield Line(encode(Tick(time=moment(START_S))))
        yield Line(encode(Rebase(time=moment(START_S), agent="a", detector="cost")))

    (step,) = spread(controls(), 4)
    assert (step.key, step.at_s) == (b"a", None)


def test_that_the_silence_of_a_partition_is_normal_is_told_to_every_partition_and_tells_no_time():
    line = Line(encode(Rebase(time=moment(START_S), agent=INTAKE, detector="silence")))
    steps = list(plan([event("a", START_S), line], 4))
    told = [step for step in steps if step.value == line.value]
    assert [(step.partition, step.at_s, step.line) for step in told] == [(at, None, line) for at in range(4)]
