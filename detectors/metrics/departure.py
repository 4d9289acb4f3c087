"""Clear departures from the daily wave that last: found each time they come, for they are not learnt.

What stays for six hours is the new normal: then the wave moves, and what departs no further is no news.
"""

from math import inf
from typing import NamedTuple

from msgspec import Struct, field

from detectors.dense import Column
from detectors.metrics.daily_wave import DAY_S, DailyWave
from detectors.metrics.pace import Pace

LASTS_S, FEWEST, MOST = 600.0, 3, 15
"""A departure is ten minutes of values beyond the limit, at least 3 and at most 15 values."""
TIMES_USUAL, SPREADS, RANGES = 2.5, 4.5, 0.05
"""The limit: 2.5 times the largest that was no departure, 4.5 standard deviations, 5 % of the range."""
FORGETS_S = 14 * DAY_S
WARM_UP_S = 1.5 * DAY_S
STAYS_S = 6 * 3600.0
OVER_S = 3600.0
NEAR = 0.5
"""A value belongs to a departure from this share of its size on; it is over an hour after the last."""
WORSE = 1.5
MOVED_S = DAY_S
"""For so long after the wave has moved a value is known if it was before, as much lower or higher."""
MOST_AVERAGED = 250


class Residual(NamedTuple):
    """A value against the wave: `error` is None while nothing is known to expect; `range` of the series."""

    hour: float
    value: float
    error: float | None
    range: float


class Held(Struct, array_like=True):
    """A departure that lasts: since when and until when, in the series' seconds; `size` with its `sign`."""

    since: float
    last: float
    size: float
    sign: float
    score: float
    total: float
    count: int = 1


class Departure(Struct, array_like=True):
    """`usual`: the largest lasting residual that was no departure, slowly forgotten."""

    wave: DailyWave = field(default_factory=DailyWave)
    recent: Column = field(default_factory=Column)
    usual: float = 0.0
    held: Held | None = None
    moved_by: float = 0.0
    moved_until: float = 0.0

    def moved(self, now: float) -> float:
        """By how much the series lies elsewhere than it did."""
        if self.held is not None:
            return self.held.total / self.held.count
        return self.moved_by if now < self.moved_until else 0.0

    def judge(self, at: Residual, pace: Pace) -> tuple[float, float]:
        """(score, sign): 1 and more where a departure begins or grows by half; then learns the value."""
        error = at.error or 0.0
        self.recent.values = [] if at.error is None else [*self.recent.values[1 - MOST :], error]
        self.usual *= 0.5 ** (pace.gap / FORGETS_S)
        size, sign = self._lasting(pace.step)
        limit = max(TIMES_USUAL * self.usual, SPREADS * self.wave.spread, RANGES * at.range)
        score = size / limit if limit and pace.now >= WARM_UP_S else 0.0
        if self.held is not None:
            return self._go_on(self.held, at, score, pace), sign
        if score >= 1:
            self.held = Held(pace.now, pace.now, size, sign, score, error)
        else:
            self.usual = max(self.usual, size)
            self._learn(at, at.error, pace)
        return score, sign

    def _lasting(self, step: float) -> tuple[float, float]:
        """What all of the last ten minutes exceed, and to which side."""
        count = max(FEWEST, min(MOST, round(LASTS_S / step)))
        if len(self.recent.values) < count:
            return 0.0, 0.0
        last = self.recent.values[-count:]
        up, down = min(last), -max(last)
        return max(0.0, up, down), 1.0 if up > down else -1.0

    def _go_on(self, held: Held, at: Residual, score: float, pace: Pace) -> float:
        """The value after others of a departure: part of it, or after its end."""
        error = at.error or 0.0
        near = held.sign * error >= NEAR * held.size
        if near:
            held.last = pace.now
        if held.count < MOST_AVERAGED:
            held.total += error
            held.count += 1
        if pace.now - held.since >= STAYS_S:
            self._adopt(held, at, pace)
            return 0.0
        if not near:
            self._learn(at, at.error, pace)
        if pace.now - held.last >= OVER_S:
            self.held = None
        elif score > WORSE * held.score:
            held.score = score
            return score
        return 0.0

    def _adopt(self, held: Held, at: Residual, pace: Pace) -> None:
        """It stayed: the wave lies there from here on."""
        by = self.moved(pace.now)
        self.wave.move(by)
        self.usual, self.recent, self.held = max(self.usual, held.size), Column(), None
        self.moved_by, self.moved_until = by, pace.now + MOVED_S
        self._learn(at, None if at.error is None else at.error - by, pace)

    def _learn(self, at: Residual, error: float | None, pace: Pace) -> None:
        limit = max(SPREADS * self.wave.spread, RANGES * at.range) if pace.now > DAY_S else inf
        clipped = None if error is None else max(-limit, min(limit, error))
        self.wave.learn(at.hour, at.value, clipped, pace)
