"""The host of a topic's owners: has the partitions of its topic that the group gives this worker.

Each is taken over by an owner (`streams.hosting.partition` of a fold, `streams.delivering.deliveries` of
pages), restored, and given its records in batches. Group offsets are committed for lag tools, and because
the group refuses them from whoever lost its partitions; what counts is the low-water mark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from math import inf
from typing import Any, Generic, Literal, Protocol, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct, structs

from schemas.record import Record
from streams.hosting.clock import Clock
from streams.hosting.condition import Condition
from streams.hosting.fetching import Fetching, Unread
from streams.hosting.kafka import record_of
from streams.hosting.log import AppendFailed
from streams.hosting.unpacking import bound

log = structlog.get_logger(__name__)

MOST_RECORDS = 5_000
"""Records folded before the event loop has its turn again."""
PATIENCE_MS = 100
LONGEST_PAUSE_S = 5.0
FIRST_PAUSE_S = 0.1
COMMIT_EVERY_S = 5.0
COMMITS_A_SESSION = 4
ANOTHER_AFTER_S = 30.0
"""So long a log must end before what was folded of it, until it is taken for another one."""
TOLD_EVERY_S = 60.0
ANEW = "stop all workers, delete the topic with its state as well (docs/operations.md), and start them"
HEARD_OF_WITHIN = timedelta(seconds=4)
"""From the wish to rebalance until owners begin to leave: a heartbeat, and whatever has the lock."""
LEFT_WITHIN = timedelta(seconds=5)
GONE_WITHIN_S = 2.0
"""How long it may take to leave the group then: where its broker is away, the session runs out anyway."""


class Owner(Protocol):
    """Who has one partition. What it raises as AppendFailed blocks the partition until `pay` returns.

    `is_bound`: its state hangs on the offsets of this very log; of another it would pass over the beginning.
    """

    is_bound: bool

    @property
    def reached(self) -> int | None:
        """The first offset that it is not done with: what lag tools are told. None: that is not known yet."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether it should be given nothing for now."""
        ...

    async def start(self) -> int | None:
        """Takes the partition over; says the offset to read from, or None for the one that was committed."""
        ...

    def keep(self, until_s: float) -> None:
        """The group has confirmed that the partition is this worker's until then, by the monotonic clock."""
        ...

    async def take(self, records: Sequence[Record]) -> None:
        """Takes the next records."""
        ...

    async def miss(self, offsets: range, reason: str) -> None:
        """The next records are such as the client of Kafka cannot read; they are passed over."""
        ...

    async def pay(self) -> None:
        """Puts out what could not be put out before."""
        ...

    async def settle(self) -> None:
        """Writes what is due; a refusal stops nothing."""
        ...

    async def wake(self) -> None:
        """Does what the wall clock wants done by now."""
        ...

    async def hand_over(self) -> None:
        """Leaves the partition so that the next owner finds everything."""
        ...


Kind = TypeVar("Kind", bound=Owner)


class Hosting(Struct, Generic[Kind], frozen=True, kw_only=True):
    """What is hosted. `make`: a new owner of a partition, by number. `owned`: told of each that is restored.

    `clock`: where it is `wall`, the wall clock wakes owners that wait for it. `session`: a worker that is
    silent for so long loses its partitions. `hand_over`: how long an owner may take to leave. `ending`: how
    long a round may go on once the host is to stop; what it was at is owed, or is folded again.
    """

    topic: str
    group: str
    make: Callable[[int], Kind]
    owned: Callable[[Kind], Awaitable[None]]
    clock: Literal["wall", "events"] = "wall"
    session: timedelta = timedelta(seconds=10)
    hand_over: timedelta = timedelta(seconds=5)
    ending: timedelta = timedelta(seconds=5)

    @property
    def rebalance(self) -> timedelta:
        """How long a group waits for its members: the slowest must have heard of it and left by then."""
        return max(self.session, self.hand_over + HEARD_OF_WITHIN)


class Host(ConsumerRebalanceListener, Generic[Kind]):  # type: ignore[misc] # aiokafka is untyped
    """Runs until it is stopped; a broker that is away is asked again, ever more slowly."""

    def __init__(
        self,
        hosting: Hosting[Kind],
        connection: Mapping[str, Any],
        clock: Clock,
        consumer: Callable[..., AIOKafkaConsumer] = AIOKafkaConsumer,
    ) -> None:
        self._hosting = hosting
        self._make_consumer = consumer
        self._connection = connection
        self._clock = clock
        self._owned: dict[TopicPartition, Kind] = {}
        self._assigned: set[TopicPartition] = set()
        self._blocked: dict[TopicPartition, float] = {}
        self._full: set[TopicPartition] = set()
        self._given: dict[TopicPartition, int] = {}
        """What follows the last record that an owner was given."""
        self._past: dict[TopicPartition, int] = {}
        """How far there is no record that it was not given."""
        self._short: dict[TopicPartition, float] = {}
        """Since when a log ends before what was folded of it."""
        self._tell_again_s = -inf
        self._pause_s = FIRST_PAUSE_S
        self._lock = asyncio.Lock()
        self._consumer: Any = None
        self._later: dict[TopicPartition, float] = {}
        self._committing: asyncio.Task[None] | None = None
        self._committed_s = 0.0
        self._stopping = asyncio.Event()
        self._joined = False
        self._turned_s = self._confirmed_s = clock.monotonic_s()
        self.ready = asyncio.Event()

    @property
    def partitions(self) -> Mapping[int, Kind]:
        """The partitions that are owned and restored, by number."""
        return {place.partition: owner for place, owner in self._owned.items()}

    @property
    def topic(self) -> str:
        """The topic that it hosts."""
        return self._hosting.topic

    def condition(self) -> Condition:
        """How it stands now; nothing is asked of the broker."""
        reached = {place: at for place, owner in self._owned.items() if (at := owner.reached) is not None}
        ends = {place: self._consumer.highwater(place) for place in reached} if self._consumer else {}
        return Condition(
            topic=self.topic,
            turn_age_s=self._clock.monotonic_s() - self._turned_s,
            confirmed_age_s=self._clock.monotonic_s() - self._confirmed_s if reached else None,
            joined=self._joined,
            owned=sorted(place.partition for place in self._owned),
            restoring=sorted(place.partition for place in self._assigned),
            blocked=sorted({place.partition for place in (*self._blocked, *self._replaced())}),
            reached={place.partition: at for place, at in reached.items()},
            lag={
                place.partition: max(0, end - max(reached[place], self._past.get(place, 0)))
                for place, end in ends.items()
                if end is not None
            },
        )

    # -- life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until `stop`."""
        bound()
        while not self._stopping.is_set():
            try:
                await self._start()
                while not self._stopping.is_set():
                    await self._turn()
                    self._turned_s = self._clock.monotonic_s()
                    if not self._blocked and not self._assigned:
                        self._pause_s = FIRST_PAUSE_S
            except (KafkaError, AppendFailed, OSError) as error:
                log.warning("host.interrupted", topic=self._hosting.topic, error=repr(error))
                await self._rest()
                self._turned_s = self._clock.monotonic_s()
            finally:
                await self._leave()

    async def stop(self) -> None:
        """Asks `run` to hand everything over and end."""
        self._stopping.set()

    async def _turn(self) -> None:
        """Goes round once; where that takes long, no longer than a while after the wish to stop."""
        round_ = asyncio.ensure_future(self._round())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((round_, stopping), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((round_,), timeout=self._hosting.ending.total_seconds())
        finally:
            stopping.cancel()
            round_.cancel()
        with suppress(asyncio.CancelledError):
            await round_

    async def _start(self) -> None:
        session_ms = int(self._hosting.session.total_seconds() * 1000)
        self._consumer = self._make_consumer(
            **self._connection,
            group_id=self._hosting.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=int(self._hosting.rebalance.total_seconds() * 1000),
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
        self._joined = False
        self._doubt(self._owned)
        async with self._lock:
            self._assigned.clear()
            await self._hand_over(list(self._owned))
        try:
            within_s = GONE_WITHIN_S if self._stopping.is_set() else LEFT_WITHIN.total_seconds()
            await asyncio.wait_for(consumer.stop(), within_s)
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
        if self._consumer is None:  # it is being left
            return
        self._assigned = set(assigned)
        self._joined = True
        self._later.clear()
        self._consumer.pause(*assigned)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Whoever comes next finds everything saved."""
        self._doubt(revoked)
        async with self._lock:
            self._assigned.clear()
            await self._hand_over([place for place in revoked if place in self._owned])

    def _doubt(self, places: Collection[TopicPartition]) -> None:
        """Nothing more is begun that only the partition's owner may begin."""
        if self._committing is not None:
            self._committing.cancel()
            self._committing = None
        for place in places:
            if place in self._owned:
                self._owned[place].keep(0.0)

    async def _hand_over(self, places: list[TopicPartition]) -> None:
        """All leave at once: the slowest decides how long the group waits."""
        owners = {place: self._owned.pop(place) for place in places}
        for place in places:
            self._blocked.pop(place, None)
            self._given.pop(place, None)
            self._past.pop(place, None)
            self._short.pop(place, None)
            self._full.discard(place)
        await asyncio.gather(*(self._left(place, owner) for place, owner in owners.items()))

    async def _left(self, place: TopicPartition, owner: Kind) -> None:
        try:
            await asyncio.wait_for(owner.hand_over(), self._hosting.hand_over.total_seconds())
        except (AppendFailed, TimeoutError) as error:
            log.warning("partition.handed_over_unsaved", partition=str(place), error=repr(error))

    async def _adopt(self) -> None:
        """Takes over what was assigned, one after the other; what cannot be is tried again later."""
        now_s = self._clock.monotonic_s()
        for place in sorted(self._assigned, key=lambda each: each.partition):
            if self._later.get(place, now_s) > now_s:
                continue
            try:
                await self._take_over(place)
            except (KafkaError, AppendFailed, OSError) as error:
                log.warning("partition.not_taken_over", partition=str(place), error=repr(error))
                self._later[place] = now_s + self._pause_s
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    async def _take_over(self, place: TopicPartition) -> None:
        owner = self._hosting.make(place.partition)
        began_s = self._clock.monotonic_s()
        offset = await owner.start()
        await self._hosting.owned(owner)
        if offset is not None:
            self._consumer.seek(place, offset)
            self._given[place] = offset
        self._consumer.resume(place)
        self._owned[place] = owner
        self._assigned.discard(place)
        self._committed_s = -inf
        self._turned_s = self._confirmed_s = self._clock.monotonic_s()
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
        open_ = [place for place in self._owned if place not in self._blocked and place not in self._full]
        fetching = Fetching(self._consumer, PATIENCE_MS, MOST_RECORDS)
        got = await fetching.fetched({place: self._given.get(place) for place in open_})
        async with self._lock:
            for place, messages in got.records.items():
                owner = self._owned.get(place)
                if owner is not None:
                    self._given[place] = messages[-1].offset + 1
                    await self._try(place, owner.take([record_of(each) for each in messages]))
            for place, unread in got.unread.items():
                await self._pass_over(place, unread)
            for place, owner in list(self._owned.items()):
                await self._tend(place, owner)
                self._throttle(place, owner)
                await self._pass(place, owner)
                self._compare(place, owner)
            self._confirm()

    async def _pass_over(self, place: TopicPartition, unread: Unread) -> None:
        """Nobody can read these records, today or tomorrow; the others of the partition come after them."""
        owner = self._owned.get(place)
        if owner is None:
            return
        told = structs.asdict(unread)
        log.error("record.unreadable", topic=place.topic, partition=place.partition, **told)
        behind = unread.offset + unread.count
        self._given[place] = behind
        await self._try(place, owner.miss(range(unread.offset, behind), unread.reason))

    async def _tend(self, place: TopicPartition, owner: Kind) -> None:
        retry_s = self._blocked.get(place)
        if retry_s is None:
            await owner.settle()
            if self._hosting.clock == "wall":
                await self._try(place, owner.wake())
        elif self._clock.monotonic_s() >= retry_s:
            await self._try(place, owner.pay())

    async def _pass(self, place: TopicPartition, owner: Kind) -> None:
        """Transactions end by marks that are no records: who has nothing before them is not behind."""
        end = self._consumer.highwater(place)
        if end is None or owner.reached is None or not owner.reached == self._given.get(place) < end:
            return
        # Known already, or not waited for: others wait for their turn.
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(0):
                self._past[place] = await self._consumer.position(place)

    def _compare(self, place: TopicPartition, owner: Kind) -> None:
        """A log that ends before what was folded of it is another one: its topic was deleted and made anew.

        Its records are passed over up to that place, as if they had been folded. A new leader may know of a
        lower end than the one before it, for a while.
        """
        end, reached = self._consumer.highwater(place), owner.reached
        if not owner.is_bound or end is None or reached is None or end >= reached:
            self._short.pop(place, None)
            return
        now_s = self._clock.monotonic_s()
        self._short.setdefault(place, now_s)
        if place in self._replaced() and now_s >= self._tell_again_s:
            self._tell_again_s = now_s + TOLD_EVERY_S
            where = {"topic": place.topic, "partition": place.partition}
            log.error("log.replaced", **where, end=end, folded=reached, remedy=ANEW)

    def _replaced(self) -> Sequence[TopicPartition]:
        since_s = self._clock.monotonic_s() - ANOTHER_AFTER_S
        return [place for place, at_s in self._short.items() if at_s <= since_s]

    def _throttle(self, place: TopicPartition, owner: Kind) -> None:
        """Reads no further while the owner is full."""
        if owner.is_full and place not in self._full:
            self._full.add(place)
            self._consumer.pause(place)
        elif not owner.is_full and place in self._full:
            self._full.discard(place)
            if place not in self._blocked:
                self._consumer.resume(place)

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
            if place not in self._full:
                self._consumer.resume(place)
            self._pause_s = FIRST_PAUSE_S

    def _confirm(self) -> None:
        """Tells lag tools how far we are, and hears from the group whether the partitions are still ours.

        Beside everything else: the answer may take long, and counts from when it was asked for.
        """
        now_s, session_s = self._clock.monotonic_s(), self._hosting.session.total_seconds()
        every_s = min(COMMIT_EVERY_S, session_s / COMMITS_A_SESSION)
        busy = self._committing is not None and not self._committing.done()
        if busy or now_s - self._committed_s < every_s or not self._owned:
            return
        self._committed_s = now_s
        self._committing = asyncio.create_task(self._commit(dict(self._owned), now_s + session_s))

    async def _commit(self, owners: Mapping[TopicPartition, Kind], until_s: float) -> None:
        reached = {place: at for place, owner in owners.items() if (at := owner.reached) is not None}
        if not reached:  # nothing is known yet, and a commit of nothing is refused
            return
        try:
            await self._consumer.commit(reached)
        except KafkaError as error:
            log.info("host.commit_refused", topic=self._hosting.topic, error=repr(error))
            return
        self._confirmed_s = self._clock.monotonic_s()
        for place, owner in owners.items():
            if self._owned.get(place) is owner:
                owner.keep(until_s)
