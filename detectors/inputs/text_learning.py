"""Learns what an agent's texts look like: which words and word pairs, how often, how long.

Each text of the reference is scored as if it were not in it (leave one out), so that the scores of texts to
come have the same distribution as the reference's own, and ranks among them are calibrated.
"""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate, compress, islice, pairwise

from msgspec import Struct

from detectors.inputs.quantities import strided
from detectors.inputs.text_reading import SHORTEST, Reading, term
from detectors.inputs.text_reference import (
    MOST_FOLLOWED,
    OTHERS,
    Fixed,
    TextReference,
    edges,
    properties,
)
from detectors.inputs.text_scores import measured
from detectors.inputs.thinning import keeps, stays

MOST_WORDS = 8_192
MOST_PAIRS = 12_000
MOST_TEXTS = 2_048
"""Texts whose scores make the tables of ranks."""
MOST_PLACES = 20_000
"""Their properties; texts beyond these have none."""
NAMES_BYTES = 24_000
MOST_TOKENS = 48_000
"""Words of all the texts, …"""
MOST_KEPT = 4_096
"""… texts, …"""
MOST_DIFFERENT = 12_288
"""… and different words of a reference that is being learnt."""
_LOST = 0xFFFF
_PER_NAME = 6


class Learnt(Struct, array_like=True):
    """The texts of a reference that is not yet full: hashes, never texts. Columns as bytes.

    `words`: different ones, as hashes; `places`: the texts' words among them; `seen`: texts that came.
    """

    seen: int = 0
    stride: int = 1
    words: bytes = b""
    places: bytes = b""
    counts: bytes = b""
    lengths: bytes = b""
    structures: bytes = b""
    names: dict[int, str] = {}


class TextLearning:
    """Collects the texts of a reference; of more than there is room for, one of each two.

    `seen`: texts that came; `names`: of words, by hash. A word for which there is no room is lost (-1).
    As long as every word that has a name could be named (`_named`), only new ones need to be.
    """

    __slots__ = (
        "_named", "_places", "_room", "_stride", "_words", "counts", "lengths", "names", "seen", "structures",
    )  # fmt: skip

    def __init__(self, learnt: Learnt | None = None) -> None:
        """`learnt`: what `save` gave."""
        learnt = learnt or Learnt()
        self.seen, self._stride = learnt.seen, learnt.stride
        self._words = {word: at for at, word in enumerate(array("I", learnt.words))}
        self._places = array("H", learnt.places)
        self.counts = array("B", learnt.counts)
        self.lengths = array("H", learnt.lengths)
        self.structures = array("B", learnt.structures)
        self.names = dict(learnt.names)
        self._room = NAMES_BYTES - sum(map(_cost, self.names.values()))
        self._named = not self._words

    def take(self, reading: Reading) -> None:
        """One text."""
        at, self.seen = self.seen, self.seen + 1
        if not keeps(at, self._stride):
            return
        self.lengths.append(reading.length)
        self.structures.append(reading.structure)
        known = len(self._words)
        self._add(reading.hashes)
        if len(self._words) > known or not self._named:
            self._name(reading)
        if len(self._places) > MOST_TOKENS or len(self.counts) > MOST_KEPT:
            self._thin()

    def _add(self, hashes: Sequence[int]) -> None:
        words = self._words
        self.counts.append(len(hashes))
        places = [words.get(hashed, _LOST) for hashed in hashes]
        if _LOST in places:
            for hashed in hashes:
                if hashed not in words and hashed >= 0 and len(words) < MOST_DIFFERENT:
                    words[hashed] = len(words)
            places = [words.get(hashed, _LOST) for hashed in hashes]
        self._places.extend(places)

    def _name(self, reading: Reading) -> None:
        """Names the words of a text that have none yet, as long as there is room."""
        names, words = self.names, self._words
        for word, hashed in zip(reading.words, reading.hashes, strict=True):
            if hashed in names or len(word) < SHORTEST or hashed not in words or not (name := term(word)):
                continue
            cost = _cost(name)
            if self._room >= cost:
                names[hashed] = name
                self._room -= cost
            else:
                self._named = False

    def _thin(self) -> None:
        texts, stay = self.texts(), [stays(at, self._stride) for at in range(len(self.counts))]
        self._words, self._places, self.counts = {}, array("H"), array("B")
        for text in compress(texts, stay):
            self._add(text)
        self.lengths = array("H", compress(self.lengths, stay))
        self.structures = array("B", compress(self.structures, stay))
        self.names = {hashed: name for hashed, name in self.names.items() if hashed in self._words}
        self._room = NAMES_BYTES - sum(map(_cost, self.names.values()))
        self._stride *= 2

    def texts(self) -> list[Sequence[int]]:
        """The texts' word hashes."""
        words = [*self._words, *[-1] * (_LOST + 1 - len(self._words))]
        hashes = [words[place] for place in self._places]
        ends = [0, *accumulate(self.counts)]
        return [hashes[start:end] for start, end in pairwise(ends)]

    def save(self) -> Learnt:
        """The state exactly."""
        words, places, counts = (
            array("I", self._words).tobytes(),
            self._places.tobytes(),
            self.counts.tobytes(),
        )
        lengths, structures = self.lengths.tobytes(), self.structures.tobytes()
        return Learnt(self.seen, self._stride, words, places, counts, lengths, structures, self.names)


def _cost(name: str) -> int:
    return len(name.encode()) + _PER_NAME


class _Kept:
    """How many texts have each word, or pair, as far as it is in at least `least` of them."""

    def __init__(self, texts: Sequence[Sequence[int]], most: int) -> None:
        """`most`: kept at most. What is in as many texts as others is kept with them, or forgotten."""
        counts = Counter(each for text in texts for each in dict.fromkeys(text) if each >= 0)
        self.least = _least(counts, most)
        self.counts = {each: counts[each] for each in sorted(counts) if counts[each] >= self.least}

    def others(self, each: int) -> int:
        """How many have what a text has, without it."""
        count = self.counts.get(each, 0) - 1
        return count if count >= self.least else 0


def _least(counts: Mapping[int, int], most: int) -> int:
    alike = Counter(counts.values())
    least, left = 1, len(counts)
    while left > most:
        left -= alike[least]
        least += 1
    return least


def calibrated(learning: TextLearning) -> TextReference:
    """The reference of the texts learnt, at least one."""
    texts = learning.texts()
    size = len(texts)
    words, couples = _Kept(texts, MOST_WORDS), _Kept([_pairs(text) for text in texts], MOST_PAIRS)
    chosen = list(islice(strided(size), MOST_TEXTS))
    scores = [_left_out(texts[at], words, couples, size) for at in chosen]
    lengths = sorted(learning.lengths[at] for at in chosen)
    limits, known = edges(lengths), len(words.counts)
    others = [
        properties(known, limits, *each) for each in zip(learning.lengths, learning.structures, strict=True)
    ]
    counts = Counter(place for row in others for place in row)
    places = {each: place for place, each in enumerate(words.counts)}
    fixed = Fixed(
        size,
        array("I", words.counts).tobytes(),
        array("H", words.counts.values()).tobytes(),
        *_by_place(couples.counts, places),
        (
            _column(sorted(each[0] for each in scores)),
            _column(sorted(each[1] for each in scores)),
            _column(lengths),
        ),
        tuple(counts[known + at] / size for at in range(OTHERS)),
        *_packed([_places(texts[at], places) + others[at] for at in chosen]),
        {places[word]: name for word, name in learning.names.items() if word in places},
    )
    return TextReference(fixed)


def _pairs(text: Sequence[int]) -> list[int]:
    """Pairs of neighbours, as one number each that has their order; -1 with a word that is lost."""
    return [-1 if first < 0 or second < 0 else first << 32 | second for first, second in pairwise(text)]


def _left_out(text: Sequence[int], words: _Kept, couples: _Kept, size: int) -> tuple[int, int]:
    """Scores of a text of the reference, as if it were not in it."""
    own = [words.others(each) for each in text]
    return measured(own, [couples.others(each) for each in _pairs(text)], size)


def _by_place(couples: Mapping[int, int], places: Mapping[int, int]) -> tuple[bytes, bytes, bytes]:
    """Where the pairs of each first word begin, the second words, and the pairs' counts."""
    seconds, counts, widths = array("H"), array("H"), [0] * len(places)
    for pair, count in couples.items():
        first, second = places.get(pair >> 32), places.get(pair & 0xFFFFFFFF)
        if first is not None and second is not None:
            widths[first] += 1
            seconds.append(second)
            counts.append(count)
    return array("H", accumulate(widths, initial=0)).tobytes(), seconds.tobytes(), counts.tobytes()


def _places(text: Sequence[int], places: Mapping[int, int]) -> list[int]:
    """Of a text's words; those that are not kept are like words never seen."""
    never = len(places) + OTHERS
    return [places.get(each, never) for each in islice(dict.fromkeys(text), MOST_FOLLOWED)]


def _column(values: Sequence[int]) -> bytes:
    return array("I", values).tobytes()


def _packed(rows: Sequence[Sequence[int]]) -> tuple[bytes, bytes]:
    """As many rows as there is room for, and their widths."""
    flat = array("H")
    widths = bytearray()
    for row in rows:
        if len(flat) + len(row) > MOST_PLACES:
            break
        flat.extend(row)
        widths.append(len(row))
    return flat.tobytes(), bytes(widths)
