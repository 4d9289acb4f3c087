"""What embeddings of an agent's inputs looked like in the reference: centre, spread, and some to rank among.

Those to rank among have no part in centre and spread, so that ranks of others among them are calibrated.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float32]
MOST_ROWS = 192
_EVERY = 8
_FARTHEST = 7.9
_LARGEST = 1e9
_SMALLEST = 1e-9
_FINE = 127
_STEPS = 16
"""Standard deviations are kept in sixteenths, up to 7.9 of them."""


class Learnt(Struct, array_like=True):
    """Columns as bytes: sums, sums of squares; embeddings set apart, in 127ths of their greatest numbers."""

    count: int = 0
    sums: bytes = b""
    squares: bytes = b""
    rows: bytes = b""
    scales: bytes = b""


class Fixed(Struct, array_like=True):
    """A reference as it is saved. `rows`: signed bytes."""

    centre: bytes
    spread: bytes
    rows: bytes


class EmbeddingLearning:
    """Collects the embeddings of a reference, all of one `width`."""

    __slots__ = ("_rows", "_scales", "_squares", "_sums", "count")

    def __init__(self, width: int, learnt: Learnt | None = None) -> None:
        """`learnt`: what `save` gave."""
        self.count = learnt.count if learnt else 0
        self._rows = bytearray(learnt.rows if learnt else b"")
        self._scales = array("f", learnt.scales if learnt else b"")
        self._sums = np.frombuffer(learnt.sums).copy() if learnt else np.zeros(width)
        self._squares = np.frombuffer(learnt.squares).copy() if learnt else np.zeros(width)

    def take(self, embedding: Sequence[float]) -> None:
        """One embedding."""
        row = _bounded(embedding)
        self.count += 1
        if self.count % _EVERY == 0 and len(self._scales) < MOST_ROWS:
            self._scales.append(max(_SMALLEST, float(np.abs(row).max())) / _FINE)
            self._rows += np.rint(row / self._scales[-1]).astype(np.int8).tobytes()
            return
        self._sums += row
        self._squares += row * row

    def fixed(self) -> Fixed:
        """The reference; at least 16 were taken."""
        width = len(self._sums)
        rows = np.frombuffer(bytes(self._rows), np.int8).reshape(-1, width) * np.array(self._scales)[:, None]
        others = self.count - len(rows)
        centre = self._sums / others
        spread = np.sqrt(np.maximum(self._squares / others - centre * centre, 1e-12))
        steps = _steps(rows.astype(np.float32), centre.astype(np.float32), spread.astype(np.float32))
        return Fixed(
            centre.astype(np.float32).tobytes(), spread.astype(np.float32).tobytes(), steps.tobytes()
        )

    def save(self) -> Learnt:
        """The state exactly."""
        return Learnt(
            self.count,
            self._sums.tobytes(),
            self._squares.tobytes(),
            bytes(self._rows),
            self._scales.tobytes(),
        )


class EmbeddingReference:
    """`width`: of its embeddings. `rows`: those to rank among, in standard deviations."""

    __slots__ = ("_centre", "_spread", "fixed", "rows", "width")

    def __init__(self, fixed: Fixed) -> None:
        self.fixed = fixed
        self._centre = np.frombuffer(fixed.centre, np.float32)
        self._spread = np.frombuffer(fixed.spread, np.float32)
        self.width = len(self._centre)
        steps = np.frombuffer(fixed.rows, np.int8).reshape(-1, self.width)
        self.rows: Floats = steps.astype(np.float32) / np.float32(_STEPS)

    def standard(self, embedding: Sequence[float]) -> Floats:
        """An embedding in standard deviations from the centre."""
        steps: Floats = _steps(_bounded(embedding).astype(np.float32), self._centre, self._spread).astype(
            np.float32
        )
        return steps / np.float32(_STEPS)


def _bounded(embedding: Sequence[float]) -> NDArray[np.float64]:
    return np.clip(np.array(embedding, np.float64), -_LARGEST, _LARGEST)


def _steps(rows: Floats, centre: Floats, spread: Floats) -> NDArray[np.int8]:
    scaled = np.clip((rows - centre) / spread, -_FARTHEST, _FARTHEST) * _STEPS
    steps: NDArray[np.int8] = np.rint(scaled).astype(np.int8)
    return steps
