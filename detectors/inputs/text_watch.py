"""The texts of one agent: learns their reference first, then watches for a shift."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf
from zlib import crc32

import msgspec
from msgspec import Struct

from detectors.inputs import watched_texts
from detectors.inputs.holding import Hold
from detectors.inputs.recent_inputs import Who
from detectors.inputs.shift_story import Story
from detectors.inputs.text_learning import Learnt, TextLearning, calibrated
from detectors.inputs.text_reading import Reading, read
from detectors.inputs.text_reference import Fixed, TextReference
from detectors.inputs.watched_texts import WatchedTexts
from schemas.signal import Contributor

FEWEST = 300
"""Texts that make the reference of an agent of low traffic …"""
PATIENCE_S = 7 * 86400.0
"""… when this much time has passed."""
_MONTH_S = 30 * 86400.0
_MONTHLY = 10_000.0
MOST_TERMS = 10
"""Terms that are named."""

_encode = msgspec.msgpack.encode
_fixed = msgspec.msgpack.Decoder(Fixed)
_learnt = msgspec.msgpack.Decoder(Learnt)


def as_seldom(texts: float, inputs: int, span_s: float) -> float:
    """Texts between two false alarms, for an agent with so many inputs in so many seconds.

    As given up to 10,000 inputs in 30 days, with more they rise in proportion: a false alarm costs a person
    the same at any traffic, so they are counted by time.
    """
    return texts * max(1.0, inputs / max(span_s, 1.0) * _MONTH_S / _MONTHLY)


class Saved(Struct, array_like=True):
    """The moving part. `first`: when the first text came, POSIX seconds; the rest as `TextWatch` has it."""

    first: float | None
    watched: watched_texts.Saved | None = None
    came: int | None = None
    basis: int = 0


@lru_cache(maxsize=8)
def validated(texts: tuple[str, ...]) -> TextReference:
    """The reference of given texts; agents that share them share it."""
    learning = TextLearning()
    for text in texts:
        learning.take(read(text))
    return calibrated(learning)


def basis_of(texts: Sequence[str]) -> int:
    """A number that tells sets of texts apart; 0 for none."""
    return crc32("\n".join(texts).encode("utf-8", "surrogatepass")) | 1 if texts else 0


class TextWatch:
    """`size`: texts that make the reference. `apart`: texts between two false alarms at low traffic.

    `basis`: of a set of texts that made the reference, or was set aside for the agent's own; 0 for none.
    """

    __slots__ = ("_came", "_first", "_learning", "_reference", "_watched", "apart", "basis", "size")

    def __init__(self, size: int, apart: float) -> None:
        self.size = size
        self.apart = apart
        self.basis = 0
        self._first: float | None = None
        self._came: int | None = None
        """Texts that came, as long as they do not tell yet how many an agent has in 30 days."""
        self._learning = TextLearning()
        self._reference: TextReference | None = None
        self._watched: WatchedTexts | None = None

    def follow(self, texts: tuple[str, ...]) -> None:
        """Takes given texts for the reference, at once."""
        self.basis = basis_of(texts)
        self._learning = TextLearning()
        self._reference = validated(texts)
        self._watched = WatchedTexts(self._reference, self.apart)
        self._first, self._came = None, 0

    def take(self, reading: Reading, who: Who, now: float) -> float:
        """One text; returns how far out its wording lies, 0 (usual) to 1; 0 while there is no reference."""
        if self._watched is None:
            self._learn(reading, now)
            return 0.0
        if self._came is not None:
            self._watched.enough = self._pace(self._came, now)
        return self._watched.take(now, who, reading)

    def _pace(self, came: int, now: float) -> float:
        """Texts between two false alarms by those that came so far: many at first, while little is known."""
        if self._first is None:
            self._first = now
        self._came = came + 1 if came < self.size else None
        return as_seldom(self.apart, came + 1, now - self._first)

    def _learn(self, reading: Reading, now: float) -> None:
        if self._first is None:
            self._first = now
        self._learning.take(reading)
        learnt, span_s = self._learning.seen, now - self._first
        if learnt >= self.size or (learnt >= FEWEST and span_s >= PATIENCE_S):
            self._reference = calibrated(self._learning)
            self._learning = TextLearning()
            self._watched = WatchedTexts(self._reference, as_seldom(self.apart, learnt, span_s))

    @property
    def full(self) -> bool:
        """Whether there is a reference."""
        return self._watched is not None

    @property
    def learnt(self) -> int:
        """Texts so far of a reference that is not full."""
        return self._learning.seen

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._watched.hold if self._watched else None

    @property
    def ends_at(self) -> float:
        """When the shift that holds is given up, if no further text comes; never (inf) where none holds."""
        return self._watched.ends_at if self._watched and self._watched.hold else inf

    def end(self, now: float) -> None:
        """What holds is over."""
        if self._watched:
            self._watched.end(now)

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        return self._watched.story() if self._watched else None

    def terms(self, patterns: Sequence[str], most: int = MOST_TERMS) -> tuple[Contributor, ...]:
        """The terms that moved most, redacted also by `patterns`; none without a reference."""
        return self._watched.terms(patterns, most) if self._watched else ()

    def save(self) -> tuple[Saved, Mapping[str, bytes]]:
        """The moving part, and the large pieces by name."""
        if self._reference is None or self._watched is None:
            learnt = {"text-learnt": _encode(self._learning.save())}
            return Saved(self._first, basis=self.basis), learnt
        saved = Saved(self._first, self._watched.save(), self._came, self.basis)
        return saved, {"text-reference": _encode(self._reference.fixed)}

    def adopt(self, first: float | None, enough: float, reference: bytes) -> None:
        """Continues with no more than a reference that was saved; `enough`: texts between false alarms."""
        self._first = first
        self._reference = TextReference(_fixed.decode(reference))
        self._watched = WatchedTexts(self._reference, enough)

    def load(self, saved: Saved, parts: Mapping[str, bytes]) -> None:
        """Continues from what `save` gave."""
        self._first, self._came, self.basis = saved.first, saved.came, saved.basis
        if saved.watched is None:
            self._reference = self._watched = None
            self._learning = TextLearning(_learnt.decode(parts["text-learnt"]))
            return
        self._reference = TextReference(_fixed.decode(parts["text-reference"]))
        self._watched = WatchedTexts(self._reference, saved.watched.enough, saved.watched)
