"""Embeddings of one agent's inputs: learns their reference first, then watches for a shift.

Two channels: how far an embedding is from the reference's centre, and how far it lies in the direction in
which the last ones lay, learnt before it came. Both as ranks among embeddings of the reference.
"""

from array import array
from collections.abc import Mapping, Sequence
from math import inf, isfinite

import msgspec
import numpy as np
from msgspec import Struct

from detectors.inputs import rank_tracking, recent_inputs
from detectors.inputs.embedding_reference import EmbeddingLearning, EmbeddingReference, Fixed, Floats, Learnt
from detectors.inputs.holding import GIVEN_UP_S, Hold
from detectors.inputs.rank_tracking import RankTracker, Telling, above
from detectors.inputs.ranked import GRID, WHOLE, Ranked
from detectors.inputs.recent_inputs import RecentInputs, Who
from detectors.inputs.shift_story import Story, story
from detectors.inputs.text_watch import FEWEST, PATIENCE_S, as_seldom

_HALF_LIFE = 150
_DECAY = np.float32(0.5 ** (1 / _HALF_LIFE))
_TOGETHER = 16
"""Embeddings after which the direction is learnt anew."""
_KEPT = 128
_SCALE = 256
_CHANNELS = (Telling(1.0, (0,)), Telling(1.0, (1,)))
_encode = msgspec.msgpack.encode
_fixed = msgspec.msgpack.Decoder(Fixed)
_learnt = msgspec.msgpack.Decoder(Learnt)


class Watched(Struct, array_like=True):
    """The moving part with a full reference. `waiting`: embeddings since `direction` was learnt.

    `lacking`: inputs without one since the last, while a shift holds.
    """

    enough: float
    tracker: rank_tracking.Saved
    recent: recent_inputs.Saved
    mean: bytes
    direction: bytes
    waiting: int
    lacking: int = 0


class Saved(Struct, array_like=True):
    """The moving part. `first`: when the first embedding came, POSIX seconds."""

    first: float | None = None
    width: int = 0
    watched: Watched | None = None


class _Watching:
    """Embeddings beside a reference."""

    __slots__ = (
        "_direction", "_enough", "_lacking", "_mean", "_quantities", "_recent", "_tables", "_tracker",
        "_waiting", "reference",
    )  # fmt: skip

    def __init__(self, reference: EmbeddingReference, enough: float, saved: Watched | None) -> None:
        self.reference = reference
        self._enough = saved.enough if saved else enough
        none = np.zeros(reference.width, np.float32)
        self._mean: Floats = np.frombuffer(saved.mean, np.float32).copy() if saved else none
        self._direction: Floats = np.frombuffer(saved.direction, np.float32) if saved else none
        self._waiting = saved.waiting if saved else 0
        self._lacking = saved.lacking if saved else 0
        far = array("i", sorted(_far(reference.rows)))
        self._tables = [far, array("i", sorted(_along(reference.rows, self._direction)))]
        self._quantities = (
            Ranked(
                "distance", far, ("rank", "top5"), unit="squared distance from the centre", scale=_SCALE,
                news="higher",
            ),
            Ranked("direction", GRID, ("top10", "top5", "top1"), unit="share of inputs", news="higher"),
        )  # fmt: skip
        self._tracker = RankTracker(
            self._quantities, _CHANNELS, [len(far)] * 2, self._enough, saved.tracker if saved else None
        )
        self._recent = RecentInputs("H", len(self._quantities), _KEPT, saved.recent if saved else None)

    def take(self, embedding: Sequence[float], who: Who, now: float) -> None:
        self._lacking = 0
        row = self.reference.standard(embedding)[None]
        (far,), (along,) = _far(row), _along(row, self._direction)
        ranks = (above(self._tables[0], far), above(self._tables[1], along))
        raws = (far, round(WHOLE * (1 - sum(ranks[1]) / (2 * len(self._tables[1])))))
        self._recent.append(now, who, raws)
        self._tracker.take(now, raws, ranks, self._recent)
        self._mean = self._mean * _DECAY + row[0] * (1 - _DECAY)
        self._waiting += 1
        if self._waiting == _TOGETHER:
            self._waiting = 0
            self._direction = self._mean
            self._tables[1] = array("i", sorted(_along(self.reference.rows, self._direction)))

    def lack(self, now: float) -> None:
        if self._tracker.hold is None:
            return
        self._lacking += 1
        if self._lacking == _KEPT:
            self.end(now)

    def end(self, now: float) -> None:
        self._lacking = 0
        self._tracker.end(now)

    @property
    def ends_at(self) -> float:
        return inf if self.hold is None else self._recent.last + GIVEN_UP_S

    @property
    def hold(self) -> Hold | None:
        return self._tracker.hold

    def story(self) -> Story | None:
        hold = self._tracker.hold
        return story(self._quantities, hold, self._recent) if hold else None

    def save(self) -> Watched:
        return Watched(
            self._enough,
            self._tracker.save(),
            self._recent.save(),
            self._mean.tobytes(),
            self._direction.tobytes(),
            self._waiting,
            self._lacking,
        )


class EmbeddingWatch:
    """`size`: embeddings that make the reference. `apart`: between two false alarms at low traffic."""

    __slots__ = ("_first", "_learning", "_watching", "_width", "apart", "size")

    def __init__(
        self, size: int, apart: float, saved: Saved | None = None, parts: Mapping[str, bytes] | None = None
    ) -> None:
        """`saved` and `parts`: what `save` gave."""
        saved = saved or Saved()
        self.size = size
        self.apart = apart
        self._first = saved.first
        self._width = saved.width
        learnt = _learnt.decode(parts["embedding-learnt"]) if parts and "embedding-learnt" in parts else None
        self._learning = EmbeddingLearning(saved.width, learnt)
        self._watching: _Watching | None = None
        if parts and saved.watched:
            reference = EmbeddingReference(_fixed.decode(parts["embedding-reference"]))
            self._watching = _Watching(reference, saved.watched.enough, saved.watched)

    def take(self, embedding: Sequence[float], who: Who, now: float) -> None:
        """One embedding; one of another width than the first, or not finite, counts as none.

        After 128 inputs without one a shift holds no longer: embeddings are sent no more.
        """
        if self._width == 0:
            self._width = len(embedding)
            self._first = now
            self._learning = EmbeddingLearning(self._width)
        if len(embedding) != self._width or not all(map(isfinite, embedding)):
            if self._watching is not None:
                self._watching.lack(now)
            return
        if self._watching is not None:
            self._watching.take(embedding, who, now)
        else:
            self._learn(embedding, now)

    def _learn(self, embedding: Sequence[float], now: float) -> None:
        learning = self._learning
        learning.take(embedding)
        span_s = now - (self._first or 0.0)
        if learning.count >= self.size or (learning.count >= FEWEST and span_s >= PATIENCE_S):
            enough = as_seldom(self.apart, learning.count, span_s)
            self._watching = _Watching(EmbeddingReference(learning.fixed()), enough, None)
            self._learning = EmbeddingLearning(0)

    def adopt(self, first: float | None, enough: float, reference: bytes) -> None:
        """Continues with no more than a reference that was saved; `enough`: between false alarms."""
        self._first = first
        self._watching = _Watching(EmbeddingReference(_fixed.decode(reference)), enough, None)
        self._width = self._watching.reference.width

    @property
    def ends_at(self) -> float:
        """When the shift that holds is given up, if no embedding comes; never (inf) where none holds."""
        return self._watching.ends_at if self._watching else inf

    def end(self, now: float) -> None:
        """What holds is over."""
        if self._watching:
            self._watching.end(now)

    @property
    def hold(self) -> Hold | None:
        """The shift that holds."""
        return self._watching.hold if self._watching else None

    def story(self) -> Story | None:
        """What to tell of the shift that holds."""
        return self._watching.story() if self._watching else None

    def save(self) -> tuple[Saved, Mapping[str, bytes]]:
        """The moving part, and the large piece by name."""
        if self._watching is not None:
            watched = Saved(self._first, self._width, self._watching.save())
            return watched, {"embedding-reference": _encode(self._watching.reference.fixed)}
        if self._width:
            return Saved(self._first, self._width), {"embedding-learnt": _encode(self._learning.save())}
        return Saved(), {}


def _far(rows: Floats) -> list[int]:
    """Mean squares, as whole numbers."""
    whole: list[int] = np.rint((rows * rows).mean(axis=1) * _SCALE).astype(np.int32).tolist()
    return whole


def _along(rows: Floats, direction: Floats) -> list[int]:
    """Lengths along the direction, as whole numbers; 0 while there is none."""
    norm = np.sqrt((direction * direction).sum())
    if norm == 0:
        return [0] * len(rows)
    whole: list[int] = np.rint((rows * (direction / norm)).sum(axis=1) * _SCALE).astype(np.int32).tolist()
    return whole
