"""How long the next record of a partition waits, and what is to be told of it. Pure: time is an argument.

Told by ends of the log that were seen, not by timestamps: those are producers', so a backfill, or a clock
that is slow, would look like lag. What lay before an end that was seen, and is not taken yet, waits since
then; how long it had waited already nobody knows.
"""

from collections import deque
from datetime import timedelta
from math import inf
from typing import Literal

from msgspec import Struct

State = Literal["firing", "resolved", "held"]
"""`held`: who took over cannot say yet that it is behind, nor that nobody is any more."""
MOST_SEEN = 256
"""Ends that are remembered of a partition; then every other one is forgotten."""
TOLD_EVERY_S = 60.0
"""What is not asserted becomes stale."""
APART_S = 60.0
"""Between looks that are further apart nobody knows what was: the worker stood still."""
CAUGHT_UP = 0.25
"""Who is told to be behind has caught up when what it takes waited for so much of the limit."""


class Limits(Struct, frozen=True, kw_only=True):
    """Who is behind: whose next record waits for more than `late`, for as long as `lasting`.

    The defaults are those of the alert `OversightBehind`.
    """

    late: timedelta = timedelta(minutes=2)
    lasting: timedelta = timedelta(minutes=5)


class Look(Struct, frozen=True, kw_only=True):
    """A partition at one moment, by the monotonic clock.

    `reached`: the first offset that is not taken; `lag`: records from there to the end. `newest_age_s`: of
    the newest record taken, by its timestamp; None: none was.
    """

    now_s: float
    reached: int
    lag: int
    is_blocked: bool = False
    newest_age_s: float | None = None


class Waiting:
    """Since when the next record waits. `waited_s`: for how long at least, when it was looked at last."""

    def __init__(self) -> None:
        self.waited_s = 0.0
        self._ends: deque[tuple[float, int]] = deque()
        """When the log was first seen to end there, the first that is not reached first."""

    def see(self, look: Look) -> None:
        """Looks once more. Transactions end by marks that are no records: without lag nothing waits."""
        ends, end = self._ends, look.reached + look.lag
        while ends and (ends[0][1] <= look.reached or not look.lag):
            ends.popleft()
        if look.lag and (not ends or end > ends[-1][1]):
            ends.append((look.now_s, end))
        if len(ends) > MOST_SEEN:
            self._ends = ends = deque(list(ends)[::2])
        self.waited_s = look.now_s - ends[0][0] if ends else 0.0


class Lateness:
    """What is to be told of one partition by its owner.

    The owner before may have told that it is behind. That is guessed from the first timestamp, and as long as
    nothing was taken: where it is wrong, something is said to hold on, or to be over, that nobody was told
    of, and routing passes over it.
    """

    def __init__(self, limits: Limits) -> None:
        self._late_s, self._lasting_s = limits.late.total_seconds(), limits.lasting.total_seconds()
        self._waiting = Waiting()
        self._look: Look | None = None
        self._first: Look | None = None
        self._since_s: float | None = None
        """Since when it was late at every look."""
        self._told_s: float | None = None
        self._held_s = -inf
        self._inherits: bool | None = None

    @property
    def waited_s(self) -> float:
        """How long the next record waits at least."""
        return self._waiting.waited_s

    def see(self, look: Look) -> None:
        """Looks once more."""
        before, self._look = self._look, look
        self._first = self._first or look
        self._waiting.see(look)
        if self.waited_s <= self._late_s:
            self._since_s = None
        elif self._since_s is None or before is None or look.now_s - before.now_s > APART_S:
            self._since_s = look.now_s
        if self._inherits is None and look.newest_age_s is not None:
            self._inherits = look.newest_age_s > self._late_s

    def due(self) -> State | None:
        """What is to be told as of the last look."""
        look, first = self._look, self._first
        if look is None or first is None:
            return None
        if (self._told_s is not None or self._inherits) and self._has_caught_up(look, first):
            return "resolved"
        if self._told_s is not None:
            return "firing" if look.now_s - self._told_s >= TOLD_EVERY_S else None
        lasts = self._since_s is not None and look.now_s - self._since_s >= self._lasting_s
        if lasts:
            return "firing"
        is_due = look.now_s - self._held_s >= TOLD_EVERY_S
        return "held" if is_due and (self._inherits or self._took_nothing(look, first)) else None

    def told(self, state: State) -> None:
        """It was told: only then is it not due any more."""
        now_s = 0.0 if self._look is None else self._look.now_s
        if state == "held":
            self._held_s = now_s
            return
        self._told_s = now_s if state == "firing" else None
        self._inherits = False

    def _took_nothing(self, look: Look, first: Look) -> bool:
        waits = look.lag > 0 and look.reached == first.reached
        return self._inherits is None and waits and look.now_s > first.now_s

    def _has_caught_up(self, look: Look, first: Look) -> bool:
        """Of what is blocked nobody sees where it ends; and a new owner has not seen long enough at first."""
        if look.is_blocked:
            return False
        within_s = CAUGHT_UP * self._late_s
        return not look.lag or self.waited_s <= within_s < look.now_s - first.now_s
