"""One measure of one part of an agent: minute by minute, and whether it is slow."""

from collections.abc import Sequence
from math import inf

from msgspec import Struct, field

from detectors.contrast import Recent
from detectors.latencies.percentile import Percentile
from detectors.latencies.sketch import Sketch, bin_of
from detectors.latencies.touched import Touched
from detectors.metric import Memory
from schemas.event import Event

FEWEST = 8
"""Operations that make a minute: with fewer it is joined with the next."""
WINDOW, WINDOW_S = 5, 900.0
"""Minutes that a percentile is taken over, and how old they may be."""
SHARES = {"p50": (0.5, 16), "p95": (0.95, 100), "p99": (0.99, 500)}
"""Which percentiles, and of how many operations at least."""
MOST_A_MINUTE = 256
"""Durations taken a minute: later ones are left out."""
SUSPICIOUS = ("p50", "p95")
"""Percentiles that `MetricAnomaly` looks at, …"""
A_DAY = 288
"""… in a series that is not `suspicious` until it has so many quiet values, five minutes apart."""
COMPARED_A_MINUTE = 16
HISTORY = 30
RECOVERY_S = 600.0
ADOPTED_S = 86400.0
"""What is slow for a day is the new normal."""
STALE_S = 900.0
GAPS, HELD_S = 4.0, 3600.0
"""Nothing ends what is slow for so many times as long as its minutes lie apart, an hour at most."""


def held_s(ends: Sequence[float]) -> float:
    """Seconds for which nothing need come of what came at the end of these minutes."""
    apart = (ends[-1] - ends[0]) / max(1, len(ends) - 1)
    return min(HELD_S, max(RECOVERY_S, GAPS * apart))


class Slowdown(Struct, array_like=True):
    """What is slow: which percentile, since when, and when it last was; POSIX seconds."""

    percentile: str
    onset: float
    bad_at: float


class SlowSeries(Struct, array_like=True):
    """`fresh`: durations of the open minute that are not yet in `minute`, and how many more may come.

    `window`: (end of a minute, its durations); `slow_s`: from which duration on an operation is slow;
    `history`: bins of percentiles of the last half hour, in the order of `SHARES`; `suspicious`: whether it
    is asked for good whether it ever did the like.
    """

    minute: Sketch = field(default_factory=Sketch)
    fresh: list[float] = []
    free: int = MOST_A_MINUTE
    began: float = 0.0
    window: list[tuple[float, Sketch]] = []
    closed: int = 0
    percentiles: dict[str, Percentile] = {}
    levels: dict[str, float] = {}
    slow_s: float = inf
    room: int = COMPARED_A_MINUTE
    touched: Touched = field(default_factory=Touched)
    others: Recent = field(default_factory=Recent)
    slowdown: Slowdown | None = None
    history: list[list[int]] = []
    suspicious: bool = True

    def look(self, event: Event, seconds: float) -> None:
        """Counts an operation by its dimensions; the caller looks at `room` first."""
        self.room -= 1
        if seconds >= self.slow_s:
            self.touched.take(event, seconds)
        else:
            self.others.see(event.data)

    @property
    def is_open(self) -> bool:
        """Whether time may change something though nothing is heard."""
        return self.minute.count + len(self.fresh) >= FEWEST or self.slowdown is not None

    @property
    def is_told(self) -> bool:
        """Whether it is slow."""
        return self.slowdown is not None

    @property
    def usual_s(self) -> float:
        """What half of the operations take, as far as it is known."""
        typical = self.percentiles.get("p50")
        return typical.usual if typical is not None else 0.0

    def close(self, began: float, at: float) -> None:
        """Ends the open minute, from `began` to `at`, if it is full enough."""
        self.settle()
        self.room, self.free = COMPARED_A_MINUTE, MOST_A_MINUTE
        if self.minute.count:
            self.began = self.began or began
        if self.minute.count >= FEWEST:
            self._close(self.began, at)
        elif self.minute.count and at - self.began >= (WINDOW_S if self.slowdown is None else HELD_S):
            self.minute, self.began = Sketch(), 0.0
        self._end(at)

    def settle(self) -> None:
        """Counts what is fresh."""
        if self.fresh:
            self.minute.add(self.fresh)
            self.free -= len(self.fresh)
            self.fresh = []
        self.others.settle()

    def _close(self, began: float, at: float) -> None:
        self.touched.total += self.minute.count
        self.touched.count += self.minute.above(self.slow_s)
        kept = [each for each in self.window[1 - WINDOW :] if at - each[0] < WINDOW_S]
        if self.slowdown is not None and not kept:
            kept = self.window[-1:]  # where little comes one alone has too few
        self.window = [*kept, (at, self.minute)]
        self.minute, self.began = Sketch(), 0.0
        self.closed += 1
        self.others.turn(at)
        self.levels = self._measure()
        bins = [bin_of(self.levels.get(name, 0.0)) for name in SHARES]
        self.history = [*self.history[1 - HISTORY :], bins]
        telling = [name for name, level in self.levels.items() if self._judge(name, began, at, level)]
        self._follow(telling, at)

    def draw(self) -> None:
        """Says anew what is worth telling, by what is known."""
        for each in self.percentiles.values():
            each.settle()

    def _measure(self) -> dict[str, float]:
        """Percentiles of the window, those that it has enough operations for."""
        (_, first), *others = self.window
        whole = Sketch(first.bins)
        for _, minute in others:
            whole.join(minute)
        shares = {name: share for name, (share, fewest) in SHARES.items() if whole.count >= fewest}
        return dict(zip(shares, whole.quantiles(*shares.values()), strict=True))

    def _judge(self, name: str, began: float, at: float, level: float) -> bool:
        if name not in self.percentiles:
            self.percentiles[name] = Percentile(Memory() if name in SUSPICIOUS else None)
        return self.percentiles[name].judge(began, at, level)

    def _follow(self, telling: list[str], at: float) -> None:
        """Begins or goes on with what is slow; learns in quiet times, once every five minutes.

        A tail is slow before the median is: where that follows, it is the one to tell of.
        """
        slow = self.slowdown
        if slow is None and telling:
            self.slowdown = Slowdown(telling[0], self.percentiles[telling[0]].above, at)
        elif slow is not None:
            slow.percentile = min([slow.percentile, *telling])
            level = self.levels.get(slow.percentile)
            if level is not None and level >= self.percentiles[slow.percentile].recovered:
                slow.bad_at = at
        elif not any(self.percentiles[name].above for name in self.levels):
            self.touched = Touched()
            if self.closed % WINDOW == 0:
                self._learn()

    def _learn(self) -> None:
        for name, level in self.levels.items():
            self.percentiles[name].learn(level)
            if not self.suspicious and self.percentiles[name].quiet.count >= A_DAY:
                self.percentiles[name].memory = None
        if "p50" in self.percentiles:
            self.slow_s = self.percentiles["p50"].worth or inf

    def _end(self, at: float) -> None:
        """Ends what is slow no more, or for a day, or of which nothing is heard."""
        if self.window and at - self.window[-1][0] >= self._patience_s:
            self.forget()
        slow = self.slowdown
        if slow is None:
            return
        if at - slow.onset >= ADOPTED_S:
            self.adopt()
        elif at - slow.bad_at >= RECOVERY_S and self.window[-1][0] > slow.bad_at:
            self.slowdown, self.touched = None, Touched()

    @property
    def _patience_s(self) -> float:
        """Seconds for which what is known holds though no minute gets full."""
        return STALE_S if self.slowdown is None else held_s([at for at, _ in self.window])

    def forget(self) -> None:
        """Begins anew; what is usual stays."""
        self.minute, self.fresh, self.began, self.window, self.levels = Sketch(), [], 0.0, [], {}
        self.slowdown, self.touched = None, Touched()
        for each in self.percentiles.values():
            each.above = each.suspect = 0.0

    def adopt(self) -> None:
        """What goes on now is normal: learns what is usual anew."""
        self.percentiles, self.slow_s = {}, inf
        self.forget()
