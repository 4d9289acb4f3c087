"""The host of a fold: owns the partitions of its topic that the group gives this worker.

Each is taken over, restored, folded in batches and snapshotted. Group offsets are committed for lag tools
only: what counts is the low-water mark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Literal

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from streams.hosting.clock import Clock
from streams.hosting.kafka import record_of
from streams.hosting.log import AppendFailed
from streams.hosting.partition import Partition

log = structlog.get_logger(__name__)

MOST_RECORDS = 5_000
"""Records folded before the event loop has its turn again."""
PATIENCE_MS = 100
LONGEST_PAUSE_S = 5.0
FIRST_PAUSE_S = 0.1
COMMIT_EVERY_S = 5.0
HAND_OVER_WITHIN = timedelta(seconds=5)


class Hosting(Struct, frozen=True, kw_only=True):
    """What is hosted. `make`: a new owner of a partition, by number. `owned`: told of each that is restored.

    `clock`: where it is `wall`, the wall clock wakes folds that wait for it. `session`: a worker that is
    silent for so long loses its partitions.
    """

    topic: str
    group: str
    make: Callable[[int], Partition]
    owned: Callable[[Partition], Awaitable[None]]
    clock: Literal["wall", "events"] = "wall"
    session: timedelta = timedelta(seconds=10)


class Host(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """Runs until it is stopped; a broker that is away is asked again, ever more slowly."""

    def __init__(
        self,
        hosting: Hosting,
        connection: Mapping[str, Any],
        clock: Clock,
        consumer: Callable[..., AIOKafkaConsumer] = AIOKafkaConsumer,
    ) -> None:
        self._hosting = hosting
        self._make_consumer = consumer
        self._connection = connection
        self._clock = clock
        self._owned: dict[TopicPartition, Partition] = {}
        self._assigned: set[TopicPartition] = set()
        self._blocked: dict[TopicPartition, float] = {}
        self._pause_s = FIRST_PAUSE_S
        self._lock = asyncio.Lock()
        self._consumer: Any = None
        self._committed_s = 0.0
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    @property
    def partitions(self) -> Mapping[int, Partition]:
        """The partitions that are owned and restored, by number."""
        return {place.partition: owner for place, owner in self._owned.items()}

    # -- life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until `stop`."""
        while not self._stopping.is_set():
            try:
                await self._start()
                while not self._stopping.is_set():
                    await self._round()
                    if not self._blocked:
                        self._pause_s = FIRST_PAUSE_S
            except (KafkaError, AppendFailed, OSError) as error:
                log.warning("host.interrupted", topic=self._hosting.topic, error=repr(error))
                await self._rest()
            finally:
                await self._leave()

    async def stop(self) -> None:
        """Asks `run` to hand everything over and end."""
        self._stopping.set()

    async def _start(self) -> None:
        session_ms = int(self._hosting.session.total_seconds() * 1000)
        self._consumer = self._make_consumer(
            **self._connection,
            group_id=self._hosting.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=max(session_ms, 6_000),
            heartbeat_interval_ms=max(100, min(session_ms // 10, 1_000)),
            max_poll_interval_ms=300_000,
            max_partition_fetch_bytes=4_000_000,
            fetch_max_wait_ms=PATIENCE_MS,
        )
        self._consumer.subscribe([self._hosting.topic], listener=self)
        await self._consumer.start()
        log.info("host.started", topic=self._hosting.topic, group=self._hosting.group)

    async def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        async with self._lock:
            self._assigned.clear()
            await self._hand_over(list(self._owned))
        try:
            await asyncio.wait_for(consumer.stop(), HAND_OVER_WITHIN.total_seconds())
        except (KafkaError, TimeoutError) as error:
            log.warning("host.left_late", topic=self._hosting.topic, error=repr(error))

    async def _rest(self) -> None:
        """Waits a while, ever longer, but no longer than until it is stopped."""
        try:
            await asyncio.wait_for(self._stopping.wait(), self._pause_s)
        except TimeoutError:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    # -- partitions come and go ------------------------------------------------------------------------

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing is fetched until the partition's state is restored."""
        self._assigned = set(assigned)
        self._consumer.pause(*assigned)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Whoever comes next finds everything saved."""
        async with self._lock:
            self._assigned.clear()
            await self._hand_over([place for place in revoked if place in self._owned])

    async def _hand_over(self, places: list[TopicPartition]) -> None:
        for place in places:
            owner = self._owned.pop(place)
            self._blocked.pop(place, None)
            try:
                await asyncio.wait_for(owner.hand_over(), HAND_OVER_WITHIN.total_seconds())
            except (AppendFailed, TimeoutError) as error:
                log.warning("partition.handed_over_unsaved", partition=str(place), error=repr(error))

    async def _adopt(self) -> None:
        """Takes over what was assigned, one partition after the other."""
        while self._assigned:
            place = min(self._assigned, key=lambda each: each.partition)
            owner = self._hosting.make(place.partition)
            began_s = self._clock.monotonic_s()
            offset = await owner.start()
            await self._hosting.owned(owner)
            self._consumer.seek(place, offset)
            self._consumer.resume(place)
            self._owned[place] = owner
            self._assigned.discard(place)
            took_s = round(self._clock.monotonic_s() - began_s, 3)
            log.info(
                "partition.owned", topic=place.topic, partition=place.partition, offset=offset, took_s=took_s
            )

    # -- work ------------------------------------------------------------------------------------------

    async def _round(self) -> None:
        if self._assigned:
            async with self._lock:
                await self._adopt()
        if self._owned:
            self.ready.set()
        got = await self._consumer.getmany(timeout_ms=PATIENCE_MS, max_records=MOST_RECORDS)
        async with self._lock:
            for place, messages in got.items():
                owner = self._owned.get(place)
                if owner is not None:
                    await self._try(place, owner.take([record_of(each) for each in messages]))
            for place, owner in list(self._owned.items()):
                await self._tend(place, owner)
            await self._commit()

    async def _tend(self, place: TopicPartition, owner: Partition) -> None:
        retry_s = self._blocked.get(place)
        if retry_s is None:
            await owner.settle()
            if self._hosting.clock == "wall":
                await self._try(place, owner.wake())
        elif self._clock.monotonic_s() >= retry_s:
            await self._try(place, owner.pay())

    async def _try(self, place: TopicPartition, work: Awaitable[None]) -> None:
        """Does what appends; while that fails the partition is not read any further."""
        try:
            await work
        except AppendFailed as error:
            log.warning("partition.blocked", partition=str(place), error=str(error), lasting=error.lasting)
            self._consumer.pause(place)
            self._blocked[place] = self._clock.monotonic_s() + self._pause_s
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            return
        if self._blocked.pop(place, None) is not None:
            self._consumer.resume(place)
            self._pause_s = FIRST_PAUSE_S

    async def _commit(self) -> None:
        """Tells lag tools how far we are; nothing of ours reads it."""
        now_s = self._clock.monotonic_s()
        if now_s - self._committed_s < COMMIT_EVERY_S or not self._owned:
            return
        self._committed_s = now_s
        try:
            await self._consumer.commit({place: owner.next for place, owner in self._owned.items()})
        except KafkaError as error:
            log.info("host.commit_refused", topic=self._hosting.topic, error=repr(error))
