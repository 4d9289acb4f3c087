"""A number's range in cells, by its rank in the reference, and the changes that are looked for in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from statistics import NormalDist

from detectors.inputs.cell_evidence import Cells

_EDGES = (
    0.001, 0.01, 0.03, 0.06, 0.1, *(each / 20 for each in range(3, 18)), 0.9, 0.94, 0.97, 0.99, 0.999,
)  # fmt: skip
"""Ranks at which one cell ends and the next begins."""
_SHIFTS = (0.15, 0.3, 0.6, 1.2, 2.4)
"""Of the mean, up and down, in standard deviations of what would be normal by the same ranks."""
_SPREADS = (0.4, 0.7, 1.25, 1.6, 2.5)
"""Times the standard deviation."""
_TAILS = ((0.01, 0.001), (0.01, 0.01), (0.03, 0.01), (0.1, 0.01), (0.3, 0.01))
"""Shares of the values that come to lie in such a share of the reference, at either end."""
_LEAST = 0.5
"""Values that each cell has besides: none is impossible."""


def cell_of(value: float, table: Sequence[float]) -> int:
    """Where a value falls, ties by half. `table`: values of the reference, sorted."""
    first = bisect_left(table, value)
    last = bisect_right(table, value, first)
    return bisect_right(_EDGES, (first + last) / (2 * len(table)))


def number_cells(table: Sequence[float], size: int) -> Cells:
    """`table`: values with the distribution of the `size` in the reference, sorted."""
    counts = [0.0] * (len(_EDGES) + 1)
    step = size / (2 * len(table))
    for at, value in enumerate(table):
        first, last = bisect_left(table, value), bisect_right(table, value)
        # One of many different values stands for a stretch to both its sides, a tie for itself alone.
        for rank in (at, at + 1) if last == first + 1 else ((first + last) / 2,) * 2:
            counts[bisect_right(_EDGES, rank / len(table))] += step
    usual = [(count + _LEAST) / (size + _LEAST * len(counts)) for count in counts]
    changes = list(_changes(usual))
    return Cells(size, [count / size for count in counts], usual, changes, [1.0] * len(changes))


def _changes(usual: Sequence[float]) -> Iterator[Sequence[float]]:
    for times in _times():
        yield [each * share for each, share in zip(times, usual, strict=True)]
    for share, edge in _TAILS:
        low = [upper <= edge for upper in (*_EDGES, 1.0)]
        yield _moved(usual, share, low)
        yield _moved(usual, share, low[::-1])


def _moved(usual: Sequence[float], share: float, end: Sequence[bool]) -> Sequence[float]:
    there = sum(each for each, is_there in zip(usual, end, strict=True) if is_there)
    more = [share / there if is_there else 0.0 for is_there in end]
    return [each * (1 - share + times) for each, times in zip(usual, more, strict=True)]


@cache
def _times() -> Sequence[Sequence[float]]:
    """How many times as often values fall into each cell, where the reference is spread over them evenly."""
    normal, found = NormalDist(), list[Sequence[float]]()
    bounds = [normal.inv_cdf(edge) for edge in _EDGES]
    nominal = [upper - lower for lower, upper in pairwise((0.0, *_EDGES, 1.0))]
    moved = [NormalDist(sign * shift, 1.0) for shift in _SHIFTS for sign in (1, -1)]
    for each in (*moved, *(NormalDist(0.0, spread) for spread in _SPREADS)):
        ranks = (0.0, *(each.cdf(bound) for bound in bounds), 1.0)
        shares = [upper - lower for lower, upper in pairwise(ranks)]
        found.append([share / usual for share, usual in zip(shares, nominal, strict=True)])
    return found
