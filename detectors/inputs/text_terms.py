"""Which words the last texts hold more, or less, often than the reference: the terms of an explanation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.inputs.text_reference import TextReference
from detectors.inputs.word_rates import WordRates
from detectors.redaction import redact
from schemas.signal import Contributor

TELLING = 8.0
"""Likelihood ratio statistic (G) from which on a term is told."""
_HIGHEST_LIFT = 1000.0
_TINY = 1e-12

Floats = NDArray[np.float64]


def _told(seen: Floats, usual: Floats) -> Floats:
    """The part of G per text that one outcome has."""
    return seen * np.log(np.maximum(seen, _TINY) / usual)


def moved(
    rates: WordRates, reference: TextReference, patterns: Sequence[str], most: int
) -> tuple[Contributor, ...]:
    """The terms that moved most over either half-life (by G); a lift above 1: more frequent than before."""
    names = reference.fixed.names | rates.names
    places = np.fromiter(names, np.intp, len(names))
    frequencies = np.zeros(len(rates.counts[0]))
    frequencies[: reference.known] = reference.frequencies
    usual = (frequencies[places] + 0.5) / (reference.size + 1)
    counts, totals = rates.latest()
    best: dict[str, tuple[float, float, float]] = {}
    for row, total in zip(counts, totals, strict=True):
        shares = np.minimum(1.0, row[places] / total)
        surprise = 2 * total * (_told(shares, usual) + _told(1 - shares, 1 - usual))
        for at in np.flatnonzero(surprise >= TELLING):
            word = names[int(places[at])]
            told = (round(float(surprise[at]), 6), float(shares[at]), float(usual[at]))
            best[word] = max(told, best.get(word, told))
    ordered = sorted(best.items(), key=lambda each: (-each[1][0], each[0]))
    return tuple(
        Contributor(
            dimension="term",
            value=redact(word, patterns),
            share=round(share, 4),
            lift=round(min(_HIGHEST_LIFT, share / expected), 2),
        )
        for word, (_, share, expected) in ordered[:most]
    )
