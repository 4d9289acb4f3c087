"""Reading a partition to its end: all that stood there when the broker was first heard."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

TURN_MS = 200
READ_AT_ONCE = 5_000
MOST_SILENT = 600
"""Turns without a record, two minutes on a broker, after which the end is not waited for any longer."""


class EndUnreached(OSError):  # noqa: N818 - what happened
    """The broker gave nothing for long, though the partition goes on, or did not say whether it does."""


async def to_end(consumer: Any, place: TopicPartition) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """Batches from the consumer's position to where the partition ended when it was first fetched.

    The end is the one that the broker tells with the records, and what counts is how far the consumer came:
    the last offsets before the end may hold no record.

    Raises:
        EndUnreached: nothing more came for two minutes.
    """
    end: int | None = None
    silent = 0
    while end is None or await consumer.position(place) < end:
        if silent >= MOST_SILENT:
            raise EndUnreached(f"{place.topic}/{place.partition}: nothing came before the end, {end}")
        got = await consumer.getmany(place, timeout_ms=TURN_MS, max_records=READ_AT_ONCE)
        batch = got.get(place, ())
        end = consumer.highwater(place) if end is None else end
        silent = 0 if batch else silent + 1
        if batch:
            yield batch
