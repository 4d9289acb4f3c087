"""Evidence that values no longer fall into the cells of their reference as often as they did.

The cells are the values of a category, or stretches of a number's range. For each change that is looked for,
the ratio of the cells' shares after it to those of the reference is a betting score whose mean over the
reference is 1: an e-value (Vovk & Wang 2021). The recursion of Shiryaev and Roberts sums it up over all times
at which the change may have come (an e-detector; Shin, Ramdas & Rinaldo 2023): on values like the reference
it takes at least as many of them as its threshold says, on average, until that is reached. Two changes more
are learnt from the last values, before the next one comes.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shares = NDArray[np.float64]

HALF_LIVES = (60, 250)
"""Values after which one counts half in what is learnt."""
TOGETHER = 16
"""Values after which it is learnt anew."""
_PRIOR = 20.0
"""Values like the reference that are taken to have come besides."""
_MIXED = 0.5
"""Share of the values that what is learnt is taken to concern."""
_WEIGHT = 0.3
"""Of what is learnt, of all."""
_ERRORS = 1.0
"""Standard errors by which an e-value is lowered, since the reference is finite …"""
_DOUBT = 0.7
"""… and what is learnt by so much a cell over the reference's size: the reference's error is learnt too."""
_DECAYS = np.array([[0.5 ** (1 / each)] for each in HALF_LIVES])
_AGES = _DECAYS ** np.arange(TOGETHER - 1, -1, -1)


class Cells(Struct, frozen=True):
    """A reference of `size` values: the share `seen` of each cell; `usual`: the same, and none impossible.

    `changes`: the cells' shares after each change that is looked for, and `weights` of these, in proportion.
    """

    size: int
    seen: Sequence[float]
    usual: Sequence[float]
    changes: Sequence[Sequence[float]]
    weights: Sequence[float]


class Saved(Struct, array_like=True):
    """The state: columns as bytes. `sums`: the recursion's; `counts`: of the last values by cell."""

    sums: bytes
    counts: bytes
    waiting: bytes


class CellEvidence:
    """The evidence of one field."""

    __slots__ = ("_counts", "_gains", "_shares", "_size", "_starts", "_sums", "_usual", "_waiting")

    def __init__(self, cells: Cells, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._size = cells.size
        self._usual = np.array(cells.usual)
        self._shares = np.array([cells.usual, cells.seen])
        fixed, learnt = len(cells.changes), len(HALF_LIVES)
        scale = (1 - _WEIGHT) / sum(cells.weights)
        weights = [each * scale for each in cells.weights] + [_WEIGHT / learnt] * learnt
        self._starts: Floats = np.array(weights, np.float32)
        self._gains: Floats = np.zeros((len(cells.usual), fixed + learnt), np.float32)
        for at, change in enumerate(cells.changes):
            self._gains[:, at] = self._gain(np.array(change), 0.0)
        self._waiting = bytearray(saved.waiting if saved else b"")
        self._sums: Floats = np.zeros(fixed + learnt, np.float32)
        self._counts: Floats = np.zeros((learnt, len(cells.usual)), np.float32)
        if saved:
            self._sums = np.frombuffer(saved.sums, np.float32)
            self._counts = np.frombuffer(saved.counts, np.float32).reshape(learnt, -1)
        self._learn()

    def _gain(self, after: Shares, doubt: float) -> Shares:
        """E-values by cell, lowered by the error that their mean may have over such a reference."""
        ratio = after / self._usual
        means = self._shares @ ratio
        variance = max(0.0, float(self._usual @ (ratio * ratio) - means[0] ** 2))
        lowered: Shares = ratio / (means.max() + doubt + _ERRORS * sqrt(variance / self._size))
        return lowered

    def _learn(self) -> None:
        doubt = _DOUBT * len(self._usual) / self._size
        for at, counts in enumerate(self._counts, len(self._starts) - len(HALF_LIVES)):
            shares = (counts + _PRIOR * self._usual) / (float(counts.sum()) + _PRIOR)
            self._gains[:, at] = self._gain(self._usual + _MIXED * (shares - self._usual), doubt)

    def take(self, cell: int) -> float:
        """One value, by its cell; returns the evidence: the weighted mean of the sums."""
        self._sums = (self._sums + self._starts) * self._gains[cell]
        self._waiting.append(cell)
        if len(self._waiting) == TOGETHER:
            cells = np.frombuffer(bytes(self._waiting), np.uint8)
            came = np.array([np.bincount(cells, ages, len(self._usual)) for ages in _AGES])
            self._counts = (self._counts * _DECAYS**TOGETHER + came).astype(np.float32)
            self._waiting.clear()
            self._learn()
        return float(self._sums.sum())

    def forget(self) -> None:
        """Begins anew."""
        self._sums = np.zeros_like(self._sums)
        self._counts = np.zeros_like(self._counts)
        self._waiting.clear()
        self._learn()

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._sums.tobytes(), self._counts.tobytes(), bytes(self._waiting))
