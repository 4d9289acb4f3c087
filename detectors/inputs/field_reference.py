"""What a field that agents compute of their inputs looked like in the reference.

Which values of a category are watched is settled in the first half of the reference, their shares are counted
in the second: the most frequent of many values are so partly by luck, and would seem to fall afterwards.
"""

from array import array
from math import isfinite
from typing import Literal

from msgspec import Struct

from detectors.inputs.indicators import Indicators
from detectors.inputs.quantities import Quantity
from detectors.inputs.ranked import Ranked
from schemas.event import Scalar

MOST_VALUES = 256
"""Different values of a category that are remembered."""
MOST_WATCHED = 16
"""The most frequent of them that are watched one by one."""
_FEWEST = 5
"""Times a value must have come to be one of those."""
_POINTS = 500
_LONGEST = 64
_OTHER, _NEVER_SEEN = "other values", "values never seen before"


class Shape(Struct, array_like=True):
    """What kind of field it is. `labels`: of the values watched, then of others and of those never seen."""

    kind: Literal["number", "category"]
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class Fixed(Struct, array_like=True):
    """A field's reference. `table`: sorted numbers as bytes; `shares`: by label, of `size` inputs."""

    shape: Shape
    table: bytes = b""
    shares: tuple[float, ...] = ()
    size: int = 0


class Values:
    """Turns values into raw ones: a number, or one bit for the label it falls under."""

    __slots__ = ("_known", "_places", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._places = {label: place for place, label in enumerate(shape.labels)}
        self._known = frozenset(shape.known)

    def place(self, value: Scalar) -> int:
        """The number of the label that a category's value falls under."""
        name = name_of(value)
        place = self._places.get(name)
        if place is not None:
            return place
        return self._places[_OTHER if name in self._known else _NEVER_SEEN]

    def raw(self, value: Scalar) -> float | None:
        """The raw value, or None for what is not of the field's kind."""
        return number_of(value) if self.shape.kind == "number" else 1 << self.place(value)


def settled(counts: dict[str, int], watched: int) -> Shape:
    """The shape of a category, by how often its values came. `watched`: of them at most."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    own = [name for name, count in ordered if count >= _FEWEST and name not in {_OTHER, _NEVER_SEEN}]
    known = tuple(name for name, _ in ordered)
    return Shape("category", (*own[: min(watched, MOST_WATCHED)], _OTHER, _NEVER_SEEN), known)


def table_of(numbers: "array[float]") -> bytes:
    """At most 500 numbers with the same distribution, sorted; at least one is given."""
    ordered = sorted(numbers)
    points = min(_POINTS, len(ordered))
    return array(
        "d", (ordered[(2 * at + 1) * len(ordered) // (2 * points)] for at in range(points))
    ).tobytes()


def quantity_of(fixed: Fixed) -> Quantity:
    """The reference as a quantity whose raw values `Values` gives."""
    if fixed.shape.kind == "number":
        return Ranked("value", array("d", fixed.table), ("rank", "spread", "top1"), unit="on average")
    return Indicators("value", fixed.shape.labels, fixed.shares, fixed.size)


def number_of(value: Scalar) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool | str):
        return None
    return float(value) if isfinite(value) else None


def name_of(value: Scalar) -> str:
    """A category's value as text, bounded."""
    return str(value).lower() if isinstance(value, bool) else str(value)[:_LONGEST]
