"""One order out of several partitions: causes wait until every partition's watermark has passed them.

Used where the clock is the events'. The partitions' causes arrive in any interleaving; they leave in order of
(time, partition, offset, number), so the same events give the same order.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush

from msgspec import field

from routing.incidents.incident import Kept
from routing.oncall.instants import utc
from schemas.cause import AnyCause, Hand, Signalled, Wake

HELD_CAP = 10_000
"""Causes that wait; at the cap the first in order leaves before its time, and is counted."""
Place = tuple[datetime, int, int, int]
Waiting = tuple[datetime, int, int, int, AnyCause]


class Watermarks(Kept):
    """What partitions told: how many there are, how far each is. `forced`: causes that left at the cap.

    A partition tells its watermark before its first signal; until one says otherwise it is alone.
    """

    partitions: int = 1
    told: dict[int, datetime] = field(default_factory=dict)
    forced: int = 0


class Alignment:
    """Holds causes back. `waiting`: what was saved of them."""

    def __init__(self, watermarks: Watermarks, waiting: Iterable[Waiting] = ()) -> None:
        self.watermarks = watermarks
        self._heap = list(waiting)
        heapify(self._heap)

    @property
    def waiting(self) -> list[Waiting]:
        """The causes that wait, in order."""
        return sorted(self._heap, key=_place)

    @property
    def first(self) -> datetime | None:
        """The time of the first cause that waits."""
        return self._heap[0][0] if self._heap else None

    def take(self, cause: AnyCause, offset: int) -> list[AnyCause]:
        """Takes the cause at `offset` of the log; gives those whose turn it is, in order."""
        if isinstance(cause, Wake):
            return list(self._woken(cause))
        if not isinstance(cause, Signalled | Hand):
            return [cause]
        low = self._low()
        at = utc(cause.at)
        if self.watermarks.partitions == 1 or (low is not None and at < low):
            return [cause]
        heappush(self._heap, (at, *_origin(cause, offset), cause))
        if len(self._heap) <= HELD_CAP:
            return []
        self.watermarks.forced += 1
        return [heappop(self._heap)[-1]]

    def end(self) -> list[AnyCause]:
        """All that waits, in order: nobody tells how far partitions are any more."""
        waiting = [each[-1] for each in self.waiting]
        self._heap.clear()
        return waiting

    def _woken(self, wake: Wake) -> Iterator[AnyCause]:
        """A partition's watermark lets pass what is before the lowest; a plain one, what is due by then."""
        at = utc(wake.at)
        if wake.partition is None:
            while self._heap and self._heap[0][0] <= at:
                yield heappop(self._heap)[-1]
            yield wake
            return
        marks = self.watermarks
        marks.partitions = wake.partitions or 1
        marks.told[wake.partition] = max(at, marks.told.get(wake.partition, at))
        low = self._low()
        if low is None:
            return
        while self._heap and self._heap[0][0] < low:
            yield heappop(self._heap)[-1]
        yield Wake(at=low)

    def _low(self) -> datetime | None:
        """How far all partitions are, or None while one has not said."""
        marks = self.watermarks
        told = [marks.told[each] for each in range(marks.partitions) if each in marks.told]
        return min(told) if told and len(told) == marks.partitions else None


def _origin(cause: AnyCause, offset: int) -> tuple[int, int, int]:
    """Partition, offset and number; what has no origin comes before all others of its time."""
    if cause.origin is None:
        return (-1, offset, 0)
    number = cause.origin.partition.rpartition("/")[2]
    return (int(number) if number.isdecimal() else -1, cause.origin.offset, cause.origin.n)


def _place(waiting: Waiting) -> Place:
    return waiting[:4]
