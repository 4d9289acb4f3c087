"""How published history is laid out over partitions, so that a replay and every broker see the same.

Lines keep their order. A partition that got nothing for a minute of event time is told the time by a Tick,
and at the end every partition is told a time so late that all timers have played out.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from itertools import chain, islice

from aiokafka.partitioner import murmur2
from msgspec import Struct
from msgspec.structs import replace

from detectors.bank import FUTURE_S
from schemas.control import Rebase, Tick
from schemas.event import Event
from schemas.wire import Malformed, decode_event, encode, moment
from streams.files import Line

IDLE_S = 60
DRAIN = timedelta(hours=24)
FIRST = 10
"""Lines by which history is told that was made up for days to come."""
POSITIVE = 0x7FFFFFFF


class Step(Struct, frozen=True, gc=False):
    """One record to append to `partition`.

    `line`: where it came from; None for a Tick. `at_s`: event time, of an event or a Tick. `written_s`: when
    it counts as written, if that is known. Both in POSIX seconds.
    """

    partition: int
    value: bytes
    key: bytes | None = None
    line: Line | None = None
    at_s: float | None = None
    written_s: float | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether its time lies so far ahead of its writing that it will not be believed."""
        if self.line is None or self.at_s is None or self.written_s is None:
            return False
        return self.at_s > self.written_s + FUTURE_S

    @property
    def is_event(self) -> bool:
        """Whether it is neither a Tick, nor a control, nor malformed."""
        return self.line is not None and self.at_s is not None


@lru_cache(65536)
def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner puts a key, in [0, partitions): murmur2, as Java producers do it."""
    return _hashed(key, partitions)


def _hashed(key: bytes, partitions: int) -> int:
    return int((murmur2(key) & POSITIVE) % partitions)


def key_of(event: Event) -> bytes:
    """The Kafka key of an event: its `partitionkey`, else its agent's name."""
    return (event.partitionkey or event.data.agent.name).encode("utf-8", "surrogatepass")


def spread(lines: Iterable[Line], partitions: int) -> Iterator[Step]:
    """Every line at its place, without Ticks. Malformed lines go where their own hash says, whole.

    Ticks and settings that an earlier host wrote among the lines are left out: they told of other partitions.
    """
    for line in lines:
        value = line.value
        try:
            what = decode_event(value)
        except Malformed:
            yield Step(_hashed(value, partitions), value, None, line)
            continue
        if isinstance(what, Event):
            key = key_of(what)
            yield Step(partition_of(key, partitions), value, key, line, what.time.timestamp())
        elif isinstance(what, Rebase):
            key = what.agent.encode("utf-8", "surrogatepass")
            yield Step(partition_of(key, partitions), value, key, line)


def plan(lines: Iterable[Line], partitions: int, now_s: float | None = None) -> Iterator[Step]:
    """Every line at its place and, between them, Ticks that tell the time to partitions without events.

    `now_s`: the wall clock, if events are to be held against it: those that lie ahead tell no time.
    """
    hands = Hands(partitions)
    for step in _written(spread(lines, partitions), now_s):
        if step.at_s is not None and not step.is_ahead:
            yield from hands.move(step.at_s)
            hands.touch(step.partition, step.at_s)
        yield step
    yield from hands.drain()


def _written(steps: Iterable[Step], now_s: float | None) -> Iterator[Step]:
    """Notes when steps were written. History whose first lines all lie ahead is made up, and believed."""
    coming = iter(steps)
    first = list(islice(coming, FIRST))
    if now_s is None or all(_written_at(step, now_s).is_ahead for step in first if step.at_s is not None):
        yield from chain(first, coming)
        return
    for step in chain(first, coming):
        yield _written_at(step, now_s)


def _written_at(step: Step, now_s: float) -> Step:
    return replace(step, written_s=now_s)


class Hands:
    """What each partition has been told of the time: the hands of as many clocks as there are partitions."""

    def __init__(self, partitions: int) -> None:
        self._told_s: list[float] = [float("-inf")] * partitions
        self._latest_s: float | None = None
        self._minute = 0

    def move(self, at_s: float) -> Iterator[Step]:
        """Event time is `at_s`: where a new minute begins, whoever heard nothing for one is told."""
        minute = int(at_s // IDLE_S)
        if self._latest_s is None:
            self._latest_s, self._minute = at_s, minute
        self._latest_s = max(self._latest_s, at_s)
        if minute > self._minute:
            self._minute = minute
            yield from self._tell(minute * IDLE_S)

    def _tell(self, at_s: float) -> Iterator[Step]:
        for partition, told_s in enumerate(self._told_s):
            if at_s - told_s >= IDLE_S:
                self._told_s[partition] = at_s
                yield _step(partition, Tick(time=moment(at_s)))

    def touch(self, partition: int, at_s: float) -> None:
        """The partition learns the time from an event of its own."""
        self._told_s[partition] = max(self._told_s[partition], at_s)

    def drain(self) -> Iterator[Step]:
        """The end of input: every partition is told that a day has passed, so that every timer plays out."""
        if self._latest_s is None:
            return
        end = moment(self._latest_s) + DRAIN
        yield from (_step(partition, Tick(time=end, last=True)) for partition in range(len(self._told_s)))


def _step(partition: int, tick: Tick) -> Step:
    return Step(partition, encode(tick), at_s=tick.time.timestamp())
