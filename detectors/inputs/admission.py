"""Which inputs are looked at: one of a session in a while, and not above a rate.

The texts of one session resemble each other and come in bursts; one at a time makes the sample nearly
independent. The rate bounds the cost. Both follow event time alone.
"""

from msgspec import Struct

MOST_SESSIONS = 512


class Admission(Struct, array_like=True):
    """`per_minute`: inputs admitted in the long run, half a minute's worth at once.

    `apart_s`: seconds between two admitted inputs of a session; the last 512 sessions are remembered.
    """

    per_minute: float
    apart_s: float
    tokens: float = 0.0
    at: float = float("-inf")
    sessions: dict[int, float] = {}
    closed_until: float = float("-inf")
    """No input at all is admitted before, POSIX seconds; follows from rate, tokens and time alone."""

    def follow(self, per_minute: float, apart_s: float) -> None:
        """Other rates, from here on."""
        self.per_minute, self.apart_s = per_minute, apart_s
        self.closed_until = self._opens()

    def open_at(self, session: int, now: float) -> float:
        """POSIX seconds from which on an input of this session (0: of none) is admitted; `now` if at once."""
        last = self.sessions.get(session)
        if last is not None and now < last + self.apart_s:
            return last + self.apart_s
        return max(now, self.closed_until)

    def admit(self, session: int, now: float) -> None:
        """Counts an input that was admitted."""
        self.tokens = self._tokens(now) - 1
        self.at = now
        self.closed_until = self._opens()
        if session:
            self.sessions.pop(session, None)
            self.sessions[session] = now
            if len(self.sessions) > MOST_SESSIONS:
                del self.sessions[next(iter(self.sessions))]

    def _opens(self) -> float:
        return self.at + (1 - self.tokens) * 60 / self.per_minute

    def _tokens(self, now: float) -> float:
        return min(max(1.0, self.per_minute / 2), self.tokens + (now - self.at) * self.per_minute / 60)
