"""What became of each attempt, so that a page which Kafka delivers again is not sent again.

Kept in a table that is shared out with the partitions of the pages: an entry is written from within the
handling of its page, and so lies in the changelog's partition of the same number. Writing it twice does no
harm.
"""

from collections.abc import MutableMapping
from datetime import datetime, timedelta

import msgspec

from schemas.outcome import Outcome

KEPT = timedelta(days=2)
MOST = 20_000
SWEEP = 500


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an attempt. `partition`: of the pages' topic."""

    at: datetime
    partition: int
    outcome: Outcome


class Outcomes:
    """Outcomes by page and attempt.

    `table`: any mapping of bytes. A partition keeps two days, and at most 20,000 entries (plus 500 between
    two sweeps); Kafka redelivers only what was not acknowledged, which is seconds old.
    """

    def __init__(
        self, table: MutableMapping[bytes, bytes], *, kept: timedelta = KEPT, most: int = MOST
    ) -> None:
        self._table = table
        self._kept = kept
        self._most = most
        self._since_sweep: dict[int, int] = {}

    def known(self, page: str, attempt: int) -> Outcome | None:
        """The outcome of an attempt that was made, or None."""
        raw = self._table.get(_key(page, attempt))
        return _entry(raw).outcome if raw is not None else None

    def record(self, page: str, attempt: int, outcome: Outcome, partition: int, at: datetime) -> None:
        """Keeps an outcome; called while a page of `partition` is handled."""
        entry = Entry(at, partition, outcome)
        self._table[_key(page, attempt)] = msgspec.json.encode(entry)
        self._since_sweep[partition] = self._since_sweep.get(partition, 0) + 1
        if self._since_sweep[partition] >= SWEEP:
            self._since_sweep[partition] = 0
            self._sweep(partition, at)

    def _sweep(self, partition: int, now: datetime) -> None:
        """Forgets what is old, and the oldest of what is too much, of this partition alone."""
        entries = [(_entry(raw), key) for key, raw in self._table.items()]
        own = sorted((entry.at, key) for entry, key in entries if entry.partition == partition)
        surplus = len(own) - self._most
        for place, (at, key) in enumerate(own):
            if place < surplus or at < now - self._kept:
                del self._table[key]


def _key(page: str, attempt: int) -> bytes:
    return f"{page}/{attempt}".encode()


def _entry(raw: bytes) -> Entry:
    return msgspec.json.decode(raw, type=Entry)
