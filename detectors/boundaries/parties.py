"""Which tenant and which user each session belongs to, and who first held each planted string.

Both maps are bounded: what was untouched for longest is forgotten first. Within the cap they are exact.
"""

from array import array
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from detectors.dense import listed, rising, rising_packed, texts

MOST_SESSIONS = 512
MOST_TOKENS = 512
LONGEST_ID = 64
LIVE_MINUTES = 30
"""A session touched within so many minutes may still run: forgetting it is counted."""
MINUTES_A_DAY = 1440

Seen = tuple[str, str, int]
"""Tenant and user, empty where unknown, and the minute (since 1970) of the last touch."""


class Sessions:
    """Who had which session: kept in half the bytes that msgpack takes for the same."""

    __slots__ = ("seen",)

    def __init__(self, seen: Mapping[int, Seen] = MappingProxyType({})) -> None:
        self.seen = dict(seen)

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        if not self.seen:
            return []
        tenants, users, minutes = zip(*self.seen.values(), strict=True)
        known, where = listed((*tenants, *users))
        return [array("Q", self.seen).tobytes(), *rising_packed(minutes), known, where]

    @classmethod
    def unpacked(cls, saved: Sequence[Any] | Mapping[int, Any]) -> Self:
        """Goes on from what was saved, or from what earlier versions kept."""
        if not saved or isinstance(saved, Mapping):
            return cls({key: tuple(each) for key, each in dict(saved).items()})
        keys, first, count, gaps, known, where = saved
        both = texts(known, where, 2 * count)
        whose = zip(both[:count], both[count:], rising(first, count, gaps), strict=True)
        return cls(dict(zip(array("Q", keys), whose, strict=True)))


class Parties(Struct, array_like=True):
    """The state. Keys are 64-bit digests (XXH3) of ids.

    `active`: sessions, or calls at once as agents tell, of the open `minute`; `before`: of the one before;
    `usual`: their mean over minutes with traffic, of about the last day. `forgotten`: live sessions that the
    cap cost; `dropped`: planted strings.
    """

    sessions: Sessions = field(default_factory=Sessions)
    tokens: dict[int, str] = {}
    minute: int = 0
    active: int = 0
    before: int = 0
    minutes: int = 0
    usual: float = 0.0
    forgotten: int = 0
    dropped: int = 0

    def turn(self, minute: int) -> None:
        """Begins another minute."""
        if self.active:
            self.minutes = min(self.minutes + 1, MINUTES_A_DAY)
            self.usual += (self.active - self.usual) / self.minutes
        self.before = self.active if minute == self.minute + 1 else 0
        self.minute, self.active = minute, 0

    @property
    def crowd(self) -> int:
        """How many sessions, or calls, there are at once."""
        return max(1, self.active, self.before)

    def learn(self, key: int, tenant: str, user: str, known: Seen | None) -> None:
        """A session, new or known, that is touched in this minute for the first time or says more."""
        if known is None:
            self._make_room()
        else:
            del self.sessions.seen[key]
        if known is None or known[2] != self.minute:
            self.active += 1
        self.sessions.seen[key] = (tenant, user, self.minute)

    def _make_room(self) -> None:
        seen = self.sessions.seen
        if len(seen) >= MOST_SESSIONS:
            oldest = next(iter(seen))
            self.forgotten += self.minute - seen.pop(oldest)[2] <= LIVE_MINUTES

    def holder(self, token: str, party: str) -> str:
        """Who was first seen with a planted string: this party, if nobody was."""
        key = digest(token)
        owner = self.tokens.pop(key, party)
        if len(self.tokens) >= MOST_TOKENS:
            del self.tokens[next(iter(self.tokens))]
            self.dropped += 1
        self.tokens[key] = owner
        return owner


def digest(name: str) -> int:
    """64 bits of XXH3."""
    return xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))


def short(name: str) -> str:
    """An id as it is kept: a long one is cut, with a digest that tells it from others."""
    return name if len(name) <= LONGEST_ID else f"{name[: LONGEST_ID - 16]}{digest(name):016x}"
