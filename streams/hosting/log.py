"""The log as the host sees it: append in order, read in order. `streams.hosting.kafka` is the real one."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

from schemas.record import Record


class Outgoing(Struct, frozen=True):
    """One record to append. A `value` of None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class AppendFailed(Exception):  # noqa: N818 - what happened, in the words of the log
    """Not known to be written. `lasting`: why the broker refuses these very records, for ever (too large)."""

    def __init__(self, reason: str, lasting: str = "") -> None:
        super().__init__(reason)
        self.lasting = lasting


class Log(Protocol):
    """Topics with partitions; a record's offset is its place."""

    async def append(self, topic: str, partition: int, records: Sequence[Outgoing]) -> int:
        """Appends in this order and returns once all are acknowledged: the offset of the last one.

        A record is never written before those ahead of it; on failure a prefix may have been written.

        Raises:
            AppendFailed: the records are not known to be written.
        """
        ...

    def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        """Batches of all records, from the first that is kept, without end; a tombstone's value is `b""`."""
        ...

    def read_to_end(self, topic: str, partition: int) -> AsyncIterator[Sequence[Record]]:
        """Batches of records, none empty: from the first that is kept to the last when it was asked.

        Raises:
            OSError: the log gave nothing for long, short of that.
        """
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        ...
