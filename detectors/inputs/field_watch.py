"""One field that agents compute of their inputs: learns its reference first, then watches for a shift."""

from array import array

from msgspec import Struct

from detectors.inputs import shift_watch
from detectors.inputs.field_reference import (
    MOST_VALUES,
    Fixed,
    Shape,
    Values,
    name_of,
    number_of,
    quantity_of,
    settled,
    table_of,
)
from detectors.inputs.holding import Hold
from detectors.inputs.recent_inputs import Who
from detectors.inputs.shift_story import Story
from detectors.inputs.shift_watch import ShiftWatch, budgeted
from schemas.event import Scalar

_KEPT = 128
_SHARE = {"number": 1.0, "category": 0.35}
"""Of `delta`: a category has more windows."""


class Saved(Struct, array_like=True):
    """A field's state. Learning: `numbers`, `counts`, later `shape`, `places`; watching: `fixed`, `watch`."""

    seen: int
    numbers: bytes
    counts: dict[str, int]
    shape: Shape | None
    places: list[int]
    fixed: Fixed | None = None
    watch: shift_watch.Saved | None = None


class FieldWatch:
    """One field. Its values are the agent's own words: bounded here, redacted by whoever tells them."""

    __slots__ = ("_counts", "_fixed", "_numbers", "_places", "_seen", "_values", "_watch")

    def __init__(self, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._seen = saved.seen if saved else 0
        self._numbers = array("d", saved.numbers if saved else b"")
        self._counts: dict[str, int] = dict(saved.counts) if saved else {}
        self._values = Values(saved.shape) if saved and saved.shape else None
        self._places = list(saved.places) if saved else []
        self._fixed = saved.fixed if saved else None
        self._watch: ShiftWatch | None = None
        if saved and saved.fixed and saved.watch:
            self._watch = ShiftWatch((quantity_of(saved.fixed),), saved.watch.delta, _KEPT, saved.watch)

    def take(self, value: Scalar, who: Who, now: float) -> None:
        """One value; what is not of the field's kind is passed over."""
        if self._watch is None or self._values is None:
            self._learn(value)
            return
        raw = self._values.raw(value)
        if raw is not None:
            self._watch.take(now, who, (raw,))

    def _learn(self, value: Scalar) -> None:
        number = number_of(value)
        self._seen += 1
        if number is not None:
            self._numbers.append(number)
        if self._values is None:
            name = name_of(value)
            if number is None and (name in self._counts or len(self._counts) < MOST_VALUES):
                self._counts[name] = self._counts.get(name, 0) + 1
        elif self._values.shape.kind == "category":
            self._places[self._values.place(value)] += 1

    def settle(self, channels: int) -> None:
        """Half of the reference is there: decides what is watched. `channels`: ADWINs at most, 4 or more."""
        numeric = 2 * len(self._numbers) > self._seen
        shape = Shape("number") if numeric else settled(self._counts, channels - 2)
        self._counts = {}
        self._values = Values(shape)
        self._places = [0] * len(shape.labels)

    def begin(self, delta: float, inputs: int, span_s: float) -> None:
        """The reference is full. `delta`: of each ADWIN at low traffic."""
        fixed = self._learnt(self._values.shape) if self._values else None
        self._numbers = array("d")
        self._places = []
        if fixed is not None:
            self._fixed = fixed
            share = _SHARE[fixed.shape.kind]
            self._watch = ShiftWatch((quantity_of(fixed),), budgeted(delta * share, inputs, span_s), _KEPT)

    def _learnt(self, shape: Shape) -> Fixed | None:
        if shape.kind == "number":
            return Fixed(shape, table_of(self._numbers))
        size = sum(self._places)
        return Fixed(shape, b"", tuple(each / size for each in self._places), size) if size else None

    @property
    def watched(self) -> bool:
        """Whether there is a reference to watch it against: not where no value came in its second half."""
        return self._watch is not None

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._watch.hold if self._watch else None

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        return self._watch.story(self._watch.hold) if self._watch and self._watch.hold else None

    def save(self) -> Saved:
        """The state exactly."""
        shape = self._values.shape if self._values else None
        watch = self._watch.save() if self._watch else None
        return Saved(
            self._seen, self._numbers.tobytes(), self._counts, shape, self._places, self._fixed, watch
        )
