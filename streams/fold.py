"""The protocol of a fold: a pure object that takes the records of one partition in order and returns outputs.

Detect (`detectors.bank`) and route (`routing.router`) have this shape; the host runs either the same way.
State is a set of keys. Each key's state says up to which offset it has been applied, and a key skips what it
has seen, so a range may be folded again; the low-water offset says from where.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from schemas.record import Output, Record, Saved

Applying = Callable[[Sequence[Record]], Sequence[Sequence[Output] | Exception]]


class Fold(Protocol):
    """A fold over one partition."""

    @property
    def wake_at(self) -> float | None:
        """POSIX seconds at which it wants a waking record although nothing else comes, or None."""
        ...

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """Key and value of the record that tells it "it is `at_s`", to be appended to its own log."""
        ...

    def apply(self, record: Record) -> Sequence[Output]:
        """Takes the next record. A key whose state already contains the offset skips it."""
        ...

    def unsaved(self) -> Mapping[str, int]:
        """Keys that changed since they were saved, with the first offset that is not saved."""
        ...

    def save(self, key: str) -> Saved | None:
        """The state of a key as of now; it counts as saved from here on, until it changes again.

        None: the key is over, and what was saved of it is to be removed.

        A host whose write fails asks again, so a key that did not change can be saved, too.
        """
        ...

    def load(self, key: str, saved: Saved) -> None:
        """Restores a key (before the first record)."""
        ...

    def mark(self) -> bytes:
        """The state of the partition itself between two records (watermark, settings): small."""
        ...

    def resume(self, mark: bytes) -> None:
        """Restores the partition's own state (before the first record)."""
        ...


ONE_BY_ONE, TOGETHER = 200, 2_000
"""Records that are applied before everything else in the process has its turn."""


def turn_of(fold: Fold) -> int:
    """How many records a fold takes in one turn: more where it has a way of its own, which gains by it."""
    return TOGETHER if hasattr(fold, "apply_many") else ONE_BY_ONE


def applied(fold: Fold, records: Sequence[Record]) -> Sequence[Sequence[Output] | Exception]:
    """Applies records in order; for each its outputs, or what it raised. A fold may have a way of its own."""
    many: Applying | None = getattr(fold, "apply_many", None)
    if many is not None:
        return many(records)
    return [_applied(fold, record) for record in records]


def _applied(fold: Fold, record: Record) -> Sequence[Output] | Exception:
    try:
        return fold.apply(record)
    except Exception as fault:  # noqa: BLE001 - it concerns this record alone
        return fault
