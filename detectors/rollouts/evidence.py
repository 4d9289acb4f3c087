"""The evidence on one metric so far: of all strata together, and of each."""

from math import exp, inf, log

import numpy as np
from msgspec import Struct

from detectors.dense import Number
from detectors.rollouts.blocks import Labels, Numbers
from detectors.rollouts.scores import Binary, Positive, log_sum
from detectors.rollouts.stakes import Stakes

UNSURE = log(20.0)
"""An effect is ruled out while the evidence against it is 20: the true one never is, with 95 %."""

ALL = 0.8
"""The part of the stake that is on the canary being worse in all strata; the rest is on single strata."""


class Effect(Struct, frozen=True):
    """How the canary differs: an `odds ratio` or a `ratio`, with an interval that holds at any time.

    `canary`, `control`: the share that is bad or the geometric mean, weighted alike over strata and time;
    None without both arms. An end that nothing rules out is 0 or infinite.
    """

    unit: str
    low: float
    high: float
    canary: float | None
    control: float | None


class Saved(Struct, array_like=True):
    """An `Evidence`, numbers as the bytes of 32-bit floats, none where all are 0.

    `told`: the strata that `parts` are of, a byte each; once they were of all.
    """

    logs: bytes
    parts: bytes
    stakes: Stakes
    means: list[Number]
    told: bytes | None = None


class Evidence:
    """Logarithms of likelihood ratios by alternative; for some of them by stratum too."""

    def __init__(self, score: Binary | Positive) -> None:
        self.score = score
        self.logs: Numbers = np.zeros(score.width)
        self._parts: list[Numbers] = []
        self._stakes = Stakes()
        self._means: list[Number] = [0, 0, 0]
        self._draw()

    def _draw(self) -> None:
        """What follows from the likelihoods so far."""
        self.doubts = self.score.doubts(self.logs)
        self.everywhere = self.score.worse(self.logs)
        self.fit = self.score.fit(self.logs)
        """Logarithm of the evidence that the canary is within its margin."""

    def enter(self) -> None:
        """A further stratum."""
        self._stakes.enter()
        self._parts.append(np.zeros(self.score.local))

    def add(self, stratum: int, logs: Numbers) -> None:
        """What a block of a stratum says."""
        self.logs = _kept(self.logs + logs)
        self._draw()
        self._parts[stratum] = _kept(self._parts[stratum] + self.score.part(logs))
        self._stakes.won[stratum] = self.score.worse_here(self._parts[stratum])

    def weigh(self, values: Numbers, canary: Labels) -> None:
        """A block's means by arm, with the weight of Mantel and Haenszel."""
        count, canaries = len(values), int(canary.sum())
        weight = canaries * (count - canaries) / count if count else 0.0
        if weight:
            theirs = float(values[canary].sum())
            self._means[0] += weight
            self._means[1] += weight * theirs / canaries
            self._means[2] += weight * (float(values.sum()) - theirs) / (count - canaries)

    @property
    def seen(self) -> bool:
        """Whether sessions of both arms ever had it."""
        return self._means[0] > 0

    @property
    def worse(self) -> float:
        """Logarithm of the evidence that the canary is worse: mostly in all strata, else in one of them."""
        return log_sum((log(ALL) + self.everywhere, log(1 - ALL) + self._stakes.total))

    @property
    def where(self) -> int | None:
        """The stratum that says more than all together do, or None where they agree or there is only one."""
        if len(self._parts) < 2:  # noqa: PLR2004 - of one stratum nothing stands out
            return None
        best = self._stakes.best
        return best if self._stakes.won[best] > self.everywhere else None

    @property
    def effect(self) -> Effect:
        """The effects that are not ruled out, and the next on either side."""
        effects = self.score.effects
        best = int(self.doubts.argmin())
        out = self.doubts >= UNSURE
        below = effects[:best][out[:best]]
        above = effects[best + 1 :][out[best + 1 :]]
        weight, canary, control = self._means
        mean = self.score.mean
        return Effect(
            unit=self.score.unit,
            low=exp(below[-1]) if len(below) else 0.0,
            high=exp(above[0]) if len(above) else inf,
            canary=mean(canary / weight) if weight else None,
            control=mean(control / weight) if weight else None,
        )

    def save(self) -> Saved:
        """What `load` takes."""
        parts = np.array(self._parts).reshape(-1, self.score.local)
        told = np.flatnonzero(parts.any(axis=1))
        logs = _bytes(self.logs) if self.logs.any() else b""
        return Saved(logs, _bytes(parts[told]), self._stakes, self._means, bytes(told.tolist()))

    def load(self, saved: Saved) -> None:
        """Continues from what was saved."""
        if saved.logs:
            self.logs = _read(saved.logs)
        count = len(saved.stakes.entered)
        self._parts = [np.zeros(self.score.local) for _ in range(count)]
        told = range(count) if saved.told is None else saved.told
        for place, part in zip(told, _read(saved.parts).reshape(-1, self.score.local), strict=True):
            self._parts[place] = part
        self._stakes, self._means = saved.stakes, saved.means
        self._draw()


def _kept(numbers: Numbers) -> Numbers:
    """To the precision that is saved, so that a restart changes nothing."""
    return numbers.astype(np.float32).astype(np.float64)


def _read(kept: bytes) -> Numbers:
    return np.frombuffer(kept, np.float32).astype(np.float64)


def _bytes(numbers: Numbers) -> bytes:
    return numbers.astype(np.float32).tobytes()
