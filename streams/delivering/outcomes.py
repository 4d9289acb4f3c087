"""What became of each attempt, so that a page which Kafka delivers again is not sent again.

Kept in a compacted topic with as many partitions as the pages have. A new owner appends a claim, reads back
to it, and knows what every owner before wrote. It needs no epoch: an outcome is true whoever wrote it, and so
is a low-water mark, for a mark covers only what its writer had seen through.

Keys: `claim/OWNER` (removed as soon as it is found again), `low-water`, `outcome/PAGE/ATTEMPT` and, once
it arrived, `delivered/PAGE`: an owner that stood still and then failed must not write over that.

What cannot be read, or is not what was written (`streams.hosting.sums`), is told of and passed over: without
its outcome an attempt may be made once more, and an older mark begins earlier.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

import msgspec
import structlog

from schemas.outcome import Delivered, Outcome
from schemas.record import UNREADABLE
from streams.hosting.log import Log, Outgoing
from streams.hosting.sums import Unsound, is_sound, summed

KEPT = timedelta(days=2)
MOST = 20_000
SWEEP = 500
Found = TypeVar("Found")
_CLAIM = b"claim/"
_LOW_WATER = b"low-water"
_OUTCOME = b"outcome/"
_DELIVERED = b"delivered/"
_KINDS = (_OUTCOME, _DELIVERED)
log = structlog.get_logger(__name__)


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an attempt. `at`: when it was made, by the wall clock."""

    at: datetime
    outcome: Outcome


class Outcomes:
    """Those of one partition, for one owner.

    Two days are kept, and at most 20,000 entries (plus 500 between two sweeps); Kafka redelivers only what
    was not seen through, which is seconds old, and pages that are older are not sent at all.
    """

    def __init__(
        self,
        log: Log,
        place: tuple[str, int],
        owner: str,
        *,
        before: "Outcomes | None" = None,
        kept: timedelta = KEPT,
        most: int = MOST,
    ) -> None:
        """`place`: topic and partition. `owner`: a name that no other owner ever has.

        `before`: those of the owner before, in this process: it may know what it could not write in time.
        """
        self._log = log
        self._topic, self._partition = place
        self._claim = _CLAIM + owner.encode()
        self._kept = kept
        self._most = most
        self._entries: dict[bytes, Entry] = dict(before.entries) if before is not None else {}
        # Owners may be short-lived: each sweeps with its first outcome.
        self._since_sweep = SWEEP

    @property
    def entries(self) -> Mapping[bytes, Entry]:
        """What is known, by key, the oldest first."""
        return self._entries

    async def take_over(self) -> int | None:
        """Reads what owners before left.

        Returns:
            The low-water mark: every page at an offset below is seen through. None where there is none, or
            none that can be read.

        Raises:
            AppendFailed: the claim is not known to be written.
        """
        claimed = await self._append([Outgoing(self._claim, b"1")])
        live: dict[bytes, bytes] = {}
        async for batch in self._log.read(self._topic, self._partition):
            for record in batch:
                key = record.key or b""
                if not key.startswith(_CLAIM) and not is_sound(record):
                    self._passed_over(key, Unsound())
                    continue
                # What is written anew goes to the end: the oldest stay in front, for the sweep.
                live.pop(key, None)
                if record.value:
                    live[key] = record.value
            if batch and batch[-1].offset >= claimed:
                break
        await self._append([Outgoing(key, None) for key in live if key.startswith(_CLAIM)])
        written = {
            key: entry
            for key, value in live.items()
            if key.startswith(_KINDS) and (entry := self._read(key, value, _entry)) is not None
        }
        self._entries = written | {key: each for key, each in self._entries.items() if key not in written}
        mark = live.get(_LOW_WATER)
        return None if mark is None else self._read(_LOW_WATER, mark, _offset)

    def _read(self, key: bytes, value: bytes, how: Callable[[bytes], Found]) -> Found | None:
        try:
            return how(value)
        except (ValueError, *UNREADABLE) as error:
            self._passed_over(key, error)
            return None

    def _passed_over(self, key: bytes, error: Exception) -> None:
        place = {"topic": self._topic, "partition": self._partition}
        log.error("state.unreadable", **place, key=key.decode("utf-8", "replace"), error=repr(error))

    def known(self, page: str, attempt: int) -> Outcome | None:
        """What became of an attempt that was made, or that the page arrived by any; else None.

        The router asks anew where it hears nothing for two minutes, and the first may only have waited.
        """
        entry = self._entries.get(_delivered(page)) or self._entries.get(_attempted(page, attempt))
        return None if entry is None else entry.outcome

    async def record(self, page: str, attempt: int, outcome: Outcome, at: datetime) -> None:
        """Keeps an outcome; it is known at once, also where it cannot be written now.

        Raises:
            AppendFailed: it is not known to be written.
        """
        key = _delivered(page) if isinstance(outcome, Delivered) else _attempted(page, attempt)
        entry = Entry(at, outcome)
        self._entries.setdefault(key, entry)
        await self._append([Outgoing(key, msgspec.json.encode(entry))])
        self._since_sweep += 1
        if self._since_sweep >= SWEEP:
            self._since_sweep = 0
            await self._sweep(at)

    async def sink(self, offset: int) -> None:
        """Moves the low-water mark.

        Raises:
            AppendFailed: it is not known to be written.
        """
        await self._append([Outgoing(_LOW_WATER, str(offset).encode())])

    async def _sweep(self, now: datetime) -> None:
        """Forgets what is old, and the first of what is too much."""
        surplus = set(islice(self._entries, max(0, len(self._entries) - self._most)))
        before = now - self._kept
        gone = [key for key, entry in self._entries.items() if key in surplus or entry.at < before]
        for key in gone:
            del self._entries[key]
        if gone:
            await self._append([Outgoing(key, None) for key in gone])

    async def _append(self, records: list[Outgoing]) -> int:
        return await self._log.append(self._topic, self._partition, [summed(each) for each in records])


def _delivered(page: str) -> bytes:
    return _DELIVERED + page.encode()


def _attempted(page: str, attempt: int) -> bytes:
    return b"%b%b/%d" % (_OUTCOME, page.encode(), attempt)


def _entry(raw: bytes) -> Entry:
    return msgspec.json.decode(raw, type=Entry)


def _offset(raw: bytes) -> int:
    if not raw.isdigit():
        raise ValueError(f"expected an offset, found {raw[:40]!r}")
    return int(raw)
