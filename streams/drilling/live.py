"""A fire drill on Kafka: its events go through the running pipeline, and what comes of them is watched."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
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
from streams.drilling.progress import Progress, Result
from streams.drilling.rehearsal import Rehearsal
from streams.drilling.search import Found, last_events
from streams.drilling.stages import Stage
from streams.hosting.clock import Clock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import Outgoing
from streams.hosting.looking import looking
from streams.hosting.topics import (
    CAUSES,
    DEADLETTER,
    DETECTOR_STATE,
    EVENTS,
    INCIDENTS,
    PAGES,
    ROUTING_STATE,
)

WATCHED = (CAUSES, PAGES, INCIDENTS, DEADLETTER)
TURN_MS = 200
SETTLED = timedelta(seconds=60)
"""Sooner than that after a drill's beginning a worker has written its state that has seen it."""
_incident = msgspec.json.Decoder(Incident)


class Live(Struct, frozen=True, kw_only=True):
    """A drill on the running pipeline. `until`: the stage at which it is over. `by`: who began it."""

    order: Rehearsal
    by: str
    until: Stage = "delivered"


async def drill(
    live: Live, connection: dict[str, Any], clock: Clock, tell: Callable[[float], object] = float
) -> Result:
    """Plays the drill and watches. `tell`: is told how many more seconds are done.

    Raises:
        AppendFailed, KafkaError: the broker does not take it.
    """
    order = live.order
    found = await _recent(connection, order.agent, clock)
    pattern = learnt(order.agent, found.events)
    async with _watching(connection) as consumer, KafkaLog(connection) as log:
        before_it = await _written(consumer, found.partition)
        start = clock.now()
        progress = Progress(order.drill, order.agent, start, order.short)
        said = Drilled(
            at=start,
            id=order.drill,
            by=live.by,
            agent=order.agent,
            channel=order.channel,
            until=start + order.within,
        )
        await log.append(CAUSES, 0, [Outgoing(order.drill.encode(), encode(said))])
        for event in order.scenario.events(pattern, order.drill, start):
            while clock.now() < event.time and not _is_over(live, progress, clock):
                before = clock.now()
                await _look(consumer, progress)
                tell((clock.now() - before).total_seconds())
            if _is_over(live, progress, clock):
                break
            await log.append(EVENTS, found.partition, [Outgoing(found.key, encode(event))])
            progress.published(clock.now())
        if clock.now() - start >= SETTLED:
            after = await _written(consumer, found.partition)
            progress.idle(*(stage for stage, end in after.items() if end <= before_it[stage]))
    return progress.result()


async def _written(consumer: AIOKafkaConsumer, partition: int) -> dict[Stage, int]:
    """How much state was written so far by those who bring a stage about."""
    places: dict[Stage, TopicPartition] = {
        "signal": TopicPartition(DETECTOR_STATE, partition),
        "incident": TopicPartition(ROUTING_STATE, 0),
    }
    ends = await consumer.end_offsets(list(places.values()))
    return {stage: ends[place] for stage, place in places.items()}


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
    async with looking(connection, WATCHED, "end") as (consumer, places):
        for place in places:
            await consumer.position(place)
        yield consumer


async def _recent(connection: Mapping[str, Any], agent: str, clock: Clock) -> Found:
    """The last events of an agent, and where further ones go."""
    async with looking(connection, [EVENTS]) as (consumer, places):
        return await last_events(consumer, places, agent, clock)
