"""Which conversations are new: those not heard of for a quarter of an hour or more in which others were.

Each generation of a quarter of an hour keeps the marks of whom it heard of. Where there are too many, only
those are kept whose marks end in so many zeros, and each stands for as many as are left out: adaptive
sampling (Wegman; Flajolet 1990, doi:10.1007/BF02241657).
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, Self
from zlib import crc32

from msgspec import Struct, field

from detectors.dense import numbers, rising_packed

GENERATION = 15
"""Minutes."""
MOST = 128
FEW = 3 * MOST // 8
CROWD = 12
"""Fewer that go on together are no surge."""
PAUSES = 2
REMEMBERED = 16
"""Generations of which it is known how coarsely they were counted: four hours."""


class Marks:
    """Whole numbers, each once."""

    __slots__ = ("marks",)

    def __init__(self, marks: Iterable[int] = ()) -> None:
        self.marks = set(marks)

    def packed(self) -> list[Any]:
        """What `unpacked` takes: in order."""
        return rising_packed(sorted(self.marks))

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved."""
        if not saved:
            return cls()
        first, count, gaps = saved
        marks = [first]
        for gap in numbers(gaps, count - 1):
            marks.append(marks[-1] + int(gap))
        return cls(marks)


class Visits(Struct, array_like=True):
    """The state: marks of this generation and of the one before.

    Kept are marks that end in `zeros` zero bits; counted are those that end in `counted` of them, which is
    more for a while after more began to be kept: for who of these is new, nobody can tell. `earlier`: what
    was `counted` in the generations before, the last one last; `paused`: how often this one went on.
    """

    now: Marks = field(default_factory=Marks)
    before: Marks = field(default_factory=Marks)
    zeros: int = 0
    counted: int = 0
    earlier: list[int] = []
    paused: int = 0

    def hears(self, name: str) -> int:
        """For how many new visits a conversation stands: 0 if it is none."""
        mark = crc32(name.encode("utf-8", "surrogatepass"))
        marks = self.now.marks
        if mark in marks or mark & (1 << self.zeros) - 1:
            return 0
        marks.add(mark)
        is_new = mark not in self.before.marks and not mark & (1 << self.counted) - 1
        worth = 1 << self.counted if is_new else 0
        while len(self.now.marks) > MOST:
            self.zeros += 1
            self.counted = max(self.counted, self.zeros)
            for each in (self.now, self.before):
                each.marks = {kept for kept in each.marks if not kept & (1 << self.zeros) - 1}
        return worth

    def turn(self) -> None:
        """Begins a generation."""
        self.earlier = [*self.earlier[1 - REMEMBERED :], self.counted]
        self.counted = self.zeros
        kept = max(1, len(self.now.marks))
        while self.zeros and kept < FEW:
            self.zeros -= 1
            kept *= 2
        self.before, self.now, self.paused = self.now, Marks(), 0

    def rest(self) -> None:
        """Nothing came in a generation: it goes on."""
        self.earlier = [*self.earlier[1 - REMEMBERED :], self.counted]

    def pause(self) -> None:
        """A pause began or ended in a generation: it goes on, but twice at most."""
        if self.paused < PAUSES and len(self.before.marks) + len(self.now.marks) >= CROWD:
            self.paused += 1
            self.rest()
        else:
            self.turn()

    def forget(self) -> None:
        """Nothing came for long: whoever comes is new, and counted."""
        self.before, self.now = Marks(), Marks()
        self.zeros, self.counted, self.earlier, self.paused = 0, 0, [], 0

    def worth(self, minutes: int) -> int:
        """For how many a visit stood in so many of the last minutes, at most."""
        return 1 << max(self.counted, *self.earlier[-ceil(minutes / GENERATION) :], 0)
