"""All fields that an agent computes of its inputs: at most 32, which share the false-alarm budget."""

from collections.abc import Iterator, Mapping
from math import inf

import msgspec
from msgspec import Struct

from detectors.inputs import field_reference, field_watch, recent_inputs
from detectors.inputs.field_reference import FieldLearning
from detectors.inputs.field_watch import FieldWatch
from detectors.inputs.holding import GIVEN_UP_S
from detectors.inputs.recent_inputs import RecentInputs, Who
from detectors.inputs.text_watch import FEWEST, PATIENCE_S, as_seldom
from schemas.event import Scalar

MOST_FIELDS, LONGEST = 32, 256
"""Names beyond these, longer ones, and those that first come late in the reference are not watched."""
_ROOM, _LEAST_ROOM = 12_000, 500
"""Numbers that are kept of a reference that is not full, of all fields, and of each at least."""
_KEPT = 128
_TIMES = 2.0
"""Texts have several channels, of which ties and mixtures lose evidence; one field has none to lose."""
_encode = msgspec.msgpack.encode


class Saved(Struct, array_like=True):
    """The moving part. `first`: when the first input came, POSIX seconds; `enough`: 0 while it is learnt."""

    first: float | None = None
    learnt: int = 0
    enough: float = 0.0
    recent: recent_inputs.Saved | None = None
    fields: dict[str, field_watch.Saved] = {}


_learnt = msgspec.msgpack.Decoder(dict[str, field_reference.Learnt])
_fixed = msgspec.msgpack.Decoder(dict[str, field_reference.Fixed])


class FeatureWatch:
    """`size`: inputs that make the reference. `apart`: between two false alarms at low traffic.

    `recent`: the last values, a column each field.
    """

    __slots__ = ("_enough", "_fields", "_first", "_learning", "_learnt", "apart", "recent", "size")

    def __init__(
        self, size: int, apart: float, saved: Saved | None = None, parts: Mapping[str, bytes] | None = None
    ) -> None:
        """`saved` and `parts`: what `save` gave."""
        saved, parts = saved or Saved(), parts or {}
        self.size = size
        self.apart = apart
        self._first, self._learnt, self._enough = saved.first, saved.learnt, saved.enough
        learnt = _learnt.decode(parts["features-learnt"]) if "features-learnt" in parts else {}
        self._learning = {name: FieldLearning(each) for name, each in learnt.items()}
        fixed = _fixed.decode(parts["features-reference"]) if "features-reference" in parts else {}
        self._fields = {
            name: FieldWatch(each, at, self._enough, saved.fields[name])
            for at, (name, each) in enumerate(fixed.items())
        }
        self.recent = RecentInputs("f", len(fixed), _KEPT, saved.recent)

    def take(self, features: Mapping[str, Scalar], who: Who, now: float) -> None:
        """The fields of one input."""
        if not self._enough:
            self._learn(features, now)
            return
        read = [field.read(features.get(name)) for name, field in self._fields.items()]
        self.recent.append(now, who, [raw for _, raw in read])
        for (cell, raw), field in zip(read, self._fields.values(), strict=True):
            field.take(now, cell, raw, self.recent)

    def _learn(self, features: Mapping[str, Scalar], now: float) -> None:
        if self._first is None:
            self._first = now
        self._learnt += 1
        fields, span_s = self._learning, now - self._first
        half = self._has(0.5, span_s)
        room = max(_LEAST_ROOM, _ROOM // max(1, len(fields)))
        for name, value in features.items():
            if name not in fields and not half and len(fields) < MOST_FIELDS and len(name) <= LONGEST:
                fields[name] = FieldLearning()
            if name in fields:
                fields[name].take(value, room)
        if self._has(1.0, span_s):
            self._begin(span_s)

    def _has(self, share: float, span_s: float) -> bool:
        """Whether this share of the reference is there, by number or, at low traffic, by time."""
        if self._learnt >= self.size * share:
            return True
        return self._learnt >= FEWEST * share and span_s >= PATIENCE_S * share

    def _begin(self, span_s: float) -> None:
        known = {name: fixed for name, each in self._learning.items() if (fixed := each.fixed())}
        self._learning = {}
        self._enough = as_seldom(self.apart, self._learnt, span_s) * _TIMES * max(1, len(known))
        self._fields = {
            name: FieldWatch(fixed, at, self._enough) for at, (name, fixed) in enumerate(known.items())
        }
        self.recent = RecentInputs("f", len(known), _KEPT)

    @property
    def holds(self) -> bool:
        """Whether any field's shift does: then inputs without features are to be taken too, as of none."""
        return bool(self._fields) and any(field.hold is not None for field in self._fields.values())

    @property
    def ends_at(self) -> float:
        """When the shifts that hold are given up, if no further input comes; never (inf) where none holds."""
        return self.recent.last + GIVEN_UP_S if self.holds else inf

    def end(self, now: float) -> None:
        """What holds is over."""
        for field in self._fields.values():
            if field.hold is not None:
                field.end(now)

    def fields(self) -> Iterator[tuple[str, FieldWatch]]:
        """The fields that have a reference, by name."""
        return ((name, self._fields[name]) for name in sorted(self._fields))

    def save(self) -> tuple[Saved, Mapping[str, bytes]]:
        """The moving part, and the large piece by name."""
        if self._enough:
            fixed = {name: field.fixed for name, field in self._fields.items()}
            moving = {name: field.save() for name, field in self._fields.items()}
            saved = Saved(self._first, self._learnt, self._enough, self.recent.save(), moving)
            return saved, {"features-reference": _encode(fixed)}
        saved = Saved(self._first, self._learnt)
        if self._first is None:
            return saved, {}
        learnt = {name: field.save() for name, field in self._learning.items()}
        return saved, {"features-learnt": _encode(learnt)}
