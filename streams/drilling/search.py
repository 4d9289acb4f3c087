"""The last events of an agent, looked for at the ends of the partitions: soon over, however busy they are."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from aiokafka import TopicPartition
from msgspec import Struct

from schemas.event import Event
from schemas.wire import Malformed, decode_event
from streams.drilling.rehearsal import REMEMBERED
from streams.history import key_of, partition_of
from streams.hosting.clock import Clock

ENOUGH = 20
"""Events of which a pattern can be made; where fewer are found, they are looked for further back."""
BACK = timedelta(hours=1)
MOST_BACK = 100_000
"""Records of one partition that are looked through beyond the last ones."""
WITHIN_S = 10.0
"""How long each of the two looks may take."""
TURN_MS = 200
AT_ONCE = 500
"""Records that are read before others have their turn."""


class Reader(Protocol):
    """What is needed of a consumer."""

    async def end_offsets(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Behind the last record of each."""
        ...

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The first record that is kept."""
        ...

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, Any]:
        """The first record at or after a time in ms; None where there is none."""
        ...

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Reads from there on."""
        ...

    async def position(self, place: TopicPartition) -> int:
        """The next record that is read."""
        ...

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, list[Any]]:
        """Records that came."""
        ...


class Found(Struct, frozen=True):
    """An agent's last events, and where further ones are to go. There may be none."""

    partition: int
    key: bytes
    events: tuple[Event, ...]


class _Search:
    """`agent`: whose events are wanted; what is found is kept by partition, the last ones."""

    def __init__(self, reader: Reader, agent: str, clock: Clock) -> None:
        self.found: dict[int, deque[Event]] = {}
        self._reader = reader
        self._agent = agent
        self._clock = clock

    async def read(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Reads what each place holds within a span, until the time is up."""
        open_ = [place for place, (begin, end) in spans.items() if begin < end]
        for place in open_:
            self._reader.seek(place, spans[place][0])
        until_s = self._clock.monotonic_s() + WITHIN_S
        while open_ and self._clock.monotonic_s() < until_s:
            got = await self._reader.getmany(*open_, timeout_ms=TURN_MS, max_records=AT_ONCE)
            for place, messages in got.items():
                self._take(place.partition, messages, spans[place][1])
            open_ = [place for place in open_ if await self._reader.position(place) < spans[place][1]]

    def _take(self, partition: int, messages: list[Any], end: int) -> None:
        for message in messages:
            event = _event(message.value or b"") if message.offset < end else None
            if event is not None and event.data.agent.name == self._agent:
                self.found.setdefault(partition, deque(maxlen=REMEMBERED)).append(event)

    def is_enough(self) -> bool:
        """Whether a pattern can be made of it."""
        return sum(map(len, self.found.values())) >= ENOUGH


async def last_events(reader: Reader, places: Sequence[TopicPartition], agent: str, clock: Clock) -> Found:
    """The last events of an agent, and the partition where they lie: that of the last of them.

    Of an agent of whom little is found in the last records, further ones are looked for by time; where
    nothing is found at all, the partition and the key are those that its name gives.
    """
    search = _Search(reader, agent, clock)
    ends = await reader.end_offsets(places)
    begins = await reader.beginning_offsets(places)
    near = {place: max(begins[place], ends[place] - REMEMBERED) for place in places}
    await search.read({place: (near[place], ends[place]) for place in places})
    if not search.is_enough():
        far = await _back(reader, near, begins, clock.now())
        await search.read({place: (far[place], near[place]) for place in places})
    if not search.found:
        key = agent.encode("utf-8", "surrogatepass")
        return Found(partition_of(key, len(places)), key, ())
    number = max(search.found, key=lambda each: max(event.time for event in search.found[each]))
    events = tuple(sorted(search.found[number], key=lambda each: each.time))
    return Found(number, key_of(events[-1]), events)


async def _back(
    reader: Reader,
    near: Mapping[TopicPartition, int],
    begins: Mapping[TopicPartition, int],
    now: datetime,
) -> dict[TopicPartition, int]:
    """Where what is not too old begins, of places that were read from `near` on."""
    since_ms = int((now - BACK).timestamp() * 1000)
    told = await reader.offsets_for_times(dict.fromkeys(near, since_ms))
    return {
        place: max(begins[place], at - MOST_BACK, at if first is None else first.offset)
        for place, at in near.items()
        for first in (told.get(place),)
    }


def _event(value: bytes) -> Event | None:
    """A real event, or nothing."""
    try:
        what = decode_event(value)
    except Malformed:
        return None
    return what if isinstance(what, Event) and what.drill is None else None
