"""Reads what workers write to their topics, and takes causes as the router does: each origin once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.cause import AnyCause, Reported, Signalled, Wake
from schemas.outcome import Delivered
from schemas.page import Message, Page
from schemas.record import Origin
from schemas.wire import decode_cause, decode_message
from streams.hosting.topics import CAUSES, DEADLETTER, PAGES

WITHIN = timedelta(seconds=60)
QUIET = timedelta(seconds=1)
PLACES = ((CAUSES, 0), (DEADLETTER, 0), *((PAGES, number) for number in range(4)))
"""As `oversight topics` makes them."""


class Untold(AssertionError):  # noqa: N818 - what is wrong
    """A page was written, and nobody ever reported what became of it."""


class Witness:
    """What was written so far.

    `accepted`: causes with an origin, those dropped whose origin is not the highest of its partition so far;
    `dropped`: how many those were.
    `messages`: pages and updates by (id, attempt), as written first. `written_ms`, `reported_ms`: when a
    message, and when its first outcome, was written, by id, in POSIX milliseconds. `signalled_ms`: when the
    first signal was. `accepted_ms`: when each accepted cause was, by input partition.
    """

    def __init__(self) -> None:
        self.accepted: list[tuple[Origin, AnyCause]] = []
        self.dropped = 0
        self.reports: list[Reported] = []
        self.messages: dict[tuple[str, int], Message] = {}
        self.buried: list[ConsumerRecord] = []
        self.written_ms: dict[str, int] = {}
        self.reported_ms: dict[str, int] = {}
        self.watermarks: dict[int, datetime] = {}
        self.last: ConsumerRecord | None = None
        self.last_s = time.monotonic()
        self.signalled_ms: int | None = None
        self.accepted_ms: dict[str, list[int]] = {}
        self._highest: dict[str, tuple[int, int]] = {}

    @property
    def pages(self) -> dict[str, Page]:
        """Pages by id, their first attempts."""
        firsts = [each for (_, attempt), each in self.messages.items() if attempt == 1]
        return {each.id: each for each in firsts if isinstance(each, Page)}

    @property
    def unanswered(self) -> set[tuple[str, int]]:
        """Messages whose outcome has not been reported."""
        return self.messages.keys() - {(each.page, each.attempt) for each in self.reports}

    @property
    def delivered(self) -> set[str]:
        """Pages that reached their channel, by id."""
        reached = {each.page for each in self.reports if isinstance(each.outcome, Delivered)}
        return reached & self.pages.keys()

    def accepted_from(self, partition: str) -> list[tuple[Origin, AnyCause]]:
        """Accepted causes of one input partition, in order."""
        return [each for each in self.accepted if each[0].partition == partition]

    def take(self, record: ConsumerRecord) -> None:
        """Takes one record of any of the topics."""
        self.last_s = time.monotonic()
        self.last = record
        match record.topic:
            case "oversight.causes":
                self._cause(decode_cause(record.value), record.timestamp)
            case "oversight.pages":
                message = decode_message(record.value)
                self.messages.setdefault((message.id, message.attempt), message)
                self.written_ms.setdefault(message.id, record.timestamp)
            case _:
                self.buried.append(record)

    def _cause(self, cause: AnyCause, at_ms: int) -> None:
        if isinstance(cause, Reported):
            self.reports.append(cause)
            self.reported_ms.setdefault(cause.page, at_ms)
        origin = cause.origin
        if origin is None:
            return
        if (origin.offset, origin.n) <= self._highest.get(origin.partition, (-1, -1)):
            self.dropped += 1
            return
        self._highest[origin.partition] = (origin.offset, origin.n)
        self.accepted.append((origin, cause))
        self.accepted_ms.setdefault(origin.partition, []).append(at_ms)
        if isinstance(cause, Signalled) and self.signalled_ms is None:
            self.signalled_ms = at_ms
        if isinstance(cause, Wake) and cause.partition is not None:
            self.watermarks[cause.partition] = cause.at

    async def over(self, end: datetime, partitions: int, within: timedelta = WITHIN) -> None:
        """Waits until every partition told a time from `end` on, all is answered, and no more comes.

        Raises:
            Untold: all partitions told it, but some message has no outcome.
        """
        await self.sees(lambda: self._is_told(end, partitions), within)
        try:
            await self.sees(lambda: not self.unanswered and self._is_quiet(), within)
        except AssertionError as error:
            raise Untold(str(error)) from None

    async def sees(self, what: Callable[[], object], within: timedelta = WITHIN) -> None:
        """Waits until something holds of what was written."""
        deadline_s = time.monotonic() + within.total_seconds()
        while not what():
            assert time.monotonic() < deadline_s, self._standing()
            await asyncio.sleep(0.1)

    def _standing(self) -> str:
        marks = {number: f"{at:%d %H:%M:%S}" for number, at in sorted(self.watermarks.items())}
        quiet_s = time.monotonic() - self.last_s
        return (
            f"watermarks {marks}, {len(self.messages)} messages, {len(self.reports)} reports, "
            f"unanswered {sorted(self.unanswered)[:5]}, quiet for {quiet_s:.1f} s, last {self.last!r}"
        )

    def _is_told(self, end: datetime, partitions: int) -> bool:
        return len([at for at in self.watermarks.values() if at >= end]) == partitions

    def _is_quiet(self) -> bool:
        return time.monotonic() - self.last_s >= QUIET.total_seconds()


@asynccontextmanager
async def witnessing(bootstrap: str) -> AsyncIterator[Witness]:
    """Reads from the first record on, beside the test; joins no group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    consumer.assign([TopicPartition(*place) for place in PLACES])
    witness = Witness()
    reading = asyncio.create_task(_read(consumer, witness))
    try:
        yield witness
        assert not reading.done(), reading.exception()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, witness: Witness) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                witness.take(record)
