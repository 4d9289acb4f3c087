"""A row of numbers as a row of bars."""

from collections.abc import Sequence
from math import isfinite

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
WIDTH = 24


def sparkline(values: Sequence[float]) -> str:
    """The last 24 values, oldest first, scaled between their lowest and highest; what is no number is a dot.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    >>> sparkline([5, float("nan"), 5])
    '▁·▁'
    """
    shown = values[-WIDTH:]
    known = [value for value in shown if isfinite(value)]
    if not known:
        return GAP * len(shown)
    low, high = min(known), max(known)
    # Halved first: the difference of two huge numbers would overflow to infinity.
    spread = high / 2 - low / 2 or 1.0
    return "".join(_bar((value / 2 - low / 2) / spread) if isfinite(value) else GAP for value in shown)


def _bar(height: float) -> str:
    """`height` in [0, 1]."""
    return BARS[min(int(height * len(BARS)), len(BARS) - 1)]
