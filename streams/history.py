"""How published history is laid out over partitions, so that a replay and every broker see the same.

Lines keep their order. A partition that got nothing for a minute of event time is told the time by a Tick,
and at the end every partition is told a time so late that all timers have played out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import chain, islice

from aiokafka.partitioner import murmur2
from msgspec import Struct
from msgspec.structs import replace

from detectors.bank import FUTURE_S
from detectors.rhythms.intake import INTAKE
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
    it counts as written, if that is known. Both in POSIX seconds. `event`: what the value says, if it is one.
    """

    partition: int
    value: bytes
    key: bytes | None = None
    line: Line | None = None
    at_s: float | None = None
    written_s: float | None = None
    event: Event | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether its time lies so far ahead of its writing that it will not be believed."""
        written_s, at_s = self.written_s, self.at_s
        return written_s is not None and at_s is not None and at_s > written_s + FUTURE_S

    @property
    def is_event(self) -> bool:
        """Whether it is neither a Tick, nor a control, nor malformed."""
        return self.line is not None and self.at_s is not None


def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner puts a key, in [0, partitions): murmur2, as Java producers do it."""
    return int((murmur2(key) & POSITIVE) % partitions)


def key_of(event: Event) -> bytes:
    """The Kafka key of an event: its `partitionkey`, else its agent's name."""
    return _encoded(event.partitionkey or event.data.agent.name)


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


@lru_cache(65536)
def _place(name: str, partitions: int) -> tuple[int, bytes]:
    """Partition and key of what belongs to a name."""
    key = _encoded(name)
    return partition_of(key, partitions), key


def spread(lines: Iterable[Line], partitions: int, written_s: float | None = None) -> Iterator[Step]:
    """Every line at its place, without Ticks. Malformed lines go where their own hash says, whole.

    Ticks and settings that an earlier host wrote among the lines are left out: they told of other partitions.
    That the silence of a partition is normal (a Rebase of the agent `(intake)`) does not say of which: it
    goes to all of them, and is heeded by those that are silent then.
    `written_s`: when all of them count as written, POSIX seconds.
    """
    for line in lines:
        value = line.value
        try:
            what = decode_event(value)
        except Malformed:
            yield Step(partition_of(value, partitions), value, None, line, None, written_s)
            continue
        if type(what) is Event:  # an exact-type check, for speed
            partition, key = _place(what.partitionkey or what.data.agent.name, partitions)
            # A drill's event tells no time.
            at_s = None if what.drill else what.time.timestamp()
            yield Step(partition, value, key, line, at_s, written_s, what)
        elif isinstance(what, Rebase):
            home, key = _place(what.agent, partitions)
            for partition in range(partitions) if what.agent == INTAKE else (home,):
                yield Step(partition, value, key, line, None, written_s)


def plan(lines: Iterable[Line], partitions: int, now_s: float | None = None) -> Iterator[Step]:
    """Every line at its place and, between them, Ticks that tell the time to partitions without events.

    `now_s`: the wall clock, if events are to be held against it: those that lie ahead tell no time.
    """
    hands = Hands(partitions)
    for step in _written(lines, partitions, now_s):
        at_s, written_s = step.at_s, step.written_s
        is_told = at_s is not None and (written_s is None or at_s <= written_s + FUTURE_S)
        if at_s is not None and is_told and (ticks := hands.move(step.partition, at_s)):
            yield from ticks
        yield step
    yield from hands.drain()


def _written(lines: Iterable[Line], partitions: int, now_s: float | None) -> Iterator[Step]:
    """Notes when steps were written. History whose first lines all lie ahead is made up, and believed."""
    coming = iter(lines)
    first = list(islice(spread(coming, partitions, now_s), FIRST))
    if all(step.is_ahead for step in first if step.is_event):
        now_s = None
        first = [replace(step, written_s=None) for step in first]
    return chain(first, spread(coming, partitions, now_s))


class Hands:
    """What each partition has been told of the time: the hands of as many clocks as there are partitions."""

    def __init__(self, partitions: int) -> None:
        self._told_s: list[float] = [float("-inf")] * partitions
        self._latest_s: float | None = None
        self._next_s = 0.0

    def move(self, partition: int, at_s: float) -> Sequence[Step]:
        """An event tells its partition the time; where a new minute begins, the idle ones are told, too."""
        ticks: Sequence[Step] = ()
        if self._latest_s is None:
            self._latest_s, self._next_s = at_s, (at_s // IDLE_S + 1) * IDLE_S
        elif at_s > self._latest_s:
            self._latest_s = at_s
            if at_s >= self._next_s:
                ticks = self._tell(at_s // IDLE_S * IDLE_S)
        if at_s > self._told_s[partition]:  # noqa: PLR1730 - a call of max takes longer than the rest
            self._told_s[partition] = at_s
        return ticks

    def _tell(self, at_s: float) -> Sequence[Step]:
        self._next_s = at_s + IDLE_S
        idle = [partition for partition, told_s in enumerate(self._told_s) if at_s - told_s >= IDLE_S]
        for partition in idle:
            self._told_s[partition] = at_s
        return [_step(partition, Tick(time=moment(at_s))) for partition in idle]

    def drain(self) -> Iterator[Step]:
        """The end of input: every partition is told that a day has passed, so that every timer plays out."""
        if self._latest_s is None:
            return
        end = moment(self._latest_s) + DRAIN
        yield from (_step(partition, Tick(time=end, last=True)) for partition in range(len(self._told_s)))


def _step(partition: int, tick: Tick) -> Step:
    return Step(partition, encode(tick), at_s=tick.time.timestamp())
