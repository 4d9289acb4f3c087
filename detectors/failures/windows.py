"""Counts over sliding windows, in rings of minutes, ten minutes and hours.

Bounded by construction: at most 60 + 36 + 72 sparse rows. Rows age when something is added, so idling costs
nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from detectors.dense import Row, rows_packed, rows_unpacked

MINUTE_S, HOUR_S = 60.0, 3600.0
MINUTES = 60
TENS = 36
HOURS = 72


class Windows:
    """Rows `[index, count, …]` by minute (the last hour), ten minutes (six hours) and hour (three days).

    A minute is folded into the coarser rings when the next one begins; every row has the same number of
    counts. Kept as columns: two or three bytes a row where few things fail.
    """

    __slots__ = ("hours", "minutes", "tens")

    def __init__(
        self, minutes: Sequence[Row] = (), tens: Sequence[Row] = (), hours: Sequence[Row] = ()
    ) -> None:
        self.minutes, self.tens, self.hours = [*minutes], [*tens], [*hours]

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        return [rows_packed(each) for each in (self.minutes, self.tens, self.hours)]

    @classmethod
    def unpacked(cls, saved: Sequence[Any]) -> Self:
        """Goes on from what was saved."""
        return cls(*map(rows_unpacked, saved))

    def add(self, at: float, counts: Sequence[int]) -> None:
        """Counts that belong to `at`, POSIX seconds, never decreasing."""
        minute = int(at // MINUTE_S)
        if self.minutes:
            last = self.minutes[-1]
            if last[0] == minute:
                _join(last, counts)
                return
            _fold(self.tens, last, last[0] // 10, TENS)
            _fold(self.hours, last, last[0] // 60, HOURS)
            _expire(self.minutes, minute - MINUTES)
        self.minutes.append([minute, *counts])

    def last(self, at: float, minutes: int) -> Row:
        """Sums over the last `minutes`: up to 60 by minute, 360 by ten, 4,320 by hour; with the current one.

        Returns the counts alone; the empty row where nothing was counted. The oldest part is whole buckets,
        so a window of n buckets covers between n - 1 and n of them.
        """
        minute = int(at // MINUTE_S)
        if minutes <= MINUTES:
            return _sum(row for row in self.minutes if row[0] > minute - minutes)
        ring, size = (self.tens, 10) if minutes <= TENS * 10 else (self.hours, 60)
        oldest = minute // size - minutes // size
        rows = [row for row in ring if row[0] > oldest]
        rows += [row for row in self.minutes[-1:] if row[0] // size > oldest]
        return _sum(rows)

    @property
    def reach_s(self) -> float:
        """Seconds from the first hour that is known, of three days, to the last minute; something is."""
        first = self.hours[0][0] * HOUR_S if self.hours else self.minutes[0][0] * MINUTE_S
        return (self.minutes[-1][0] + 1) * MINUTE_S - first

    def series(self, at: float, minutes: int) -> list[Row]:
        """The counts of each of the last `minutes`, at most 60, oldest first; an idle one is an empty row."""
        minute = int(at // MINUTE_S)
        rows = {row[0]: row[1:] for row in self.minutes}
        return [rows.get(index, []) for index in range(minute - minutes + 1, minute + 1)]

    def ten(self, index: int) -> Row:
        """The counts of one closed ten-minute bucket (`index` = POSIX seconds // 600), or the empty row."""
        return next((row[1:] for row in reversed(self.tens) if row[0] == index), [])


def _join(row: Row, counts: Sequence[int]) -> None:
    for place, count in enumerate(counts, 1):
        row[place] += count


def _fold(ring: list[Row], row: Row, index: int, size: int) -> None:
    if ring and ring[-1][0] == index:
        _join(ring[-1], row[1:])
        return
    _expire(ring, index - size)
    ring.append([index, *row[1:]])


def _expire(ring: list[Row], oldest: int) -> None:
    """Drops what lies at or before `oldest`."""
    stale = 0
    while stale < len(ring) and ring[stale][0] <= oldest:
        stale += 1
    del ring[:stale]


def _sum(rows: Iterable[Row]) -> Row:
    return [sum(column) for column in zip(*rows, strict=True)][1:]
