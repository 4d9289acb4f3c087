"""The last inputs of an agent: when, whose, and the raw values of what is watched of them."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from math import inf, isnan
from typing import Any, Literal

from msgspec import Struct

from schemas.signal import Blast

_MINUTE_S = 60.0
_MINUTES = 30
_SMOOTHED = 16

_DROPPED = 32
"""Rows that are dropped together."""
_HASHES = 65_535
"""Different sessions, users and tenants that are told apart: among so few rows hardly any two are one."""

Code = Literal["B", "H", "f"]
"""How raw values are kept: a byte, two, or a 32-bit float."""
Who = tuple[int, int, int]
"""Session, user and tenant as 16-bit hashes; 0 = none."""


def short(hashed: int) -> int:
    """16 bits of a hash; none stays none."""
    return hashed and hashed % _HASHES + 1


class Saved(Struct, array_like=True):
    """The table as bytes, row by row, in the machine's order (little-endian wherever this runs)."""

    times: bytes
    who: bytes
    raws: bytes


class RecentInputs:
    """A table of the last inputs; a row each, oldest first.

    `code`: of raw values. `width`: number of quantities. `kept`: rows once so many came, and up to 31 more.
    """

    __slots__ = ("_code", "_kept", "_raws", "_who", "_width", "times")

    def __init__(self, code: Code, width: int, kept: int, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        self._code: Code = code
        self._width = width
        self._kept = kept
        self.times = array("d", saved.times if saved else b"")
        self._who = array("H", saved.who if saved else b"")
        self._raws: Any = array(code, saved.raws if saved else b"")

    @property
    def last(self) -> float:
        """When the last input came; never (-inf) without any."""
        return self.times[-1] if self.times else -inf

    def append(self, now: float, who: Who, raws: Sequence[float]) -> None:
        """One input. `now`: POSIX seconds, never decreasing."""
        self.times.append(now)
        self._who.extend(who)
        self._raws.extend(raws)
        if len(self.times) >= self._kept + _DROPPED:
            del self.times[:_DROPPED]
            del self._who[: _DROPPED * len(who)]
            del self._raws[: _DROPPED * self._width]

    def only(self, quantity: int) -> "RecentInputs":
        """The table of one quantity, without the inputs that lack it (not a number)."""
        found = RecentInputs(self._code, 1, self._kept)
        for row, raw in enumerate(self.raws(quantity)):
            if not isnan(raw):
                found.times.append(self.times[row])
                found._who.extend(self._who[3 * row : 3 * row + 3])
                found._raws.append(raw)
        return found

    def raws(self, quantity: int) -> Sequence[float]:
        """A column: a quantity's raw values."""
        column: Sequence[float] = self._raws[quantity :: self._width]
        return column

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
