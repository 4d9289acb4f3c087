"""The texts of one agent: learns their reference first, then watches for a shift."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from detectors.inputs import recent_terms, shift_watch
from detectors.inputs.recent_inputs import Who
from detectors.inputs.recent_terms import RecentTerms
from detectors.inputs.shift_story import Story
from detectors.inputs.shift_tracking import Hold
from detectors.inputs.shift_watch import ShiftWatch, budgeted
from detectors.inputs.text_reading import Reading, read
from detectors.inputs.text_reference import Fixed, Learnt, TextLearning, TextReference, calibrated
from schemas.signal import Contributor

FEWEST = 300
"""Texts that make the reference of an agent of low traffic …"""
PATIENCE_S = 7 * 86400.0
"""… when this much time has passed."""
_KEPT = 256
_MOST_TERMS = 10

_encode = msgspec.msgpack.encode
_fixed = msgspec.msgpack.Decoder(Fixed)
_learnt = msgspec.msgpack.Decoder(Learnt)


class Saved(Struct, array_like=True):
    """The moving part. `first`: when the first text came, POSIX seconds; the rest with a full reference."""

    first: float | None
    watch: shift_watch.Saved | None = None
    terms: recent_terms.Saved | None = None


class TextWatch:
    """`size`: texts that make the reference. `delta`: of each ADWIN at low traffic, in (0, 1)."""

    __slots__ = ("_first", "_learning", "_reference", "_terms", "_watch", "delta", "size")

    def __init__(self, size: int, delta: float) -> None:
        self.size = size
        self.delta = delta
        self._first: float | None = None
        self._learning = TextLearning()
        self._reference: TextReference | None = None
        self._watch: ShiftWatch | None = None
        self._terms = RecentTerms()

    def take(self, text: str, who: Who, now: float) -> float:
        """One text; returns how far out its wording lies, 0 (usual) to 1; 0 while there is no reference."""
        reading = read(text)
        if self._reference is None or self._watch is None:
            self._learn(reading, now)
            return 0.0
        raws = self._reference.scores(reading)
        self._terms.take(reading.words)
        self._watch.take(now, who, raws)
        return self._reference.wording.rank(raws[0])

    def _learn(self, reading: Reading, now: float) -> None:
        if self._first is None:
            self._first = now
        self._learning.take(reading)
        learnt, span_s = len(self._learning.lengths), now - self._first
        if learnt >= self.size or (learnt >= FEWEST and span_s >= PATIENCE_S):
            self._begin(calibrated(self._learning), budgeted(self.delta, learnt, span_s))

    def _begin(self, reference: TextReference, delta: float) -> None:
        self._learning = TextLearning()
        self._reference = reference
        self._watch = ShiftWatch(reference.quantities, delta, _KEPT)

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._watch.hold if self._watch else None

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        return self._watch.story(self._watch.hold) if self._watch and self._watch.hold else None

    def terms(self, patterns: Sequence[str]) -> tuple[Contributor, ...]:
        """The ten terms that moved most, redacted also by `patterns`; none without a reference."""
        return self._terms.moved(self._reference, patterns, _MOST_TERMS) if self._reference else ()

    def save(self) -> tuple[Saved, Mapping[str, bytes]]:
        """The moving part, and the large pieces by name."""
        if self._reference is None or self._watch is None:
            return Saved(self._first), {"text-learnt": _encode(self._learning.save())}
        moving = Saved(self._first, self._watch.save(), self._terms.save())
        return moving, {"text-reference": _encode(self._reference.save())}

    def load(self, saved: Saved, parts: Mapping[str, bytes]) -> None:
        """Continues from what `save` gave."""
        self._first = saved.first
        if saved.watch is None:
            self._learning = TextLearning(_learnt.decode(parts["text-learnt"]))
            return
        self._reference = TextReference(_fixed.decode(parts["text-reference"]))
        self._watch = ShiftWatch(self._reference.quantities, saved.watch.delta, _KEPT, saved.watch)
        self._terms = RecentTerms(saved.terms)
