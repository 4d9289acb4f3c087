"""The last inputs of an agent: when, whose, and the raw values of what is watched of them."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct

from schemas.signal import Blast

_MINUTE_S = 60.0
_MINUTES = 30
_SMOOTHED = 16

Who = tuple[int, int, int]
"""Session, user and tenant as 32-bit hashes; 0 = none."""


class Saved(Struct, array_like=True):
    """The table as bytes, row by row, in the machine's order (little-endian wherever this runs)."""

    times: bytes
    who: bytes
    raws: bytes


class RecentInputs:
    """A table of the last inputs; a row each, oldest first.

    `width`: number of quantities. `kept`: rows at least once so many came; twice as many at most.
    """

    __slots__ = ("_kept", "_raws", "_who", "_width", "times")

    def __init__(self, width: int, kept: int, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._kept = kept
        self._width = width
        self.times = array("d", saved.times if saved else b"")
        self._who = array("I", saved.who if saved else b"")
        self._raws = array("f", saved.raws if saved else b"")

    def append(self, now: float, who: Who, raws: Sequence[float]) -> None:
        """One input. `now`: POSIX seconds, never decreasing."""
        self.times.append(now)
        self._who.extend(who)
        self._raws.extend(raws)
        if len(self.times) >= 2 * self._kept:
            del self.times[: self._kept]
            del self._who[: self._kept * len(who)]
            del self._raws[: self._kept * self._width]

    def raws(self, quantity: int) -> Sequence[float]:
        """A column: a quantity's raw values."""
        return self._raws[quantity :: self._width]

    def since(self, time: float) -> int:
        """The first row at or after a time."""
        return bisect_left(self.times, time)

    def blast(self, rows: Sequence[int], share: float, onset: float) -> Blast:
        """Whom the inputs in `rows` came from; "at least" where the table does not reach to the onset."""
        sessions, users, tenants = ({self._who[3 * row + at] for row in rows} - {0} for at in range(3))
        return Blast(
            sessions=len(sessions),
            users=len(users),
            tenants=len(tenants),
            share=round(share, 4),
            capped=not self.times or self.times[0] > onset,
        )

    def by_minute(self, values: Sequence[float]) -> tuple[float, ...]:
        """A column's mean over 16 inputs, at the end of each of the last 30 minutes that have inputs."""
        ends: dict[float, float] = {}
        for at, time in enumerate(self.times, start=1):
            latest = values[max(0, at - _SMOOTHED) : at]
            ends[time // _MINUTE_S] = round(sum(latest) / len(latest), 4)
        return tuple(list(ends.values())[-_MINUTES:])

    def save(self) -> Saved:
        """The whole table."""
        return Saved(self.times.tobytes(), self._who.tobytes(), self._raws.tobytes())
