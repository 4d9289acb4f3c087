"""What an agent's texts looked like in the reference: which words and word pairs, how often, how long.

Each text of the reference is scored as if it were not in it (leave one out), so that the scores of texts to
come have the same distribution as the reference's own, and ranks among them are calibrated.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log, sqrt

from msgspec import Struct

from detectors.inputs.indicators import Indicators
from detectors.inputs.quantities import Quantity
from detectors.inputs.ranked import Ranked
from detectors.inputs.text_reading import STRUCTURES, Reading, is_term, pairs

MOST_WORDS = 12_000
MOST_PAIRS = 20_000
MOST_NAMES = 1_024
_MOST_CANDIDATES = 4_096
_NOVELTY, _RARITY = 256, 4096
"""Scores are kept as whole numbers of 1/256 and 1/4096: ties stay ties."""


class Learnt(Struct, array_like=True):
    """The texts of a reference that is not yet full: hashes, never texts. Columns as bytes."""

    hashes: bytes = b""
    counts: bytes = b""
    lengths: bytes = b""
    structures: bytes = b""
    names: dict[str, int] = {}


class TextLearning:
    """Collects the texts of a reference."""

    __slots__ = ("counts", "hashes", "lengths", "names", "structures")

    def __init__(self, learnt: Learnt | None = None) -> None:
        """`learnt`: what `save` gave."""
        learnt = learnt or Learnt()
        self.hashes = array("I", learnt.hashes)
        self.counts = array("B", learnt.counts)
        self.lengths = array("I", learnt.lengths)
        self.structures = array("B", learnt.structures)
        self.names = dict(learnt.names)

    def take(self, reading: Reading) -> None:
        """One text."""
        self.hashes.extend(reading.hashes)
        self.counts.append(len(reading.hashes))
        self.lengths.append(reading.length)
        self.structures.append(reading.structure)
        for word in dict.fromkeys(reading.words):
            if word in self.names:
                self.names[word] += 1
            elif is_term(word) and len(self.names) < _MOST_CANDIDATES:
                self.names[word] = 1

    def texts(self) -> list[Sequence[int]]:
        """The texts' word hashes."""
        ends = [0]
        for count in self.counts:
            ends.append(ends[-1] + count)
        return [self.hashes[start:end] for start, end in pairwise(ends)]

    def save(self) -> Learnt:
        """The state exactly."""
        hashes, counts = self.hashes.tobytes(), self.counts.tobytes()
        return Learnt(hashes, counts, self.lengths.tobytes(), self.structures.tobytes(), self.names)


class Fixed(Struct, array_like=True):
    """A reference as it is saved: columns as bytes."""

    words: bytes
    frequencies: bytes
    pairs: bytes
    tables: tuple[bytes, bytes, bytes]
    shares: tuple[float, ...]
    names: dict[str, int]


class TextReference:
    """The reference, calibrated; it never changes.

    `names`: how many texts of the reference hold a term, for the most frequent terms.
    """

    __slots__ = (
        "_frequencies", "_pairs", "_shares", "_tables", "_unseen", "_weights", "_words",
        "names", "quantities", "size", "wording",
    )  # fmt: skip

    def __init__(self, fixed: Fixed) -> None:
        """`fixed`: what `calibrated` or `save` gave."""
        self._tables = novelty, rarity, length = [array("I", table) for table in fixed.tables]
        self._shares = fixed.shares
        self.size = size = len(length)
        self._words = array("I", fixed.words)
        self._frequencies = array("H", fixed.frequencies)
        self._pairs = array("I", fixed.pairs)
        self._weights = array("f", (_weight(count, size) for count in self._frequencies))
        self._unseen = _weight(0, size)
        self.names: Mapping[str, int] = fixed.names
        self.wording = Ranked(
            "wording",
            novelty,
            ("rank", "top10", "top1"),
            unit="new words and word pairs per input",
            scale=_NOVELTY,
            news="higher",
        )
        self.quantities: tuple[Quantity, ...] = (
            self.wording,
            Ranked(
                "vocabulary",
                rarity,
                ("rank", "top5"),
                unit="mean log rarity of words",
                scale=_RARITY,
                news="higher",
            ),
            Ranked("length", length, ("rank", "spread"), unit="characters per input"),
            Indicators("structure", STRUCTURES, fixed.shares, size),
        )

    def scores(self, reading: Reading) -> tuple[int, int, int, int]:
        """Raw values of the quantities: wording, vocabulary, length, structure."""
        words, weights, known = self._words, self._weights, len(self._words)
        unseen, rarity = 0, 0.0
        distinct = dict.fromkeys(reading.hashes)
        for each in distinct:
            at = bisect_left(words, each)
            if at < known and words[at] == each:
                rarity += weights[at]
            else:
                unseen += 1
        rarity += unseen * self._unseen
        fresh = self._fresh_pairs(reading.hashes)
        novelty = _novelty(unseen, fresh, len(reading.hashes))
        return novelty, _rarity(rarity, len(distinct)), reading.length, reading.structure

    def _fresh_pairs(self, hashes: Sequence[int]) -> int:
        known, size, fresh = self._pairs, len(self._pairs), 0
        for each in dict.fromkeys(pairs(hashes)):
            at = bisect_left(known, each)
            if at == size or known[at] != each:
                fresh += 1
        return fresh

    def frequency(self, word: int) -> int:
        """How many texts of the reference hold a word, by its hash."""
        at = bisect_left(self._words, word)
        return self._frequencies[at] if at < len(self._words) and self._words[at] == word else 0

    def save(self) -> Fixed:
        """The reference as it is saved."""
        words, frequencies, couples = (
            each.tobytes() for each in (self._words, self._frequencies, self._pairs)
        )
        novelty, rarity, length = (table.tobytes() for table in self._tables)
        return Fixed(words, frequencies, couples, (novelty, rarity, length), self._shares, dict(self.names))


def calibrated(learning: TextLearning) -> TextReference:
    """The reference of the texts learnt, at least one and at most 65,535."""
    texts = learning.texts()
    size = len(texts)
    words = _kept(Counter(each for text in texts for each in dict.fromkeys(text)), MOST_WORDS)
    couples = _kept(Counter(each for text in texts for each in dict.fromkeys(pairs(text))), MOST_PAIRS)
    scores = [_left_out(text, words, couples, size) for text in texts]
    tables = (
        sorted(score[0] for score in scores),
        sorted(score[1] for score in scores),
        sorted(learning.lengths),
    )
    novelty, rarity, length = (array("I", table).tobytes() for table in tables)
    shares = (sum(each >> at & 1 for each in learning.structures) / size for at in range(len(STRUCTURES)))
    names = sorted(learning.names.items(), key=lambda each: (-each[1], each[0]))[:MOST_NAMES]
    fixed = Fixed(
        array("I", sorted(words)).tobytes(),
        array("H", (words[each] for each in sorted(words))).tobytes(),
        array("I", sorted(couples)).tobytes(),
        (novelty, rarity, length),
        tuple(shares),
        dict(names),
    )
    return TextReference(fixed)


def _kept(counts: Mapping[int, int], most: int) -> dict[int, int]:
    """The most frequent, ties by hash."""
    if len(counts) <= most:
        return dict(counts)
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most])


def _left_out(
    text: Sequence[int], words: Mapping[int, int], couples: Mapping[int, int], size: int
) -> tuple[int, int]:
    """Novelty and rarity of a text of the reference, as if it were not in it."""
    others = [max(0, words.get(each, 0) - 1) for each in dict.fromkeys(text)]
    fresh = sum(couples.get(each, 0) <= 1 for each in dict.fromkeys(pairs(text)))
    rarity = sum(_weight(count, size) for count in others)
    return _novelty(others.count(0), fresh, len(text)), _rarity(rarity, len(others))


def _weight(count: int, size: int) -> float:
    return -log((count + 0.5) / (size + 1))


def _novelty(unseen: int, fresh: int, length: int) -> int:
    return round(_NOVELTY * (unseen + fresh / sqrt(length + 1)))


def _rarity(total: float, distinct: int) -> int:
    return round(_RARITY * total / (distinct + 1))
