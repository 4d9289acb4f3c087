"""A log in memory whose failures are data: what each append of an owner does is a list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from schemas.record import Record
from streams.hosting.log import AppendFailed, Outgoing


class Act(Enum):
    """What an append does."""

    GO = "go"
    FAIL = "fails; nothing was written"
    FAIL_WRITTEN = "fails; all was written"
    CRASH = "the process dies before it is written"
    CRASH_HALF = "the process dies when half is written"
    CRASH_WRITTEN = "the process dies after it is written"
    PAUSE_HALF = "the process stands still when half is written"
    REFUSE = "fails for ever: too large"
    PAUSE = "the process stands still until it is told to go on"


_WRITTEN = {
    Act.GO: lambda count: count,
    Act.FAIL: lambda _: 0,
    Act.FAIL_WRITTEN: lambda count: count,
    Act.CRASH: lambda _: 0,
    Act.CRASH_HALF: lambda count: count // 2,
    Act.CRASH_WRITTEN: lambda count: count,
    Act.PAUSE: lambda _: 0,
    Act.PAUSE_HALF: lambda count: count // 2,
    Act.REFUSE: lambda _: 0,
}
"""How many of the records an append writes before anything befalls it."""


class Crash(BaseException):
    """The process is gone: nothing may catch it."""


@dataclass
class Disk:
    """What all owners share: topics, each a list of records."""

    topics: dict[tuple[str, int], list[Record]] = field(default_factory=dict)

    def records(self, topic: str, partition: int = 0) -> list[Record]:
        return self.topics.setdefault((topic, partition), [])

    def put(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        log = self.records(topic, partition)
        for each in records:
            log.append(Record(len(log), each.value or b"", each.key, None, each.headers))
        return len(log) - 1


@dataclass
class MemoryLog:
    """One owner's view of the disk. `acts`: what its appends do, one after another; then they go.

    `largest`: bytes of a value that is taken. `silent`: it falls silent before its end.
    """

    disk: Disk
    acts: list[Act] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    largest: int = 1_000_000
    silent: bool = False

    async def append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        await asyncio.sleep(0)
        act = self.acts.pop(0) if self.acts else Act.GO
        if any(len(each.value or b"") > self.largest for each in records):
            act = Act.REFUSE
        written = _WRITTEN[act](len(records))
        last = self.disk.put(topic, partition, records[:written])
        match act:
            case Act.PAUSE | Act.PAUSE_HALF:
                self.paused.set()
                await self.go_on.wait()
                last = self.disk.put(topic, partition, records[written:])
            case Act.CRASH | Act.CRASH_HALF | Act.CRASH_WRITTEN:
                raise Crash
            case Act.FAIL | Act.FAIL_WRITTEN | Act.REFUSE:
                raise AppendFailed(act.value, "too large" if act is Act.REFUSE else "")
        await asyncio.sleep(0)
        return last

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        at = 0
        while True:
            log = self.disk.records(topic, partition)
            batch = log[at : at + 7]
            at += len(batch)
            yield batch
            await asyncio.sleep(0)

    async def read_to_end(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        log = tuple(self.disk.records(topic, partition))
        for at in range(0, len(log), 7):
            yield log[at : at + 7]
            await asyncio.sleep(0)
        if self.silent:
            raise OSError("nothing came")

    async def until(self, topic: str, partition: int) -> None:
        """Returns once something stands there."""
        async for batch in self.read(topic, partition):
            if batch:
                return

    async def partitions(self, topic: str) -> int:
        return sum(name == topic for name, _ in self.disk.topics) or 1
