"""All fields that an agent computes of its inputs: at most 32, which share the false-alarm budget."""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from detectors.inputs import field_watch
from detectors.inputs.field_watch import FieldWatch
from detectors.inputs.recent_inputs import Who
from detectors.inputs.text_watch import FEWEST, PATIENCE_S
from schemas.event import Scalar

MOST_FIELDS = 32
"""Names beyond these, and names that first come in the second half of the reference, are not watched."""
_MOST_CHANNELS = 128
_FEWEST_CHANNELS = 4


Stage = Literal["names", "shares", "full"]
"""Of the reference: what there is, then how often, then done."""


class Saved(Struct, array_like=True):
    """The state of all fields. `first`: when the first input came, POSIX seconds; `learnt`: inputs learnt."""

    first: float | None
    learnt: int
    stage: Stage
    fields: dict[str, field_watch.Saved]


class FeatureWatch:
    """`size`: inputs that make the reference. `delta`: of each ADWIN of a lone field, in (0, 1)."""

    __slots__ = ("_fields", "_first", "_learnt", "_stage", "delta", "size")

    def __init__(self, size: int, delta: float, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self.size = size
        self.delta = delta
        self._first = saved.first if saved else None
        self._learnt = saved.learnt if saved else 0
        self._stage: Stage = saved.stage if saved else "names"
        self._fields = {name: FieldWatch(each) for name, each in saved.fields.items()} if saved else {}

    def take(self, features: Mapping[str, Scalar], who: Who, now: float) -> None:
        """The fields of one input."""
        fields = self._fields
        for name, value in features.items():
            field = fields.get(name)
            if field is not None:
                field.take(value, who, now)
            elif self._stage == "names" and len(fields) < MOST_FIELDS:
                fields[name] = field = FieldWatch()
                field.take(value, who, now)
        if self._stage != "full":
            self._count(now)

    def _count(self, now: float) -> None:
        if self._first is None:
            self._first = now
        self._learnt += 1
        span_s = now - self._first
        if self._stage == "names":
            if self._has(0.5, span_s):
                self._stage = "shares"
                channels = max(_FEWEST_CHANNELS, _MOST_CHANNELS // len(self._fields))
                for field in self._fields.values():
                    field.settle(channels)
        elif self._has(1.0, span_s):
            self._stage = "full"
            for field in self._fields.values():
                field.begin(self.delta / len(self._fields), self._learnt, span_s)
            self._fields = {name: field for name, field in self._fields.items() if field.watched}

    def _has(self, share: float, span_s: float) -> bool:
        """Whether this share of the reference is there, by number or, at low traffic, by time."""
        if self._learnt >= self.size * share:
            return True
        return self._learnt >= FEWEST * share and span_s >= PATIENCE_S * share

    def fields(self) -> Iterator[tuple[str, FieldWatch]]:
        """The fields, by name."""
        return ((name, self._fields[name]) for name in sorted(self._fields))

    def save(self) -> Saved:
        """The state exactly."""
        fields = {name: field.save() for name, field in self._fields.items()}
        return Saved(self._first, self._learnt, self._stage, fields)
