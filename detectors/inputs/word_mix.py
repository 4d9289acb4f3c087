"""Learns which words became more, or less, frequent of late, and how much a text is of that kind.

The weight of a word is the logarithm of its recent share of texts to the reference's, shrunk where little is
known. A reference's text is scored as if it were not in it (leave one out), so that its rank among them
is calibrated whatever was learnt: a text's weights were learnt before it came.
"""

from array import array
from collections.abc import Sequence
from math import sqrt
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from detectors.inputs.text_reading import Reading
from detectors.inputs.text_reference import OTHERS, Scored, TextReference
from detectors.inputs.word_rates import MOST_NEW, Floats, Saved, WordRates

_SCALE = 500
"""Weights are kept as whole numbers of 1/500: sums are exact, and 38 times the largest fits in 16 bits."""
_MOST = 6.0
_PRIOR = 30.0
"""Texts of the reference's kind that are taken to have come besides."""
_DOUBT = 2.0
"""A word that occurred, or should have, so many times counts half."""
_NOTHING = bytes(2)
"""A weight of 0, behind all others (at -1)."""


class WordMix:
    """The recent mix of words beside the reference's; a channel each half-life."""

    __slots__ = ("_reference", "_roots", "_rows", "_starts", "_usual", "_weights", "rates", "tables")

    def __init__(self, reference: TextReference, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._reference, fixed = reference, reference.fixed
        self.rates = WordRates(reference, saved)
        known, whole = reference.known, reference.size + 1
        frequencies = np.zeros(known + OTHERS + 1 + MOST_NEW)
        frequencies[:known] = reference.frequencies
        frequencies[known : known + OTHERS] = np.array(fixed.shares) * reference.size
        left_out = np.maximum(frequencies[: known + OTHERS + 1] - 1, 0)
        usual = (np.concatenate((frequencies, left_out)) + 0.5) / whole
        self._usual: Floats = usual.astype(np.float32)
        self._rows = np.frombuffer(fixed.rows, np.uint16).astype(np.intp)
        widths = np.frombuffer(fixed.widths, np.uint8).astype(np.intp)
        self._starts = np.concatenate(([0], np.cumsum(widths[:-1])))
        self._roots = np.sqrt(widths)
        self._weights: list[array[int]] = []
        self.tables: list[array[int]] = []
        self._learn()

    def _learn(self) -> None:
        """Weights of what comes, and with those of the reference's texts, each left out, the tables."""
        counts = self.rates.counts
        width = counts.shape[1]
        twice = np.concatenate((counts, counts[:, : len(self._usual) - width]), axis=1)
        weights = _weights(twice, np.array(self.rates.totals)[:, np.newaxis], self._usual)
        self._weights = [array("h", row.tobytes() + _NOTHING) for row in weights[:, :width]]
        scores = np.rint(self._summed(*weights[:, width:].astype(np.int64)) / self._roots).astype(np.int16)
        scores.sort(kind="stable")
        self.tables = [array("h", row.tobytes()) for row in scores]

    def _summed(self, short: NDArray[np.int64], long: NDArray[np.int64]) -> NDArray[np.int64]:
        """Weights of each of the reference's texts; both in one number, as summing up is what takes long."""
        both = np.add.reduceat(((short << 32) + long).take(self._rows), self._starts)
        low = both.astype(np.int32)
        return np.stack((both - low >> 32, low))

    def scores(self, places: Sequence[int]) -> tuple[int, int]:
        """How much a text is of the kind that became more frequent, for each half-life."""
        root, chosen = sqrt(len(places)), itemgetter(-1, *places)  # a single one would give no tuple
        short, long = self._weights
        one, two = sum(chosen(short)), sum(chosen(long))
        return round(one / root), round(two / root)

    def places(self, reading: Reading, scored: Scored) -> list[int]:
        """Where a text's properties are counted."""
        return self.rates.places(reading, scored, self._reference.others(reading))

    def take(self, places: Sequence[int]) -> None:
        """Counts one text."""
        if self.rates.take(places):
            self._learn()

    def save(self) -> Saved:
        """The state exactly; weights follow from it."""
        return self.rates.save()


def _weights(counts: Floats, totals: NDArray[np.float64], usual: Floats) -> NDArray[np.int16]:
    known = counts + (2 * totals).astype(np.float32) * usual
    ratio = np.log((counts / usual + np.float32(_PRIOR)) / (totals + _PRIOR).astype(np.float32))
    weights = np.minimum(np.float32(_MOST), ratio * known / (known + np.float32(_DOUBT)))
    whole: NDArray[np.int16] = np.rint(weights * np.float32(_SCALE)).astype(np.int16)
    return whole
