"""Anomalies of a single series of numbers: cost per interaction, latency, rates, scores.

Three looks at each value, all strictly causal and with one configuration for every series: how *new* it is
(far from every value seen, by itself and against its hour of day), whether it is far off as a *witness*, and
whether it *departs* clearly from the daily wave for ten minutes. What is new is learnt and not told again; a
departure is not learnt unless it stays, so that the same incident is found again the next day.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf, isfinite, sqrt
from typing import ClassVar, Literal, Self

from msgspec import Struct, field

from detectors.dense import Column, decoded, encoded
from detectors.metrics.daily_wave import DAY_S, HOURS
from detectors.metrics.departure import Departure, Residual
from detectors.metrics.highest import Highest
from detectors.metrics.novelty import REST_S, WARM_UP_ROWS, Novelty
from detectors.metrics.pace import Pace

Direction = Literal["up", "down", "both"]
_SIGNS: Mapping[Direction, tuple[float, ...]] = {"up": (1.0,), "down": (-1.0,), "both": (1.0, -1.0)}

REMEMBERED = 2048
"""Distinct values remembered of a series, twice: 8 bytes each when saved."""
LARGEST = 1e150
"""Values beyond are taken as this, so that no square overflows."""
SILENT_ROWS = 30
SEASON_WEIGHT, SEASON_BLEND, SEASON_FEWEST = 0.09, 0.3, 3
"""The hour's level: its share in the evidence, what a value weighs in it, values before it counts."""
STEP_POWER = 0.25
"""Evidence grows with this power of the step: incidents are counted by hours, not by rows."""
WITNESS = 3.0
"""Standard deviations of two weeks from which on a value is far off; by Chebyshev, times the root of the
step, the root of how often that can be."""
GATE = 5.0
"""Standard deviations about the daily wave from which on a value is far off."""
FIRST_DAY = 0.8
"""Before the daily wave is known two values in a row must be far off, and by so much count as less."""
TOLD = 0.5
"""How much a level that moved for good tires."""
FORMAT = 1


class Memory(Struct, array_like=True):
    """Everything that a detector knows. `told`: when it last gave an alarm, in the series' seconds."""

    format: int = FORMAT
    pace: Pace = field(default_factory=Pace)
    level: Novelty = field(default_factory=Novelty)
    season: Novelty = field(default_factory=Novelty)
    hours: Column = field(default_factory=lambda: Column([0.0] * HOURS))
    counts: list[int] = field(default_factory=lambda: [0] * HOURS)
    highest: Highest = field(default_factory=Highest)
    departure: Departure = field(default_factory=Departure)
    told: float = -inf


class MetricAnomaly:
    """One series of numbers: an alarm is a score at or above `threshold`.

    `direction`: which way a value must lie to be told of; what lies the other way scores 0 and is learnt all
    the same. `remembered`: distinct values to remember; fewer than 512 cost precision. `memory`: goes on from
    it, in place, for those who keep the state of many series together.

    >>> from datetime import timedelta
    >>> watch, at = MetricAnomaly(direction="up"), datetime(2026, 1, 1, tzinfo=UTC)
    >>> quiet = [watch.score_one(at + n * timedelta(minutes=5), 10 + n % 3) for n in range(1000)]
    >>> max(quiet[300:]) < watch.threshold <= watch.score_one(at + timedelta(minutes=5000), 40)
    True
    """

    threshold: ClassVar[float] = 0.04

    __slots__ = ("_memory", "_remembered", "_signs")

    def __init__(
        self, direction: Direction = "both", remembered: int = REMEMBERED, memory: Memory | None = None
    ) -> None:
        self._signs = _SIGNS[direction]
        self._remembered = remembered
        self._memory = Memory() if memory is None else memory

    def score_one(self, time: datetime, value: float) -> float:
        """How anomalous the value is, given all before it, at least 0; then learns it.

        A value that is not finite scores 0 and is not learnt. `time` without a zone is UTC; the hour of day
        is its own. Times that go back a little count as now; a clock that was set goes on from there.
        """
        if not isfinite(value):
            return 0.0
        value = max(-LARGEST, min(LARGEST, value))
        memory = self._memory
        pace = memory.pace
        pace.move((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
        hour = time.hour + (time.minute + (time.second + time.microsecond / 1e6) / 60) / 60
        expected = memory.departure.wave.expected(hour)
        error = None if expected is None else value - expected
        aside = self._season(int(hour), value)
        new = self._new(value, aside, error)
        score = self._told(new, Residual(hour, value, error, memory.level.range))
        memory.level.learn(value, pace)
        memory.season.learn(aside, pace)
        self._learn_season(int(hour), value)
        pace.rows += 1
        return score

    def _season(self, hour: int, value: float) -> float:
        """The value less what is usual at this hour of day, as of yesterday; 0 while that is not known."""
        memory = self._memory
        return value - memory.hours.values[hour] if memory.counts[hour] >= SEASON_FEWEST else 0.0

    def _learn_season(self, hour: int, value: float) -> None:
        memory = self._memory
        memory.counts[hour] += 1
        weight = max(1 / memory.counts[hour], SEASON_BLEND)
        hours = memory.hours.values
        hours[hour] += weight * (value - hours[hour])

    def _new(self, value: float, aside: float, error: float | None) -> float:
        """How new the value is, as far as it is also far off."""
        memory = self._memory
        pace, level = memory.pace, memory.level
        before = level.deviation
        moved = memory.departure.moved(pace.now)
        gain = pace.rate**STEP_POWER * pace.rows / (pace.rows + WARM_UP_ROWS)
        new = level.judge(value, moved, gain, pace, self._remembered)
        new += memory.season.judge(aside, moved, SEASON_WEIGHT * gain, pace, self._remembered)
        side = value - level.mean if error is None else error
        if pace.rows < SILENT_ROWS or (1.0 if side >= 0 else -1.0) not in self._signs:
            return 0.0
        witness = sqrt(min(1.0, level.deviation * sqrt(pace.rate) / WITNESS))
        off = FIRST_DAY * min(before, level.deviation)
        if error is not None and pace.now > DAY_S:
            off = self._off(error)
        return new * witness * min(1.0, off / GATE) ** 2

    def _off(self, error: float) -> float:
        """How far off the daily wave, in standard deviations."""
        spread = self._memory.departure.wave.spread
        return abs(error) / spread if spread else GATE * (error != 0)

    def _told(self, new: float, residual: Residual) -> float:
        """The score, of which all that says nothing new within four hours is left out."""
        memory = self._memory
        pace, departure = memory.pace, memory.departure
        highest = memory.highest.since(pace.now - REST_S)
        memory.highest.push(pace.now, new)
        score = new if new > highest else 0.0
        stayed = departure.moved_until
        strength, sign = departure.judge(residual, pace)
        if departure.moved_until > stayed:
            memory.level.fatigue += TOLD
            memory.season.fatigue += TOLD
        if departure.held is not None and score < departure.held.score * self.threshold:
            score = 0.0
        rests = strength >= 1 and pace.now - memory.told < REST_S
        if sign in self._signs and not rests:
            score = max(score, strength * self.threshold)
        if score >= self.threshold:
            memory.told = pace.now
        return score

    def save(self) -> bytes:
        """The whole state, at most 60 kB of msgpack."""
        return encoded(self._memory)

    @classmethod
    def load(cls, saved: bytes, direction: Direction = "both", remembered: int = REMEMBERED) -> Self:
        """Continues exactly where `save` left it.

        Raises:
            ValueError: it is of a format that is not known.
        """
        memory = decoded(saved, Memory)
        if memory.format != FORMAT:
            raise ValueError(f"state of a metric has format {memory.format}, expected {FORMAT}")
        return cls(direction, remembered, memory)
