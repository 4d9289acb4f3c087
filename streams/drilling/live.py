"""A fire drill on Kafka: its events go through the running pipeline, and what comes of them is watched."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from schemas.cause import Drilled
from schemas.event import Event
from schemas.incident import Incident
from schemas.page import Page
from schemas.wire import Malformed, decode_cause, decode_event, decode_message, encode
from streams.drilling.pattern import learnt
from streams.drilling.progress import Progress, Result, Stage
from streams.drilling.rehearsal import REMEMBERED, Rehearsal, Unheard
from streams.history import key_of
from streams.hosting.clock import Clock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.topics import CAUSES, DEADLETTER, EVENTS, INCIDENTS, PAGES

WATCHED = (CAUSES, PAGES, INCIDENTS, DEADLETTER)
TURN_MS = 200
QUIET_READS = 5
"""So many reads in a row without a record are the end: a broker may take its time for the first."""
_incident = msgspec.json.Decoder(Incident)


class Live(Struct, frozen=True, kw_only=True):
    """A drill on the running pipeline. `until`: the stage at which it is over. `by`: who began it."""

    order: Rehearsal
    by: str
    until: Stage = "delivered"


class Found(Struct, frozen=True):
    """The agent's last events, and where they lie."""

    partition: int
    events: Sequence[Event]


async def drill(
    live: Live, connection: dict[str, Any], clock: Clock, tell: Callable[[float], object] = float
) -> Result:
    """Plays the drill and watches. `tell`: is told how many more seconds are done.

    Raises:
        Unheard: the agent sent nothing lately.
        AppendFailed, KafkaError: the broker does not take it.
    """
    order = live.order
    found = await _recent(connection, order.agent)
    pattern = learnt(order.agent, found.events)
    key = key_of(found.events[-1])
    async with _watching(connection) as consumer, KafkaLog(connection) as log:
        start = clock.now()
        progress = Progress(order.drill, order.agent, start)
        said = Drilled(at=start, id=order.drill, by=live.by, agent=order.agent, channel=order.channel)
        await log.append(CAUSES, 0, [Outgoing(order.drill.encode(), encode(said))])
        for event in order.scenario.events(pattern, order.drill, start):
            while clock.now() < event.time and not _is_over(live, progress, clock):
                before = clock.now()
                await _look(consumer, progress)
                tell((clock.now() - before).total_seconds())
            if _is_over(live, progress, clock):
                break
            await log.append(EVENTS, found.partition, [Outgoing(key, encode(event))])
            progress.published(clock.now())
    return progress.result()


def _is_over(live: Live, progress: Progress, clock: Clock) -> bool:
    return (
        progress.has(live.until) or progress.is_refused or clock.now() - progress.start >= live.order.within
    )


async def _look(consumer: AIOKafkaConsumer, progress: Progress) -> None:
    """Takes what came; what cannot be read is none of the drill's."""
    got = await consumer.getmany(timeout_ms=TURN_MS)
    for place, messages in got.items():
        for message in messages:
            read = READERS[place.topic]
            try:
                read(progress, message.value or b"", dict(message.headers))
            except (Malformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue


def _cause(progress: Progress, value: bytes, _: Mapping[str, bytes]) -> None:
    progress.cause(decode_cause(value))


def _page(progress: Progress, value: bytes, _: Mapping[str, bytes]) -> None:
    message = decode_message(value)
    if isinstance(message, Page):
        progress.page(message)


def _publish(progress: Progress, value: bytes, _: Mapping[str, bytes]) -> None:
    progress.incident(_incident.decode(value))


def _letter(progress: Progress, value: bytes, headers: Mapping[str, bytes]) -> None:
    what = decode_event(value)
    if isinstance(what, Event) and what.drill == progress.drill:
        progress.refused(headers.get("reason", b"").decode("utf-8", "replace"))


READERS: Mapping[str, Callable[[Progress, bytes, Mapping[str, bytes]], None]] = {
    CAUSES: _cause,
    PAGES: _page,
    INCIDENTS: _publish,
    DEADLETTER: _letter,
}


@asynccontextmanager
async def _watching(connection: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of everything that may tell of the drill, from now on."""
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False, auto_offset_reset="latest")
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, number)
            for topic in WATCHED
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:
            await consumer.position(place)
        yield consumer
    finally:
        await consumer.stop()


async def _recent(connection: Mapping[str, Any], agent: str) -> Found:
    """The last events of an agent, and the partition where they lie: that of the last of them.

    Raises:
        Unheard: there are none among the last of each partition.
    """
    consumer = AIOKafkaConsumer(**connection, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        numbers = sorted(consumer.partitions_for_topic(EVENTS) or ())
        places = [TopicPartition(EVENTS, number) for number in numbers]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, max(begins[place], ends[place] - REMEMBERED))
        by_place = await _read(consumer, agent)
    finally:
        await consumer.stop()
    if not by_place:
        raise Unheard(
            f"{agent} has sent no event lately: a drill runs on a copy of an agent that is at work "
            "(`--dry` makes one up)"
        )
    number = max(by_place, key=lambda each: by_place[each][-1].time)
    return Found(number, by_place[number])


async def _read(consumer: AIOKafkaConsumer, agent: str) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    quiet = 0
    while quiet < QUIET_READS:
        got = await consumer.getmany(timeout_ms=TURN_MS)
        quiet = 0 if got else quiet + 1
        for place, messages in got.items():
            events = (_event(message.value or b"") for message in messages)
            mine = [each for each in events if each is not None and each.data.agent.name == agent]
            if mine:
                found.setdefault(place.partition, []).extend(mine)
    return found


def _event(value: bytes) -> Event | None:
    """A real event, or nothing."""
    try:
        what = decode_event(value)
    except Malformed:
        return None
    return what if isinstance(what, Event) and what.drill is None else None
