"""What an agent's texts looked like in the reference; it never changes once it is learnt."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from msgspec import Struct

from detectors.inputs.indicators import Indicators
from detectors.inputs.quantities import Quantity
from detectors.inputs.ranked import Ranked
from detectors.inputs.text_reading import STRUCTURES, Reading
from detectors.inputs.text_scores import NOVELTY, SURPRISE, measured

BINS = 8
"""Kinds of length that are properties of a text, beside its words."""
MOST_FOLLOWED = 32
"""Different words of a text whose frequencies are followed."""
_COMMON = 1024
"""Words that are looked up at once: most of those that come."""
OTHERS = BINS + len(STRUCTURES)
"""Properties that are no words."""


class Fixed(Struct, array_like=True):
    """A reference as it is saved: columns as bytes.

    `size`: texts. `words`: hashes, in order, and in how many texts each is. Pairs of neighbours by the place
    of the first word (`firsts`: where its pairs begin) and of the second, and in how many texts each is.
    `tables`: sorted novelty, surprise and length of some texts. `shares`: of the texts, with each property
    that is no word. `rows`: the properties of those some texts, `widths`: how many each has.
    `names`: of words, by place.
    """

    size: int
    words: bytes
    frequencies: bytes
    firsts: bytes
    seconds: bytes
    couples: bytes
    tables: tuple[bytes, bytes, bytes]
    shares: tuple[float, ...]
    rows: bytes
    widths: bytes
    names: dict[int, str]


class Scored(Struct, frozen=True, gc=False):
    """A text against the reference. `places`: of its different words by hash, -1 where there is none."""

    novelty: int
    surprise: int
    places: Mapping[int, int]


class TextReference:
    """The reference, calibrated.

    A *property* of a text is a word, known by its place among the reference's, or one of `BINS` kinds of
    length or of `STRUCTURES`, whose places come after the words.
    """

    __slots__ = (
        "_common", "_couples", "_edges", "_firsts", "_frequencies", "_seconds", "_words",
        "fixed", "quantities", "size", "tables",
    )  # fmt: skip

    def __init__(self, fixed: Fixed) -> None:
        """`fixed`: what was calibrated, or saved."""
        self.fixed = fixed
        self.size = fixed.size
        self.tables = novelty, surprise, lengths = [array("I", table) for table in fixed.tables]
        self._edges = edges(lengths)
        self._words = array("I", fixed.words)
        self._frequencies = array("H", fixed.frequencies)
        most = sorted(range(len(self._words)), key=lambda at: -self._frequencies[at])[:_COMMON]
        self._common = {self._words[at]: at for at in most}
        self._firsts = array("H", fixed.firsts)
        self._seconds = array("H", fixed.seconds)
        self._couples = _counts(fixed.couples, len(self._seconds))
        wording = Ranked(
            "wording",
            novelty,
            ("rank", "top10", "top1"),
            unit="new words and word pairs per input",
            scale=NOVELTY,
            news="higher",
        )
        phrasing = Ranked(
            "phrasing",
            surprise,
            ("rank", "top5"),
            unit="nats of surprise per word",
            scale=SURPRISE,
            news="higher",
        )
        self.quantities: tuple[Quantity, ...] = (
            wording,
            phrasing,
            Ranked("length", lengths, ("rank", "spread"), unit="characters per input"),
            Indicators("structure", STRUCTURES, fixed.shares[BINS:], fixed.size),
        )

    @property
    def known(self) -> int:
        """Number of words that have a place."""
        return len(self._words)

    @property
    def frequencies(self) -> Sequence[int]:
        """In how many of the texts each of the words is, by place."""
        return self._frequencies

    def scores(self, reading: Reading) -> Scored:
        """A text's novelty and surprise, and the places of its words."""
        words, known, common = self._words, len(self._words), self._common
        frequencies, firsts, seconds, couples = self._frequencies, self._firsts, self._seconds, self._couples
        places: dict[int, int] = {}
        counts: list[int] = []
        pairs: list[int] = []
        before = -1
        for word in reading.hashes:
            place = common.get(word, -1)
            if place < 0:
                place = bisect_left(words, word)
                if place == known or words[place] != word:
                    place = -1
            places[word] = place
            couple = 0
            counts.append(frequencies[place] if place >= 0 else 0)
            if place >= 0 <= before:
                end = firsts[before + 1]
                at = bisect_left(seconds, place, firsts[before], end)
                if at < end and seconds[at] == place:
                    couple = couples[at]
            pairs.append(couple)
            before = place
        novelty, surprise = measured(counts, pairs[1:], self.size)
        return Scored(novelty, surprise, places)

    def others(self, reading: Reading) -> list[int]:
        """The places of a text's properties that are no words."""
        first = len(self._words)
        return properties(first, self._edges, reading.length, reading.structure)


def _counts(saved: bytes, pairs: int) -> "array[int]":
    """How often each pair comes; earlier versions kept a byte of it."""
    return array("B" if len(saved) == pairs else "H", saved)


def edges(lengths: Sequence[int]) -> list[int]:
    """Where one kind of length ends and the next begins, of sorted lengths."""
    return [lengths[at * len(lengths) // BINS] for at in range(1, BINS)]


def properties(first: int, limits: Sequence[int], length: int, structure: int) -> list[int]:
    """The places of a text's kind of length and structures, the first of which is `first`."""
    found = [first + bisect_right(limits, length)]
    if structure:
        found += [first + BINS + at for at in range(len(STRUCTURES)) if structure >> at & 1]
    return found
