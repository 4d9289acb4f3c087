"""A log in memory whose failures are data: what each append of an owner does is a list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from schemas.record import Record
from streams.log import AppendFailed, Outgoing


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

    `largest`: bytes of a value that is taken.
    """

    disk: Disk
    acts: list[Act] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    largest: int = 1_000_000

    async def append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        await asyncio.sleep(0)
        act = self.acts.pop(0) if self.acts else Act.GO
        if act is Act.PAUSE_HALF:
            half = len(records) // 2
            self.disk.put(topic, partition, records[:half])
            records = records[half:]
        if act in {Act.PAUSE, Act.PAUSE_HALF}:
            self.paused.set()
            await self.go_on.wait()
        if act is Act.CRASH:
            raise Crash
        if act is Act.REFUSE or any(len(each.value or b"") > self.largest for each in records):
            raise AppendFailed("the broker refused it", "too large")
        if act is Act.FAIL:
            raise AppendFailed("the broker did not answer")
        if act is Act.CRASH_HALF:
            self.disk.put(topic, partition, records[: len(records) // 2])
            raise Crash
        last = self.disk.put(topic, partition, records)
        if act is Act.CRASH_WRITTEN:
            raise Crash
        if act is Act.FAIL_WRITTEN:
            raise AppendFailed("the answer was lost")
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

    async def partitions(self, topic: str) -> int:
        return sum(name == topic for name, _ in self.disk.topics) or 1
