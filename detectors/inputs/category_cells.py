"""A category's values in cells: the most frequent ones, others, rare ones, and those never seen.

How often a value comes that was never seen is told by the reference itself: each of its values that came once
would be such a one if it were not in it (Good & Turing; leave one out). So are rare ones.
"""

from collections.abc import Sequence
from math import sqrt
from zlib import crc32

from msgspec import Struct

from detectors.inputs.cell_evidence import Cells
from schemas.event import Scalar

MOST_VALUES = 256
"""Different values of a category that are remembered."""
MOST_NAMED = 64
"""Of them, with their names."""
MOST_WATCHED = 16
"""The most frequent of those that are watched one by one."""
LONGEST = 48
"""Characters of a name."""
_CLEARLY = 2.0
"""Standard errors by which a watched value must be more frequent than those for which there is no room."""
_RARE = 5
"""Values that came less often are rare."""
OTHER, RARE, NEW = "other values", "rare values", "values never seen before"
_KINDS = (OTHER, RARE, NEW)
_ODDS = (1.4, 2.0, 6.0, 40.0, 0.6, 0.2)
"""Changes looked for in each cell: how many times the odds."""
_NEWS, _NEW_ODDS = 8.0, 6.0
"""What counts more: values rare or never seen that become many times as frequent."""
_LEAST = 0.5
"""Values that each cell has besides: none is impossible."""


class Values(Struct, array_like=True):
    """Values as they came: how often by hash, names of the first, and how many had no place from when on."""

    counts: dict[int, int] = {}
    names: dict[int, str] = {}
    seen: int = 0
    crowded: int = 0
    passed: int = 0

    def take(self, value: Scalar) -> None:
        """One value."""
        self.seen += 1
        name = name_of(value)
        each = hash_of(name)
        count = self.counts.get(each)
        if count is None and len(self.counts) >= MOST_VALUES:
            self.passed += 1
            return
        self.counts[each] = (count or 0) + 1
        if count is None:
            self.crowded = self.seen
            if len(self.names) < MOST_NAMED:
                self.names[each] = name


class Fixed(Struct, array_like=True):
    """A category's reference of `size` values. `watched`: hashes; `labels`: what all the cells are called.

    `others` and `rare`: hashes of values that are neither watched nor new.
    """

    size: int
    watched: tuple[int, ...]
    labels: tuple[str, ...]
    others: tuple[int, ...]
    rare: tuple[int, ...]
    seen: list[float]


def settled(values: Values) -> Fixed:
    """The reference of the values that came, at least one."""
    ordered = sorted(values.counts, key=lambda each: (-values.counts[each], each))
    watched = [each for each in ordered if values.counts[each] > _RARE and each in values.names]
    if len(watched) > MOST_WATCHED:
        next_one = values.counts[watched[MOST_WATCHED]]
        watched = [each for each in watched[:MOST_WATCHED] if _stands_out(values.counts[each], next_one)]
    others = tuple(each for each in ordered if values.counts[each] >= _RARE and each not in watched)
    rare = tuple(each for each in ordered if values.counts[each] < _RARE)
    labels = (*(values.names[each] for each in watched), *_KINDS)
    return Fixed(values.seen, tuple(watched), labels, others, rare, _seen(values, watched))


def _seen(values: Values, watched: Sequence[int]) -> list[float]:
    """The share of each cell, as if each value of the reference were not in it."""
    spare = 0 if values.passed else 1
    kinds = [0, 0, 0]
    for each, count in values.counts.items():
        if each not in watched:
            kinds[_kind(count - spare)] += count
    known = values.seen - values.passed
    new = values.passed / (values.seen - values.crowded) if values.passed else 0.0
    shares = [count / known * (1 - new) for count in (*(values.counts[each] for each in watched), *kinds)]
    shares[-1] += new
    return shares


def _stands_out(count: int, other: int) -> bool:
    """Whether it is greater by more than luck: the first of many equal values would seem to fall."""
    return count - _CLEARLY * sqrt(count) > other


def _kind(count: int) -> int:
    return 2 if count == 0 else 1 if count < _RARE else 0


class Places:
    """Turns values into cells."""

    __slots__ = ("_new", "_places")

    def __init__(self, fixed: Fixed) -> None:
        first = len(fixed.watched)
        self._places = {each: at for at, each in enumerate(fixed.watched)}
        self._places |= dict.fromkeys(fixed.others, first) | dict.fromkeys(fixed.rare, first + 1)
        self._new = first + 2

    def of(self, name: str) -> int:
        """The cell of a value, by its name."""
        return self._places.get(hash_of(name), self._new)

    def is_new(self, cell: int) -> bool:
        """Whether it is that of values never seen."""
        return cell == self._new


def category_cells(fixed: Fixed) -> Cells:
    """The cells with what is looked for in each."""
    size, whole = fixed.size, fixed.size + _LEAST * len(fixed.seen)
    usual = [(share * size + _LEAST) / whole for share in fixed.seen]
    places = [(at, odds) for at in range(len(usual)) for odds in _ODDS]
    changes = [_turned(usual, at, odds) for at, odds in places]
    rare = len(fixed.watched) + 1
    weights = [_NEWS if at >= rare and odds >= _NEW_ODDS else 1.0 for at, odds in places]
    return Cells(size, fixed.seen, usual, changes, weights)


def _turned(usual: Sequence[float], cell: int, odds: float) -> Sequence[float]:
    """The shares after a cell's odds have changed so many times; the others share the rest as before."""
    share = usual[cell]
    after = odds * share / (1 - share + odds * share)
    return [after if at == cell else each * (1 - after) / (1 - share) for at, each in enumerate(usual)]


def name_of(value: Scalar) -> str:
    """A category's value as text, bounded."""
    return str(value).lower() if isinstance(value, bool) else str(value)[:LONGEST]


def hash_of(name: str) -> int:
    """32 bits of a name."""
    return crc32(name.encode("utf-8", "surrogatepass"))
