"""How full a limit is, minute by minute: told when it is full, or runs out soon, though it usually is not."""

from math import ceil
from statistics import median

from msgspec import Struct

from detectors.latencies.slow_series import held_s
from schemas.event import Event, Limits
from schemas.identity import derived

FULL, FULL_MINUTES = 0.95, 5
"""Full is a limit whose every minute of the last five reached 95 %."""
BUSY = 0.8
"""A limit that is so full on most days is no news."""
SOON_MINUTES, SLOPE_MINUTES = 15, 10
HALF, ABOVE_HIGHEST = 0.5, 1.1
"""A forecast is told from half full on, and 10 % above the highest of the last days."""
STEADY = 0.5
"""A jump is no climb: a climb's first seven and last five minutes rise half as fast as the whole."""
LAG_MINUTES = 15
"""What is usual is learnt so late that a climb does not hide itself."""
WARM_UP_FULL, WARM_UP_FORECAST = 15, 60
USUAL = 1 / 1440
HIGHEST_DAYS = 3 * 1440
RECOVERED, RECOVERY_S = 0.85, 600.0
WINDOW_S = 900.0
ADOPTED_S = 86400.0
HISTORY = 30
MOST_SESSIONS = 64


class Tight(Struct, array_like=True):
    """A limit that is tight: since when; `bad_at`: when it last was; POSIX seconds. `level`: when told."""

    onset: float
    bad_at: float
    level: float
    sessions: dict[str, int] = {}
    capped: bool = False


class Saturation(Struct, array_like=True):
    """One limit. Shares of it in [0, 1]; `peak`: of the open minute, -1 while nothing was heard.

    `usual`: slow mean of minutes' peaks; `highest`: their slowly fading maximum.
    """

    peak: float = -1.0
    minutes: int = 0
    usual: float = 0.0
    highest: float = 0.0
    history: list[tuple[float, float]] = []
    tight: Tight | None = None

    def take(self, used: float, event: Event) -> None:
        """How full it was at one operation."""
        self.peak = max(self.peak, min(1.0, used))
        conversation = event.data.conversation
        if self.tight is not None and conversation is not None and conversation.id:
            self.tight.capped |= len(self.tight.sessions) >= MOST_SESSIONS
            if len(self.tight.sessions) < MOST_SESSIONS:
                self.tight.sessions[derived("s", conversation.id)] = 1

    @property
    def is_open(self) -> bool:
        """Whether time may change something though nothing is heard."""
        return self.peak >= 0 or self.tight is not None

    @property
    def is_told(self) -> bool:
        """Whether it is tight."""
        return self.tight is not None

    def close(self, at: float) -> None:
        """Ends the open minute."""
        if self.peak >= 0:
            self._close(at, self.peak)
            self.peak = -1.0
        tight = self.tight
        if tight is not None and self._is_over(tight, at):
            self.tight, self.history = None, []
        elif tight is not None and at - tight.onset >= ADOPTED_S:
            self.adopt()

    def _is_over(self, tight: Tight, at: float) -> bool:
        """Whether it is well for long enough, or nothing is told of it for longer than usual."""
        told = [when for when, _ in self.history[-FULL_MINUTES:]]
        return at - tight.bad_at >= (RECOVERY_S if told[-1] > tight.bad_at else held_s(told))

    def _close(self, at: float, peak: float) -> None:
        self.history = [*self.history[1 - HISTORY :], (at, peak)]
        recent = [(when, used) for when, used in self.history if at - when < WINDOW_S]
        tight = self.tight
        if tight is not None:
            if peak >= RECOVERED * tight.level:
                tight.bad_at = at
            return
        if self._is_full(recent) or self._is_running_out(peak):
            self.tight = Tight(recent[-FULL_MINUTES:][0][0], at, peak)
        elif len(self.history) > LAG_MINUTES:
            self._learn(self.history[-1 - LAG_MINUTES][1])

    def _learn(self, peak: float) -> None:
        self.minutes += 1
        self.usual += max(USUAL, 1 / self.minutes) * (peak - self.usual)
        self.highest = max(peak, self.highest * (1 - 1 / HIGHEST_DAYS))

    def _is_full(self, recent: list[tuple[float, float]]) -> bool:
        last = [used for _, used in recent[-FULL_MINUTES:]]
        known = self.minutes >= WARM_UP_FULL and self.usual < BUSY
        return known and len(last) == FULL_MINUTES and min(last) >= FULL

    def _is_running_out(self, peak: float) -> bool:
        """Not if it is full already: that has a rule of its own."""
        if self.minutes < WARM_UP_FORECAST or not max(HALF, ABOVE_HIGHEST * self.highest) <= peak < FULL:
            return False
        left = self.minutes_left
        return left is not None and left <= SOON_MINUTES

    @property
    def minutes_left(self) -> int | None:
        """Minutes until it is full, if it goes on as in the last ten; None unless it rose steadily."""
        last = self.history[-SLOPE_MINUTES:]
        if len(last) < SLOPE_MINUTES or last[-1][0] - last[0][0] > WINDOW_S:
            return None
        slope = min(_slope(last), _slope(last[:7]), _slope(last[5:]))
        mean = 60 * (last[-1][1] - last[0][1]) / (last[-1][0] - last[0][0])
        return ceil((1 - last[-1][1]) / slope) if slope > max(0.0, STEADY * mean) else None

    def forget(self) -> None:
        """Begins anew; what is usual stays."""
        self.peak, self.history, self.tight = -1.0, [], None

    def adopt(self) -> None:
        """As full as it is now is normal."""
        level = self.history[-1][1] if self.history else self.usual
        self.usual, self.highest = level, max(level, self.highest)
        self.forget()


def _slope(points: list[tuple[float, float]]) -> float:
    """Share a minute: the median over pairs (Theil 1950, Sen 1968)."""
    slopes = [
        (used - before) / (at - when)
        for place, (when, before) in enumerate(points)
        for at, used in points[place + 1 :]
    ]
    return 60 * median(slopes)


def concurrency_used(limits: Limits) -> float | None:
    """Operations at once over those there may be."""
    if limits.concurrency is None or not limits.concurrency_max:
        return None
    return limits.concurrency / limits.concurrency_max


def rate_used(limits: Limits) -> float | None:
    """The part of a rate limit that is spent."""
    if limits.rate_remaining is None or not limits.rate_limit:
        return None
    return max(0.0, 1 - limits.rate_remaining / limits.rate_limit)
