"""What a field that agents compute of their inputs looked like in the reference: a number or a category."""

from array import array
from math import isfinite
from struct import Struct as Layout

import msgspec
from msgspec import Struct

from detectors.inputs import category_cells
from detectors.inputs.category_cells import Values, settled
from detectors.inputs.category_cells import category_cells as cells_of_category
from detectors.inputs.cell_evidence import Cells
from detectors.inputs.indicators import Indicators
from detectors.inputs.number_cells import number_cells
from detectors.inputs.quantities import Quantity
from detectors.inputs.ranked import Ranked
from detectors.inputs.thinning import keeps, stays
from schemas.event import Scalar

_POINTS = 500
_LARGEST = 1e30
_SHORT = Layout("f")
FEWEST_VALUES = 50
"""Of a field in the reference, for it to be watched."""


class Learnt(Struct, array_like=True):
    """Values of a reference that is not yet full. `numbers`: one of each `stride` of `count`, as bytes."""

    seen: int = 0
    count: int = 0
    stride: int = 1
    numbers: bytes = b""
    values: Values = msgspec.field(default_factory=Values)


class Fixed(Struct, array_like=True):
    """A field's reference: sorted numbers as bytes of `size` that came, or a category."""

    size: int
    table: bytes = b""
    category: category_cells.Fixed | None = None


class FieldLearning:
    """Collects the values of a field. `seen`: that came."""

    __slots__ = ("_count", "_numbers", "_stride", "_values", "seen")

    def __init__(self, learnt: Learnt | None = None) -> None:
        """`learnt`: what `save` gave."""
        learnt = learnt or Learnt()
        self.seen, self._count, self._stride = learnt.seen, learnt.count, learnt.stride
        self._numbers = array("f", learnt.numbers)
        self._values = learnt.values

    def take(self, value: Scalar, room: int) -> None:
        """One value. `room`: numbers that are kept at most; of more, one of each two."""
        self.seen += 1
        self._values.take(value)
        number = number_of(value)
        if number is None:
            return
        if keeps(self._count, self._stride):
            self._numbers.append(number)
        self._count += 1
        if len(self._numbers) > room:
            half = (each for at, each in enumerate(self._numbers) if stays(at, self._stride))
            self._numbers = array("f", half)
            self._stride *= 2

    def fixed(self) -> Fixed | None:
        """The reference, of whatever kind most values are; None if they are too few."""
        if self.seen < FEWEST_VALUES:
            return None
        if 2 * self._count > self.seen:
            return Fixed(len(self._numbers), _table_of(self._numbers))
        return Fixed(self.seen, b"", settled(self._values))

    def save(self) -> Learnt:
        """The state exactly."""
        return Learnt(self.seen, self._count, self._stride, self._numbers.tobytes(), self._values)


def _table_of(numbers: "array[float]") -> bytes:
    """At most 500 numbers with the same distribution, sorted; at least one is given."""
    ordered = sorted(numbers)
    points = min(_POINTS, len(ordered))
    return array(
        "f", (ordered[(2 * at + 1) * len(ordered) // (2 * points)] for at in range(points))
    ).tobytes()


def cells_of(fixed: Fixed) -> Cells:
    """The reference in cells."""
    if fixed.category is None:
        return number_cells(array("f", fixed.table), fixed.size)
    return cells_of_category(fixed.category)


def quantity_of(fixed: Fixed) -> Quantity:
    """The reference as a quantity; of a category the raw value has one bit for the cell."""
    if fixed.category is None:
        return Ranked("value", array("f", fixed.table), ("rank", "spread", "top1"), unit="on average")
    return Indicators("value", fixed.category.labels, fixed.category.seen, fixed.size)


def number_of(value: Scalar) -> float | None:
    """A finite number within bounds, in the 32 bits of a reference, so that equal ones tie; or None."""
    if isinstance(value, bool | str) or (isinstance(value, float) and not isfinite(value)):
        return None
    short: float
    (short,) = _SHORT.unpack(_SHORT.pack(max(-_LARGEST, min(_LARGEST, value))))
    return short
