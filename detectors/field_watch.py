"""One field that agents compute of their inputs: learns its reference first, then watches for a shift."""

from array import array
from collections.abc import Sequence
from math import isfinite
from typing import Literal

from msgspec import Struct

from detectors import shift_watch
from detectors.quantities import Indicators, Quantity, Ranked
from detectors.recent_inputs import Who
from detectors.shift_story import Story
from detectors.shift_tracking import Hold
from detectors.shift_watch import ShiftWatch, budgeted
from schemas.event import Scalar

MOST_VALUES = 256
"""Different values of a field that are remembered."""
MOST_WATCHED = 16
"""The most frequent of them that are watched one by one."""
_POINTS = 500
_LONGEST = 64
_KEPT = 128
_SHARE = {"number": 1.0, "category": 0.5}
"""Of `delta`: a category has more windows."""
_OTHER, _NEVER_SEEN = "other values", "values never seen before"


class Fixed(Struct, array_like=True):
    """A field's reference: a sorted table of numbers as bytes, or values watched, their shares, all known."""

    kind: Literal["number", "category"]
    table: bytes = b""
    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    size: int = 0


class Saved(Struct, array_like=True):
    """A field's state. `numbers`, `counts` while it is learnt; then `fixed` and `watch`."""

    seen: int
    numbers: bytes
    counts: dict[str, int]
    fixed: Fixed | None = None
    watch: shift_watch.Saved | None = None


class FieldWatch:
    """One field. Its values are the agent's own words: bounded here, redacted by whoever tells them."""

    __slots__ = ("_bits", "_counts", "_fixed", "_known", "_numbers", "_seen", "_watch")

    def __init__(self, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._seen = saved.seen if saved else 0
        self._numbers = array("d", saved.numbers if saved else b"")
        self._counts: dict[str, int] = dict(saved.counts) if saved else {}
        self._fixed: Fixed | None = None
        self._watch: ShiftWatch | None = None
        self._bits: dict[str, int] = {}
        self._known: frozenset[str] = frozenset()
        if saved and saved.fixed and saved.watch:
            self._follow(saved.fixed, saved.watch.delta, saved.watch)

    def _follow(self, fixed: Fixed, delta: float, saved: shift_watch.Saved | None = None) -> None:
        self._fixed = fixed
        self._known = frozenset(fixed.known)
        self._bits = {label: 1 << at for at, label in enumerate(fixed.labels)}
        self._watch = ShiftWatch((_quantity(fixed),), delta, _KEPT, saved)

    def take(self, value: Scalar, who: Who, now: float) -> None:
        """One value; what is not of the field's kind is passed over."""
        if self._fixed is None or self._watch is None:
            self._learn(value)
            return
        raw = self._raw(value, self._fixed)
        if raw is not None:
            self._watch.take(now, who, (raw,))

    def _learn(self, value: Scalar) -> None:
        number = _number(value)
        self._seen += 1
        if number is not None:
            self._numbers.append(number)
            return
        name = _name(value)
        if name in self._counts or len(self._counts) < MOST_VALUES:
            self._counts[name] = self._counts.get(name, 0) + 1

    def _raw(self, value: Scalar, fixed: Fixed) -> float | None:
        if fixed.kind == "number":
            return _number(value)
        name = _name(value)
        bit = self._bits.get(name)
        if bit is not None:
            return bit
        return self._bits[_OTHER] if name in self._known else self._bits[_NEVER_SEEN]

    def begin(self, delta: float, inputs: int, span_s: float, channels: int) -> None:
        """Ends learning. `delta`: of each ADWIN at low traffic; `channels`: of them at most, 4 or more."""
        fixed = self._learnt(channels)
        self._numbers = array("d")
        self._counts = {}
        self._follow(fixed, budgeted(delta * _SHARE[fixed.kind], inputs, span_s))

    def _learnt(self, channels: int) -> Fixed:
        if 2 * len(self._numbers) > self._seen:
            ordered = sorted(self._numbers)
            points = min(_POINTS, len(ordered))
            table = array("d", (ordered[(2 * at + 1) * len(ordered) // (2 * points)] for at in range(points)))
            return Fixed("number", table.tobytes(), size=len(ordered))
        return _categories(self._counts, min(MOST_WATCHED, channels - 2), self._seen)

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._watch.hold if self._watch else None

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        return self._watch.story(self._watch.hold) if self._watch and self._watch.hold else None

    def save(self) -> Saved:
        """The state exactly."""
        watch = self._watch.save() if self._watch else None
        return Saved(self._seen, self._numbers.tobytes(), self._counts, self._fixed, watch)


def _quantity(fixed: Fixed) -> Quantity:
    if fixed.kind == "number":
        return Ranked("value", array("d", fixed.table), ("rank", "spread", "top1"), unit="on average")
    return Indicators("value", fixed.labels, fixed.shares, fixed.size)


def _categories(counts: dict[str, int], watched: int, size: int) -> Fixed:
    """The share of values never seen is that of values seen once (Good 1953) or beyond what is remembered."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    names = [name for name, _ in ordered[:watched] if name not in {_OTHER, _NEVER_SEEN}]
    once = sum(count == 1 for count in counts.values()) + size - sum(counts.values())
    other = max(0, size - sum(counts[name] for name in names) - once)
    shares: Sequence[float] = [*(counts[name] / size for name in names), other / size, once / size]
    return Fixed(
        "category",
        b"",
        (*names, _OTHER, _NEVER_SEEN),
        tuple(shares),
        tuple(name for name, _ in ordered),
        size,
    )


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool | str):
        return None
    return float(value) if isfinite(value) else None


def _name(value: Scalar) -> str:
    return str(value).lower()[:_LONGEST] if isinstance(value, bool) else str(value)[:_LONGEST]
