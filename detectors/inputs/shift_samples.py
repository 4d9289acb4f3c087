"""Up to three inputs to look at that are unlike the reference, redacted before they are kept."""

from collections.abc import Sequence

from detectors.inputs.ranked import UNLIKE
from detectors.redaction import redact
from schemas.event import Event
from schemas.signal import Sample

MOST_SAMPLES = 3
_APART = 16
"""Inputs between two samples: redaction costs more than all the rest."""
_READ, _LONGEST = 600, 280


class ShiftSamples:
    """The latest samples, oldest first, each with its POSIX time; `spacing`: inputs since the last."""

    __slots__ = ("kept", "spacing")

    def __init__(self, kept: Sequence[tuple[float, Sample]] = (), spacing: int = _APART) -> None:
        self.kept = list(kept)
        self.spacing = spacing

    def take(self, event: Event, text: str, out: float, now: float, patterns: Sequence[str]) -> None:
        """One input; `out`: how far out it lies in the reference, 0 to 1."""
        self.spacing += 1
        if out < UNLIKE or self.spacing < _APART:
            return
        self.spacing = 0
        self.kept = [*self.kept[1 - MOST_SAMPLES :], (now, _sample(event, text, patterns))]

    def since(self, onset: float) -> tuple[Sample, ...]:
        """Those that came at or after the onset, POSIX seconds."""
        return tuple(sample for time, sample in self.kept if time >= onset)


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
