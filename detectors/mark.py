"""What a partition remembers besides its agents."""

from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Any, Self

import msgspec

from detectors.clocks import Clocks
from detectors.crowd import Crowd
from detectors.misfits import KINDS, Kind, Misfits
from detectors.rhythms.intake import Received
from schemas.cause import ConfigFile

LARGEST = 253_402_300_799.0
"""No time is later than the year 9999, and nothing is counted so far."""
FARTHEST_S = 86400.0
"""The next point of the grid is five seconds away at most; each point in between would be asked."""
DIGESTS = 16
"""Digests of configurations that are remembered."""


class Mark(msgspec.Struct, array_like=True):
    """The partition's own state between two records. Times in POSIX seconds of event time."""

    watermark: float = -inf
    next_grid: float = -inf
    told: float = -inf
    digests: tuple[str, ...] = ()
    files: tuple[ConfigFile, ...] = ()
    late_events: int = 0
    future_events: int = 0
    crowd: Crowd = msgspec.field(default_factory=Crowd)
    misfits: dict[Kind, Misfits] = msgspec.field(default_factory=lambda: {kind: Misfits() for kind in KINDS})
    forgotten: dict[str, int] = {}
    """At which offset a detector was last switched off: older state of it is not taken up again."""
    received: Received = msgspec.field(default_factory=Received)
    unheard: int = 0
    """Events that the pulse of the partition has not counted yet: it does when time moves over the grid."""
    clocks: Clocks = msgspec.field(default_factory=Clocks)

    @classmethod
    def read(cls, written: bytes) -> Self:
        """The mark as this or an earlier version wrote it; counters that cannot be read begin anew.

        Raises:
            msgspec.MsgspecError: it does not even say how far time was, and what was followed.
            ValueError: something in it is no number to reckon with.
        """
        read = cls._read(written)
        times, rest = (read.watermark, read.next_grid, read.told), msgspec.to_builtins(read)[3:]
        for each in (*(each for each in times if each != -inf), *_numbers(rest)):
            if not abs(each) <= LARGEST:
                raise ValueError(f"expected numbers up to {LARGEST:g}, found {each}")
        if read.next_grid > -inf and not abs(read.next_grid - read.watermark) <= FARTHEST_S:
            raise ValueError(f"expected the next point near {read.watermark}, found {read.next_grid}")
        return read

    @classmethod
    def _read(cls, written: bytes) -> Self:
        with suppress(msgspec.ValidationError):
            return msgspec.msgpack.decode(written, type=cls)
        with suppress(msgspec.ValidationError):
            flat = msgspec.msgpack.decode(written, type=_Flat)
            crowd = Crowd(flat.overflowed, flat.capped_since, flat.capped_told, flat.capped_at)
            return cls(**_of(flat), crowd=crowd, forgotten=flat.forgotten)
        return cls(**_of(msgspec.msgpack.decode(written, type=_First)))

    def follow(self, files: tuple[ConfigFile, ...], digest: str) -> None:
        """Remembers what is followed from here on."""
        self.files = files
        known = [each for each in self.digests if each != digest]
        self.digests = (*known[1 - DIGESTS :], digest)


class _First(msgspec.Struct, array_like=True):
    """What every version had first."""

    watermark: float
    next_grid: float
    told: float
    digests: tuple[str, ...]
    files: tuple[ConfigFile, ...]
    late_events: int
    future_events: int


class _Flat(_First, array_like=True):
    """A mark before the crowd beyond the cap had a place of its own."""

    overflowed: int
    capped_since: float
    capped_told: float
    capped_at: float
    forgotten: dict[str, int]


def _numbers(value: Any) -> Iterator[float]:
    match value:
        case float() | int():
            yield value
        case dict():
            yield from _numbers([*value.values()])
        case list() | tuple():
            for each in value:
                yield from _numbers(each)


def _of(early: _First) -> dict[str, Any]:
    return {name: getattr(early, name) for name in _First.__struct_fields__}
