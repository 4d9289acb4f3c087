"""Owners of a partition that crash, pause, lose answers and are succeeded, over a log in memory."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.record import Origin, Record
from schemas.wire import decode_cause
from streams.fold import Fold
from streams.hosting.emission import Destination, Emission
from streams.hosting.log import AppendFailed
from streams.hosting.partition import Cadence, Partition, Surroundings
from streams.hosting.snapshots import Snapshots
from tests.memory_log import Act, Crash, Disk, MemoryLog

TOPICS = {name: Destination(name) for name in ("causes", "pages", "incidents", "decisions", "deadletter")}


@dataclass
class HandClock:
    """A clock that is moved by hand."""

    at_s: float = 1_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)

    def monotonic_s(self) -> float:
        return self.at_s


@dataclass(frozen=True)
class Reign:
    """What befalls one owner, which comes to the offset `until`.

    `acts`: of its appends; `batch`: records at once; `again`: how many records each batch begins before the
    next; `age`: of state that is written.
    """

    until: int
    batch: int = 1
    again: int = 0
    acts: Sequence[Act] = ()
    age: timedelta = timedelta(seconds=2)


@dataclass
class World:
    """A disk, a fold to run over its topic `in`, and whoever owns it."""

    make: Callable[[], Fold]
    begin: Callable[[Fold], None] = lambda _: None
    only_key: str = ""
    disk: Disk = field(default_factory=Disk)
    clock: HandClock = field(default_factory=HandClock)
    owners: int = 0
    zombies: list[tuple[MemoryLog, asyncio.Task[None]]] = field(default_factory=list)

    def partition(self, log: MemoryLog, cadence: Cadence) -> Partition:
        self.owners += 1
        fold = self.make()
        emission = Emission(log, TOPICS, self.clock, "events")
        snapshots = Snapshots(log, "state", 0, f"owner-{self.owners}")
        source = ("in", 0)
        surroundings = Surroundings(log, emission, snapshots, self.clock, cadence)
        return Partition(fold, source, surroundings, lambda: self.begin(fold), self.only_key)

    async def own(self, log: MemoryLog, reign: Reign) -> Partition:
        """Owns the partition from restore until an offset; time passes with each batch."""
        cadence = Cadence(age=reign.age, boundary=timedelta(0), most_bytes=200)
        owner = self.partition(log, cadence)
        start = await _persist(owner.start)
        records = self.disk.records("in")
        for at in range(start, reign.until, reign.batch):
            self.clock.at_s += 1
            batch = records[max(0, at - reign.again) : min(at + reign.batch, reign.until)]
            for given in (batch[: reign.again], batch):
                await _persist(lambda given=given: owner.take(given), lambda: _tend(owner))
            await owner.settle()
        return owner

    async def reign(self, reign: Reign) -> None:
        """One owner's reign: to its end, its crash, or until it is paused (then it lives on as a zombie)."""
        log = MemoryLog(self.disk, list(reign.acts))
        task = asyncio.create_task(_until_crash(self.own(log, reign)))
        paused = asyncio.create_task(log.paused.wait())
        await asyncio.wait([task, paused], return_when=asyncio.FIRST_COMPLETED)
        paused.cancel()
        if not task.done():
            self.zombies.append((log, task))

    async def wake_zombies(self) -> None:
        """All paused owners go on at once, to their ends."""
        for log, _ in self.zombies:
            log.go_on.set()
        await asyncio.gather(*(task for _, task in self.zombies))

    def accepted(self, stream: str) -> list[tuple[Origin, bytes]]:
        """What a receiver takes of a stream that keeps the highest origin and drops the rest."""
        highest: tuple[int, int] = (-1, -1)
        taken: list[tuple[Origin, bytes]] = []
        for record in self.disk.records(stream):
            origin = _origin(record)
            if (origin.offset, origin.n) > highest:
                highest = (origin.offset, origin.n)
                taken.append((origin, record.value))
        return taken


def _origin(record: Record) -> Origin:
    """A cause names its origin itself; everything else carries it in a header."""
    header = dict(record.headers).get("origin")
    if header is None:
        origin = decode_cause(record.value).origin
        assert origin is not None
        return origin
    partition, offset, n = header.decode().split(":")
    return Origin(partition, int(offset), int(n))


async def _tend(owner: Partition) -> None:
    """What is owed is put out again; whoever writes state before that is found out."""
    await owner.settle()
    await owner.pay()


async def _persist(first: Callable, again: Callable | None = None) -> int:
    """As the host does: what is owed is put out again until it is acknowledged."""
    step = first
    for _ in range(50):
        try:
            return await step()
        except AppendFailed:
            step = again or first
    raise AssertionError("the log never came back")


async def _until_crash(reign) -> None:
    try:
        await reign
    except Crash:
        return
