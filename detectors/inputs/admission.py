"""Which inputs are looked at: one of a session in a while, and not above a rate.

The texts of one session resemble each other and come in bursts; one at a time makes the sample nearly
independent. The rate bounds the cost. Both follow event time alone.
"""

from array import array
from math import ceil

from msgspec import Struct

MOST_SESSIONS = 512
_LONGEST_S = 0xFFFFFFFF


class Saved(Struct, array_like=True):
    """The state: sessions as 32-bit hashes, and whole seconds since `since` at which each was admitted."""

    tokens: float
    at: float
    since: int
    sessions: bytes
    ages: bytes


class Admission:
    """`per_minute`: inputs admitted in the long run, half a minute's worth at once.

    `apart_s`: seconds between two admitted inputs of a session; the last 512 sessions are remembered.
    `closed_until`: no input at all is admitted before, POSIX seconds; follows from rate, tokens and time.
    """

    __slots__ = ("_at", "_sessions", "_tokens_left", "apart_s", "closed_until", "per_minute")

    def __init__(self, per_minute: float, apart_s: float, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self.per_minute, self.apart_s = per_minute, apart_s
        self._tokens_left, self._at = (saved.tokens, saved.at) if saved else (0.0, float("-inf"))
        self._sessions: dict[int, int] = {}
        if saved:
            ages = (saved.since + age for age in array("I", saved.ages))
            self._sessions = dict(zip(array("I", saved.sessions), ages, strict=True))
        self.closed_until = self._opens() if saved else float("-inf")

    def follow(self, per_minute: float, apart_s: float) -> None:
        """Other rates, from here on."""
        self.per_minute, self.apart_s = per_minute, apart_s
        self.closed_until = self._opens()

    def open_at(self, session: int, now: float) -> float:
        """POSIX seconds from which on an input of this session (0: of none) is admitted; `now` if at once."""
        last = self._sessions.get(session)
        if last is not None and now < last + self.apart_s:
            return last + self.apart_s
        return max(now, self.closed_until)

    def admit(self, session: int, now: float) -> None:
        """Counts an input that was admitted."""
        self._tokens_left = self._tokens(now) - 1
        self._at = now
        self.closed_until = self._opens()
        if session:
            sessions, second = self._sessions, ceil(now)
            sessions.pop(session, None)
            sessions[session] = second
            oldest = next(iter(sessions))
            while len(sessions) > MOST_SESSIONS or second > sessions[oldest] + self.apart_s:
                del sessions[oldest]
                oldest = next(iter(sessions))

    def save(self) -> Saved:
        """The state exactly."""
        since = next(iter(self._sessions.values()), 0)
        ages = array("I", (min(_LONGEST_S, second - since) for second in self._sessions.values()))
        return Saved(self._tokens_left, self._at, since, array("I", self._sessions).tobytes(), ages.tobytes())

    def _opens(self) -> float:
        return self._at + (1 - self._tokens_left) * 60 / self.per_minute

    def _tokens(self, now: float) -> float:
        return min(max(1.0, self.per_minute / 2), self._tokens_left + (now - self._at) * self.per_minute / 60)
