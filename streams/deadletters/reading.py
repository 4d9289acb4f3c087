"""Reading the topic of the dead letters, from the first that is kept to where it ends now."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from schemas.record import Record
from streams.deadletters.letter import MARK, Letter, Mark, Origin, letter_of
from streams.hosting.kafka import record_of
from streams.hosting.looking import looking
from streams.hosting.topics import DEADLETTER

MOST = 100_000
"""Dead letters of a partition that are looked at, the latest: what is known of one takes some 500 bytes."""
TURN_MS = 200
FOUND_MS = 5_000
"""What has not come by then was deleted since it was listed."""
Watch = Callable[[int, int], None]
"""Told how many records were read, and of how many."""


class Letters:
    """The dead letters of a topic, each once, in their order. `older`: how many were not looked at."""

    def __init__(self) -> None:
        self.older = 0
        self._found: dict[str, Letter] = {}
        self._origins: dict[Origin, str] = {}

    def take(self, name: str, record: Record) -> None:
        """Takes the next record: a letter, a letter that was written again after a crash, or a mark."""
        if record.headers and record.headers[0][0] == MARK:
            self._mark(record)
            return
        letter = letter_of(name, record)
        if letter.origin is not None and self._origins.setdefault(letter.origin, name) != name:
            return
        self._found[name] = letter

    def _mark(self, record: Record) -> None:
        try:
            name = msgspec.json.decode(record.value, type=Mark).letter
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if name in self._found:
            self._found[name] = replace(self._found[name], state="put back")

    def all(self) -> Sequence[Letter]:
        """All of them, the oldest first."""
        return list(self._found.values())

    def get(self, name: str) -> Letter | None:
        """The letter of this id."""
        return self._found.get(name)


async def read_letters(connection: Mapping[str, Any], watch: Watch, most: int = MOST) -> Letters:
    """The letters as they stand now.

    Raises:
        KafkaError: no broker answers, or there is no such topic.
    """
    letters = Letters()
    async with looking(connection, [DEADLETTER]) as (consumer, places):
        begins = await _begin(consumer, places, most, letters)
        async for name, record in _records(consumer, places, begins, watch):
            letters.take(name, record)
    return letters


async def read_records(
    connection: Mapping[str, Any], wanted: Sequence[str]
) -> AsyncIterator[tuple[str, Record]]:
    """The records of letters, whole, in the order in which their ids are given; what is gone is left out."""
    async with looking(connection, [DEADLETTER]) as (consumer, places):
        for name in wanted:
            partition, _, offset = name.rpartition("/")
            place = TopicPartition(DEADLETTER, int(partition or 0))
            if place not in places:
                continue
            if await consumer.position(place) != int(offset):
                consumer.seek(place, int(offset))
            got = await consumer.getmany(place, timeout_ms=FOUND_MS, max_records=1)
            for message in got.get(place, ()):
                if message.offset == int(offset):
                    yield name, record_of(message)


async def _begin(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], most: int, letters: Letters
) -> Mapping[TopicPartition, int]:
    """Goes to the first record that is read of each; the end that a broker tells may lie a batch too low."""
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    chosen = {place: max(begins[place], ends[place] - most) for place in places}
    letters.older = sum(chosen[place] - begins[place] for place in places)
    for place, offset in chosen.items():
        consumer.seek(place, offset)
    return chosen


async def _records(
    consumer: AIOKafkaConsumer,
    places: Sequence[TopicPartition],
    begins: Mapping[TopicPartition, int],
    watch: Watch,
) -> AsyncIterator[tuple[str, Record]]:
    """Up to where each partition ended when it was first fetched: more may come all the time."""
    ends: dict[TopicPartition, int] = {}
    reached = dict(begins)
    while len(ends) < len(places) or any(reached[place] < end for place, end in ends.items()):
        got = await consumer.getmany(timeout_ms=TURN_MS)
        for place in places:
            for message in got.get(place, ()):
                yield _name(place, places, message.offset), record_of(message)
            end = consumer.highwater(place)
            if end is not None:
                ends.setdefault(place, end)
                reached[place] = await consumer.position(place)
        read = sum(reached[place] - begins[place] for place in places)
        watch(read, sum(ends.get(place, begins[place]) - begins[place] for place in places))


def _name(place: TopicPartition, places: Sequence[TopicPartition], offset: int) -> str:
    return str(offset) if len(places) == 1 else f"{place.partition}/{offset}"
