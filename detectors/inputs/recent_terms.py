"""Which words the last inputs hold, against the reference: the terms of an explanation."""

from collections.abc import Mapping, Sequence
from math import log
from zlib import crc32

from msgspec import Struct

from detectors.inputs.text_reading import is_term
from detectors.inputs.text_reference import TextReference
from detectors.redaction import redact
from schemas.signal import Contributor

HALF_LIFE = 150
"""Inputs after which one counts half."""
MOST_TERMS = 512
"""Terms kept; half as many again before the least are dropped."""
TELLING = 8.0
"""Likelihood ratio statistic (G) from which on a term is told."""
_GROWTH = 2 ** (1 / HALF_LIFE)
_LARGE = 1e9
_HIGHEST_LIFT = 1000.0


class Saved(Struct, array_like=True):
    """Weights, the newest input's weight and the sum of all inputs' weights."""

    weights: dict[str, float]
    newest: float
    total: float


class RecentTerms:
    """In what share of the last inputs each term is, forgetting by half-life."""

    __slots__ = ("_newest", "_total", "_weights")

    def __init__(self, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._weights: dict[str, float] = dict(saved.weights) if saved else {}
        self._newest = saved.newest if saved else 1.0
        self._total = saved.total if saved else 0.0

    def take(self, words: Sequence[str]) -> None:
        """One input's words. Weights grow instead of all others shrinking."""
        weights, newest = self._weights, self._newest
        for word in dict.fromkeys(words):
            if word in weights:
                weights[word] += newest
            elif is_term(word):
                weights[word] = newest
        self._total += newest
        self._newest = newest * _GROWTH
        if len(weights) > MOST_TERMS * 3 // 2 or self._newest > _LARGE:
            self._thin()

    def _thin(self) -> None:
        heaviest = sorted(self._weights.items(), key=lambda each: (-each[1], each[0]))[:MOST_TERMS]
        self._weights = {word: weight / self._newest for word, weight in heaviest}
        self._total /= self._newest
        self._newest = 1.0

    def moved(self, reference: TextReference, patterns: Sequence[str], most: int) -> tuple[Contributor, ...]:
        """The terms that moved most (by G), up or down: a lift above 1 means more frequent than before."""
        inputs = self._total / self._newest
        found: list[tuple[float, str, float, float]] = []
        for word in sorted({**reference.names, **self._weights}):
            share = self._weights.get(word, 0.0) / self._total
            usual = (_known(reference, word) + 0.5) / (reference.size + 1)
            found.append((-_surprise(share, usual, inputs), word, share, usual))
        found.sort()
        return tuple(
            Contributor(
                dimension="term",
                value=redact(word, patterns),
                share=round(share, 4),
                lift=round(min(_HIGHEST_LIFT, share / usual), 2),
            )
            for surprise, word, share, usual in found[:most]
            if -surprise >= TELLING
        )

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._weights, self._newest, self._total)


def _known(reference: TextReference, word: str) -> int:
    names: Mapping[str, int] = reference.names
    return names[word] if word in names else reference.frequency(crc32(word.encode("utf-8", "surrogatepass")))


def _surprise(share: float, usual: float, inputs: float) -> float:
    """G: twice the log likelihood ratio of the share seen to the usual one, over so many inputs."""
    rest = 1 - share
    told = share * log(share / usual) if share else 0.0
    untold = rest * log(rest / (1 - usual)) if rest > 0 else 0.0
    return 2 * inputs * (told + untold)
