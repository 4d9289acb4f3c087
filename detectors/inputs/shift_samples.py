"""Up to three inputs to look at that are unlike the reference, redacted before they are kept."""

from collections.abc import Sequence

from msgspec import Struct

from detectors.inputs.ranked import UNLIKE
from detectors.redaction import redact
from schemas.event import Event
from schemas.signal import Sample

MOST_SAMPLES = 3
_APART = 16
"""Inputs between two samples: redaction costs more than all the rest."""
_READ, _LONGEST = 600, 280


class Saved(Struct, array_like=True):
    """The latest samples, oldest first, each with its POSIX time; `spacing`: inputs since the last."""

    kept: list[tuple[float, Sample]] = []
    spacing: int = _APART


class ShiftSamples:
    """The latest samples of inputs that are far out."""

    __slots__ = ("_kept", "_spacing")

    def __init__(self, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        saved = saved or Saved()
        self._kept = list(saved.kept)
        self._spacing = saved.spacing

    def take(self, event: Event, text: str, out: float, now: float, patterns: Sequence[str]) -> None:
        """One input; `out`: how far out it lies in the reference, 0 to 1."""
        self._spacing += 1
        if out < UNLIKE or self._spacing < _APART:
            return
        self._spacing = 0
        self._kept = [*self._kept[1 - MOST_SAMPLES :], (now, _sample(event, text, patterns))]

    def since(self, onset: float) -> tuple[Sample, ...]:
        """Those that came at or after the onset, POSIX seconds."""
        return tuple(sample for time, sample in self._kept if time >= onset)

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(self._kept, self._spacing)


def _sample(event: Event, text: str, patterns: Sequence[str]) -> Sample:
    conversation = event.data.conversation
    shown = redact(text[:_READ], patterns)
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…",
        conversation=conversation.id if conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
