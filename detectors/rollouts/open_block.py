"""The open block of a stratum: its sessions as whole numbers of 16 bits, so that state is small and exact."""

from array import array
from collections.abc import Iterable

import numpy as np

from detectors.rollouts.blocks import Labels, Numbers

STEPS = 1024
"""Steps to one: a logarithm is kept to a tenth of a percent."""
LARGEST, MISSING = 32767, -32768


class Block:
    """A label and a row a session. `began`: POSIX seconds."""

    __slots__ = ("began", "labels", "rows")

    def __init__(self, began: float = 0.0, labels: bytes = b"", rows: bytes = b"") -> None:
        self.began = began
        self.labels = bytearray(labels)
        self.rows = array("h", rows)

    def add(self, values: Iterable[float], record: int, *, canary: bool) -> None:
        """A session: its values, NaN where it has none, and what its record is like."""
        self.rows.extend(_steps(each) for each in values)
        self.rows.append(record)
        self.labels.append(canary)

    def read(self) -> tuple[Numbers, Numbers, Labels]:
        """Values, a row a session; what records are like; whether each is a canary."""
        labels = np.frombuffer(bytes(self.labels), dtype=np.bool_)
        rows = np.array(self.rows, dtype=np.float64).reshape(len(labels), -1)
        values = rows[:, :-1]
        values[values == MISSING] = np.nan
        return values / STEPS, rows[:, -1], labels


def _steps(value: float) -> int:
    if value != value:  # noqa: PLR0124 - NaN
        return MISSING
    return max(-LARGEST, min(LARGEST, round(value * STEPS)))
