"""In how many of the last texts each property was, forgetting by two half-lives.

Texts wait until so many came that they are counted together; the counts change only then.
"""

from array import array
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.inputs.text_reading import Reading, term
from detectors.inputs.text_reference import MOST_FOLLOWED, OTHERS, Scored, TextReference

HALF_LIVES = (150, 1000)
"""Texts after which one counts half."""
WAITING = 64
"""Texts that are counted together."""
MOST_NEW = 1024
"""Words that the reference has not, that have a place …"""
_STAY = 512
"""… and of which so many keep it …"""
_CROWDED = 768
"""… when texts are counted and there are more than this."""
_MOST_KNOWN = 2048
"""Words of the reference whose counts are kept."""
_LEAST = 0.25
"""Counts below are forgotten."""

_NEXT_TO_NOTHING = 1e-3
_HALF = np.uint32(0xFFFFE000)
"""The bits of a float that a 16-bit one has too."""

Floats = NDArray[np.float32]
_DECAYS = np.array([0.5 ** (1 / each) for each in HALF_LIVES])


class Saved(Struct, array_like=True):
    """The counts. Columns as bytes: 16-bit places and floats, 32-bit hashes."""

    places: bytes
    counts: bytes
    totals: tuple[float, ...]
    fresh: bytes
    names: list[str]
    waiting: bytes
    widths: bytes


class WordRates:
    """Counts by place: the reference's properties, one that is never there, then words it has not.

    `counts`: a row each half-life. `totals`: the texts' own count.
    """

    __slots__ = ("_fresh", "_names", "_never", "_waiting", "_widths", "counts", "totals")

    def __init__(self, reference: TextReference, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._never = reference.known + OTHERS
        self.counts: Floats = np.zeros((len(HALF_LIVES), self._never + 1 + MOST_NEW), np.float32)
        self.totals: Sequence[float] = saved.totals if saved else (0.0,) * len(HALF_LIVES)
        fresh = array("I", saved.fresh if saved else b"")
        self._fresh = {word: self._never + 1 + at for at, word in enumerate(fresh)}
        self._names = list(saved.names) if saved else []
        self._waiting = array("H", saved.waiting if saved else b"")
        self._widths = array("B", saved.widths if saved else b"")
        if saved:
            places = np.frombuffer(saved.places, np.uint16)
            self.counts[:, places] = np.frombuffer(saved.counts, np.float16).reshape(len(HALF_LIVES), -1)

    @property
    def names(self) -> dict[int, str]:
        """Of words that the reference has not, by place."""
        return {self._never + 1 + at: name for at, name in enumerate(self._names) if name}

    def places(self, reading: Reading, scored: Scored, others: Sequence[int]) -> list[int]:
        """The places of a text's properties. A word never seen gets one, as long as there is room."""
        found = list(scored.places.values())
        del found[MOST_FOLLOWED:]
        if -1 in found:
            for at, word in enumerate(islice(scored.places, len(found))):
                if found[at] < 0:
                    found[at] = self._place(reading, word)
        found += others
        return found

    def _place(self, reading: Reading, word: int) -> int:
        place = self._fresh.get(word)
        if place is not None:
            return place
        if len(self._fresh) == MOST_NEW:
            return self._never
        self._names.append(term(reading.words[reading.hashes.index(word)]))
        self._fresh[word] = place = self._never + len(self._names)
        return place

    def take(self, places: Sequence[int]) -> bool:
        """One text; returns whether it was the last to wait, so that the counts changed."""
        self._waiting.extend(places)
        self._widths.append(len(places))
        if len(self._widths) < WAITING:
            return False
        counts, totals = self.latest()
        counts[:, self._never] = 0
        counts *= counts[-1] >= _LEAST
        self._thin(counts)
        counts *= counts >= _NEXT_TO_NOTHING
        self.counts = (counts.view(np.uint32) & _HALF).view(np.float32)
        self.totals = totals
        self._waiting, self._widths = array("H"), array("B")
        return True

    def latest(self) -> tuple[Floats, Sequence[float]]:
        """Counts and totals with the texts that wait."""
        counts, waiting = self.counts.copy(), len(self._widths)
        if not waiting:
            return counts, self.totals
        places, widths = np.frombuffer(self._waiting, np.uint16), np.frombuffer(self._widths, np.uint8)
        totals: list[float] = []
        for at, decay in enumerate(_DECAYS):
            ages = decay ** np.arange(waiting - 1, -1, -1)
            counts[at] *= decay**waiting
            counts[at] += np.bincount(places, np.repeat(ages, widths), counts.shape[1])
            totals.append(float(self.totals[at] * decay**waiting + ages.sum()))
        return counts, tuple(totals)

    def _thin(self, counts: Floats) -> None:
        """Keeps what came most, within bounds."""
        known = counts[:, : self._never - OTHERS]
        if np.count_nonzero(known[-1]) > _MOST_KNOWN:
            known[:, np.argsort(-known[-1], kind="stable")[_MOST_KNOWN:]] = 0
        if len(self._fresh) > _CROWDED:
            fresh = counts[:, self._never + 1 :]
            stay = np.sort(np.argsort(-fresh[-1], kind="stable")[:_STAY])
            words = list(self._fresh)
            kept: Any = fresh[:, stay].copy()
            fresh[:] = 0
            fresh[:, :_STAY] = kept
            places = stay.tolist()
            self._names = [self._names[at] for at in places]
            self._fresh = {words[old]: self._never + 1 + new for new, old in enumerate(places)}

    def save(self) -> Saved:
        """The state exactly."""
        places = np.flatnonzero(self.counts[-1])
        return Saved(
            places.astype(np.uint16).tobytes(),
            self.counts[:, places].astype(np.float16).tobytes(),
            tuple(self.totals),
            array("I", self._fresh).tobytes(),
            self._names,
            self._waiting.tobytes(),
            self._widths.tobytes(),
        )
