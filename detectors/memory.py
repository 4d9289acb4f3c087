"""What one key (an agent) of the bank remembers besides its detectors."""

from array import array
from collections import deque
from collections.abc import Sequence

from xxhash import xxh3_64_intdigest

from schemas.event import Event

MOST_IDS = 4096
"""Ids remembered per key."""
FORGOTTEN_AT_ONCE = 256
"""So many more are kept before the oldest are forgotten together."""
IDS_FOR_S = 600.0
"""Seconds that an id is remembered for."""
MOST_CHANGES = 5
"""Releases and configuration changes remembered per key."""


class Identities:
    """The ids (`source` + `id`) of the last events: 4,096 at most, for ten minutes; as 64-bit hashes (XXH3).

    Two different ids among so many share a hash once in 4.5e15 events.
    """

    __slots__ = ("_ages", "_fresh", "_known", "_order")

    def __init__(self, hashes: bytes = b"", ages: Sequence[tuple[float, int]] = ()) -> None:
        """`hashes`: 8 bytes an id, oldest first; `ages`: (POSIX seconds, number of ids), oldest first.

        Raises:
            ValueError: they are no whole ids, or other ids than ages.
        """
        self._order = deque(array("Q", hashes))
        self._known = set(self._order)
        self._ages = deque((time_s, count) for time_s, count in ages)
        self._fresh = len(self._order) - sum(count for _, count in self._ages)
        if self._fresh < 0 or any(count < 0 for _, count in self._ages):
            raise ValueError(f"{len(self._order)} ids have ages of {len(self._order) - self._fresh}")

    def repeats(self, source: str, name: str) -> bool:
        """Whether this id was seen before; if not, it is remembered from here on."""
        hashed = xxh3_64_intdigest(f"{source}\0{name}".encode())
        known = self._known
        if hashed in known:
            return True
        known.add(hashed)
        self._order.append(hashed)
        self._fresh += 1
        if len(known) == MOST_IDS + FORGOTTEN_AT_ONCE:
            self._forget(FORGOTTEN_AT_ONCE)
        return False

    def repeated(self, events: Sequence[tuple[Event, float]]) -> set[int]:
        """Places of events whose ids were seen before; the others' are remembered from here on."""
        hashes = [xxh3_64_intdigest(f"{event.source}\0{event.id}".encode()) for event, _ in events]
        known, count = self._known, len(hashes)
        if (
            len(known) + count < MOST_IDS + FORGOTTEN_AT_ONCE
            and len(set(hashes)) == count
            and known.isdisjoint(hashes)
        ):
            known.update(hashes)
            self._order.extend(hashes)
            self._fresh += count
            return set()
        return {at for at, (event, _) in enumerate(events) if self.repeats(event.source, event.id)}

    def _forget(self, count: int) -> None:
        """The oldest so many."""
        forgotten = count
        while self._ages and count:
            time_s, aged = self._ages.popleft()
            if aged > count:
                self._ages.appendleft((time_s, aged - count))
            count = max(0, count - aged)
        self._fresh -= count
        for _ in range(forgotten):
            self._known.discard(self._order.popleft())

    def age(self, now: float) -> None:
        """Forgets what is older than ten minutes."""
        if self._fresh:
            self._ages.append((now, self._fresh))
            self._fresh = 0
        while self._ages and self._ages[0][0] < now - IDS_FOR_S:
            forget = self._order.popleft
            self._known.difference_update([forget() for _ in range(self._ages.popleft()[1])])

    def saved(self) -> tuple[bytes, list[tuple[float, int]]]:
        """What the constructor takes."""
        return array("Q", self._order).tobytes(), list(self._ages)
