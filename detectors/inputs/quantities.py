"""What is watched of an input: a quantity's distribution in the reference, and how far a value lies from it.

A quantity turns a raw value into *channels*: numbers in [0, 1] whose mean moves when the distribution does.
"""

from collections.abc import Iterator, Sequence
from math import gcd
from typing import Protocol

from msgspec import Struct


class Told(Struct, frozen=True):
    """How to tell of a channel: what moved, the unit of what is shown of it, its mean in the reference."""

    what: str
    unit: str
    usual: float


class Quantity(Protocol):
    """A quantity's reference."""

    name: str
    means: tuple[float, ...]
    """Mean of each channel in the reference."""
    variances: tuple[float, ...]
    """Variance of each channel in the reference."""

    def values(self, raw: float) -> Sequence[float]:
        """The channels of a value."""
        ...

    def spread_at(self, channel: int, level: float) -> float:
        """Variance to expect of a channel whose mean has become `level`."""
        ...

    def tells(self, channel: int, level: float) -> bool:
        """Whether a channel's mean that has become `level` is worth telling."""
        ...

    def unlike(self, raw: float, channel: int, level: float) -> bool:
        """Whether a value is one of those that moved the channel to `level`."""
        ...

    def told(self, channel: int) -> Told:
        """How to tell of a channel."""
        ...

    def shown(self, raw: float, channel: int) -> float:
        """What is told of a value."""
        ...

    def affected(self, raws: Sequence[float], channel: int) -> float:
        """The share of inputs, in [0, 1], that must be of another kind to explain the values."""
        ...


def strided(size: int) -> Iterator[int]:
    """0 to size - 1, each once, far from sorted: steps of about 0.618 of the size."""
    step = next(each for each in range(max(1, round(size * 0.618)), 2 * size + 2) if gcd(each, size) == 1)
    return (each * step % size for each in range(size))
