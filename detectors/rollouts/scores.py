"""What of a session is compared: scores in [-3, 3], and the alternatives that each is tried against.

A score may be any function of a session's value, of the values in its block without their labels, and of
earlier blocks: then a block's e-value holds. So a scale that is wrong costs power, never validity.
"""

from collections.abc import Collection
from math import exp, inf, isfinite, log, nan, sqrt
from typing import Literal

import numpy as np
from msgspec import Struct

from detectors.dense import Number
from detectors.rollouts.blocks import Labels, Numbers

Kind = Literal["binary", "positive"]
BOUND = 3.0
ALTERNATIVES = 24
LOG_ODDS: Numbers = np.geomspace(0.1, 3.0, ALTERNATIVES)
"""How much worse a binary metric may be: log odds ratios."""
TRIVIAL, PLAIN = 0.25, 1.5
_USUAL = np.where((LOG_ODDS >= TRIVIAL) & (LOG_ODDS <= PLAIN), 1.0, 0.5)
LOG_STAKES: Numbers = np.log(_USUAL / _USUAL.sum())
"""The stake on each: double on the harm that a rollout usually does, neither trivial nor plain at once."""
DEVIATIONS: Numbers = np.geomspace(0.05, 1.5, ALTERNATIVES)
"""How much worse a positive metric may be: log odds per standard deviation of its logarithm."""
LOCAL = slice(1, None, 4)
"""Every fourth alternative tells one stratum from another."""
SHIFTS: Numbers = np.array((0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 1.0, 1.4))
"""Shifts of a positive metric's logarithm that its interval is made of, up and down."""
SHIFT_DEVIATIONS: Numbers = DEVIATIONS[::4]
NORMAL_TAIL, NORMAL_DENSITY = 2.326, 0.0267
"""What one in a hundred of a normal distribution exceeds, in standard deviations; its density there."""
TAIL = 0.01
LEARNT, REMEMBERED = 20, 2000
SMALLEST, LARGEST = 1e-6, 709.0
"""The least spread of logarithms, and the logarithm that is still told."""


class Scale(Struct, array_like=True):
    """How control's logarithms lie in a stratum: mean, spread, and what one in a hundred exceeds."""

    count: Number = 0
    mean: Number = 0
    squares: Number = 0
    high: Number = 0

    @property
    def spread(self) -> float:
        """Standard deviation; never 0."""
        return max(SMALLEST, sqrt(self.squares / max(1.0, self.count)))

    def learn(self, logs: Numbers) -> None:
        """Control's values of a block that is over. The last two thousand count."""
        if not len(logs):
            return
        if self.count:
            # Robbins and Monro's step for a quantile where a normal tail has its density.
            over = float((logs > self.high).sum()) - TAIL * len(logs)
            self.high += over * self.spread / (NORMAL_DENSITY * (self.count + REMEMBERED))
        kept = min(self.count, REMEMBERED)
        fade = kept / self.count if self.count else 0.0
        mean, step = float(logs.mean()), len(logs)
        apart = mean - self.mean
        self.count = kept + step
        self.mean += apart * step / self.count
        self.squares = (
            self.squares * fade + float(((logs - mean) ** 2).sum()) + apart**2 * kept * step / self.count
        )
        if not kept:
            self.high = self.mean + NORMAL_TAIL * self.spread

    def of(self, logs: Numbers) -> "Scale":
        """This scale or, while little is learnt, that of the block itself."""
        if self.count >= LEARNT:
            return self
        own = Scale()
        own.learn(logs)
        return own


class Binary:
    """Bad or not: 49 log odds ratios, the margin in the middle. `effects`: log odds ratios, rising."""

    unit, scaled = "odds ratio", False
    width = 2 * ALTERNATIVES + 1
    local = len(LOG_ODDS[LOCAL])

    def __init__(self, margin: float) -> None:
        """`margin`: the odds ratio that is still no worse, above 1."""
        self.odds = np.concatenate([-LOG_ODDS[::-1], [log(margin)], LOG_ODDS])
        self._better = self.odds < log(margin)
        self._order = np.argsort(self.odds, kind="stable")
        self.effects = self.odds[self._order]

    @staticmethod
    def read(value: float) -> float:
        """How bad, in [0, 1]; NaN for what is no number."""
        return min(1.0, max(0.0, value)) if isfinite(value) else nan

    @staticmethod
    def mean(value: float) -> float:
        """A mean of what was read, as it is told."""
        return value

    def tilts(self, values: Numbers, canary: Labels, scale: Scale) -> Numbers:
        """A row a session, a column an alternative."""
        del canary, scale
        return np.outer(values, self.odds)

    @staticmethod
    def worse(logs: Numbers) -> float:
        """Logarithm of the evidence that the canary is worse."""
        return float(np.logaddexp.reduce(logs[-ALTERNATIVES:] + LOG_STAKES))

    @staticmethod
    def part(logs: Numbers) -> Numbers:
        """What is kept of a block for its stratum."""
        return logs[-ALTERNATIVES:][LOCAL]

    @staticmethod
    def worse_here(logs: Numbers) -> float:
        """Logarithm of the evidence of one stratum, of `part`s."""
        return log_mean(logs)

    def fit(self, logs: Numbers) -> float:
        """Logarithm of the evidence that the canary is better than the margin."""
        return log_mean(logs[self._better]) - float(logs[ALTERNATIVES])

    def doubts(self, logs: Numbers) -> Numbers:
        """Logarithm of the evidence against each of `effects`."""
        return log_mean(logs) - logs[self._order]


class Positive:
    """A positive amount: its standardised logarithm, whether it is in control's top hundredth, and shifts.

    A shift d is tried by taking it from the canaries' logarithms: if they are control's shifted by d, what is
    left is exchangeable, whatever the distribution. `effects`: shifts, rising.
    """

    unit, scaled = "ratio", True
    shift_columns = 2 * len(SHIFT_DEVIATIONS)
    local = 2 * len(DEVIATIONS[LOCAL])
    own, tail = 0.7, 0.3

    def __init__(self, margin: float) -> None:
        """`margin`: the ratio that is still no worse, above 1."""
        self.shifts = np.concatenate([-SHIFTS[::-1], [0.0], SHIFTS, [log(margin)]])
        self.width = 2 * ALTERNATIVES + len(self.shifts) * self.shift_columns
        both = np.concatenate([-SHIFT_DEVIATIONS, SHIFT_DEVIATIONS])
        self._tried = np.tile(both, len(self.shifts))
        self.effects = self.shifts[:-1]

    @staticmethod
    def read(value: float) -> float:
        """The logarithm; NaN for what has none."""
        return log(value) if 0 < value < inf else nan

    @staticmethod
    def mean(value: float) -> float:
        """A mean of what was read, as it is told."""
        return exp(min(value, LARGEST))

    def tilts(self, values: Numbers, canary: Labels, scale: Scale) -> Numbers:
        """A row a session, a column an alternative. `values`: logarithms."""
        known = scale.of(values)
        own = (values - known.mean) / known.spread
        deviations = np.outer(np.clip(own, -BOUND, BOUND), DEVIATIONS)
        tails = np.outer(values > known.high, LOG_ODDS)
        # Against a shift it is the shifted values that may be scaled by their block, not these.
        shifted = np.zeros((len(values), len(self.shifts)))
        if known is scale:
            shifted = own[:, None] - np.outer(canary, self.shifts / known.spread)
            np.clip(shifted, -BOUND, BOUND, out=shifted)
        tried = np.repeat(shifted, self.shift_columns, axis=1) * self._tried
        return np.concatenate([deviations, tails, tried], axis=1)

    def worse(self, logs: Numbers) -> float:
        """Logarithm of the evidence that the canary is worse."""
        return self._mixed(logs[:ALTERNATIVES], logs[ALTERNATIVES : 2 * ALTERNATIVES])

    @staticmethod
    def part(logs: Numbers) -> Numbers:
        """What is kept of a block for its stratum."""
        own, tail = logs[:ALTERNATIVES], logs[ALTERNATIVES : 2 * ALTERNATIVES]
        return np.concatenate([own[LOCAL], tail[LOCAL]])

    def worse_here(self, logs: Numbers) -> float:
        """Logarithm of the evidence of one stratum, of `part`s."""
        half = len(logs) // 2
        return self._mixed(logs[:half], logs[half:])

    def _mixed(self, own: Numbers, tail: Numbers) -> float:
        return log_sum((log(self.own) + log_mean(own), log(self.tail) + log_mean(tail)))

    def fit(self, logs: Numbers) -> float:
        """Logarithm of the evidence that, with the margin taken from it, the canary is below control."""
        margin = logs[-self.shift_columns :]
        return log_mean(margin[: len(SHIFT_DEVIATIONS)])

    def doubts(self, logs: Numbers) -> Numbers:
        """Logarithm of the evidence against each of `effects`."""
        tried = logs[2 * ALTERNATIVES : -self.shift_columns].reshape(-1, self.shift_columns)
        against: Numbers = np.logaddexp.reduce(tried, axis=1) - log(self.shift_columns)
        return against


def score_of(kind: Kind, margin: float) -> Binary | Positive:
    """The score of a metric.

    Raises:
        ValueError: of another kind, or with a margin that nothing could stay under.
    """
    if kind not in {"binary", "positive"}:
        raise ValueError(f"a metric must be binary or positive, found {kind!r}")
    if not margin > 1:
        raise ValueError(f"a margin must be above 1, found {margin}")
    return Binary(margin) if kind == "binary" else Positive(margin)


def log_sum(logs: Collection[float]) -> float:
    """Logarithm of the sum of exp, of a few."""
    top = max(logs)
    return top + log(sum(exp(each - top) for each in logs))


def log_mean(logs: Numbers) -> float:
    """Logarithm of the mean of exp, safe however large they are."""
    return float(np.logaddexp.reduce(logs)) - log(len(logs))
