"""How far a value is from all that a stream has had, scaled by the stream's range and roughness.

Values are learnt five minutes late, so that an incident does not hide itself; what was told tires.
"""

from math import exp, sqrt

from msgspec import Struct, field

from detectors.dense import Pairs
from detectors.metrics.highest import Highest
from detectors.metrics.known_values import KnownValues
from detectors.metrics.pace import Pace

REST_S = 4 * 3600.0
"""Within this time only what is stranger still is told of."""
WARM_UP_ROWS = 100
FINE = 0.003
"""Values closer than this share of the scale are the same."""
DELAY_S = 300.0
MOST_WAITING = 128
MOMENTS_S = 14 * 86400.0
TIRES, MOST_TIRED, RESTED_S = 2.0, 0.5, 72 * 3600.0
DAMPING, MOST_DEVIATION = 0.1, 100.0


class Novelty(Struct, array_like=True):
    """One stream of values. `deviation`: of the present value, in standard deviations of two weeks."""

    known: KnownValues = field(default_factory=KnownValues)
    waiting: Pairs = field(default_factory=Pairs)
    mean: float = 0.0
    variance: float = 0.0
    roughness: float = 0.0
    previous: float = 0.0
    range: float = 0.0
    deviation: float = 0.0
    fatigue: float = 0.0
    highest: Highest = field(default_factory=Highest)

    def judge(self, value: float, moved: float, gain: float, pace: Pace, most: int) -> float:
        """How new a value is, before it is learnt. `moved`: by how much the whole stream lies elsewhere now.

        `gain`: what the stream's evidence weighs; `most`: values to remember.
        """
        if not pace.rows:
            self.mean = self.previous = value
        scale = self._scale(value)
        self._admit(pace.now - DELAY_S, FINE * scale, most)
        away = self.known.distance(value)
        if moved:
            away = min(away, self.known.distance(value - moved))
        self.deviation = min(MOST_DEVIATION, abs(value - self.mean) / (sqrt(self.variance) + 1e-12))
        return self._tired(gain * away / (scale * (1 + DAMPING * self.deviation)), pace)

    def _scale(self, value: float) -> float:
        self.range = self.known.range()
        scale = sqrt(self.range * self.roughness) or self.range
        return scale or 1e-9 * (1 + abs(value))

    def _admit(self, until: float, apart: float, most: int) -> None:
        """What waited long enough is known."""
        waiting = self.waiting.pairs
        while waiting and waiting[0][0] <= until:
            self.known.add(waiting.pop(0)[1], apart, most)

    def _tired(self, strange: float, pace: Pace) -> float:
        """Less, the more was told lately."""
        self.fatigue *= 0.5 ** (pace.gap / RESTED_S)
        left = strange / (1 + TIRES * self.fatigue)
        if pace.rows >= WARM_UP_ROWS and strange > self.highest.since(pace.now - REST_S):
            self.fatigue += min(strange, MOST_TIRED)
        self.highest.push(pace.now, strange)
        return left

    def learn(self, value: float, pace: Pace) -> None:
        """Takes the value into the moments at once, into the known values later."""
        waiting = self.waiting.pairs
        if len(waiting) >= MOST_WAITING:
            waiting[:] = waiting[::2]
        waiting.append((pace.now, value))
        weight = max(1 / (pace.rows + 1), 1 - exp(-pace.gap / MOMENTS_S))
        change, error = abs(value - self.previous), value - self.mean
        if self.range > 0 and len(self.known.values) >= WARM_UP_ROWS:
            # A huge outlier must not make the stream blind for weeks.
            change, error = min(change, self.range), max(-self.range, min(self.range, error))
        self.roughness += weight * (change - self.roughness)
        self.mean += weight * error
        self.variance = (1 - weight) * (self.variance + weight * error * error)
        self.previous = value
