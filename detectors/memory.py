"""What one key (an agent) of the bank remembers besides its detectors."""

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct

MOST_IDS = 4096
"""Ids remembered per key."""
IDS_FOR_S = 600.0
"""Seconds that an id is remembered for."""
MOST_CHANGES = 5
"""Releases and configuration changes remembered per key."""
DIGEST_BYTES = 8


class Identities:
    """The ids (`source` + `id`) of the last events: 4,096 at most, for ten minutes; 64-bit digests of them."""

    __slots__ = ("_ages", "_fresh", "_known", "_order")

    def __init__(self, digests: bytes = b"", ages: Sequence[tuple[float, int]] = ()) -> None:
        """`digests`: 8 bytes an id, oldest first; `ages`: (POSIX seconds, number of ids), oldest first."""
        split = (digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))
        self._order = deque(split)
        self._known = set(self._order)
        self._ages = deque((time_s, count) for time_s, count in ages)
        self._fresh = len(self._order) - sum(count for _, count in self._ages)

    def seen(self, source: str, name: str) -> bytes | None:
        """None for an id that is new (it is remembered from here on), its digest for a duplicate."""
        digest = blake2b(f"{source}\0{name}".encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
        if digest in self._known:
            return digest
        self._known.add(digest)
        self._order.append(digest)
        self._fresh += 1
        if len(self._order) > MOST_IDS:
            self._forget_one()
        return None

    def _forget_one(self) -> None:
        self._known.discard(self._order.popleft())
        if not self._ages:
            self._fresh -= 1
            return
        time_s, count = self._ages.popleft()
        if count > 1:
            self._ages.appendleft((time_s, count - 1))

    def age(self, now: float) -> None:
        """Forgets what is older than ten minutes."""
        if self._fresh:
            self._ages.append((now, self._fresh))
            self._fresh = 0
        while self._ages and self._ages[0][0] < now - IDS_FOR_S:
            for _ in range(self._ages.popleft()[1]):
                self._known.discard(self._order.popleft())

    def saved(self) -> tuple[bytes, list[tuple[float, int]]]:
        """What the constructor takes."""
        return b"".join(self._order), list(self._ages)


class Standing(Struct):
    """A finding that holds: its signal's id and labels, since when, when it was last asserted (POSIX seconds)."""

    id: str
    detector: str
    finding: str
    labels: dict[str, str]
    onset: float
    asserted: float
    summary: str
