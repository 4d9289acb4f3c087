"""What a partition remembers besides its agents."""

from math import inf

import msgspec

from detectors.clocks import Clocks
from detectors.crowd import Crowd
from detectors.misfits import KINDS, Kind, Misfits
from detectors.rhythms.intake import Received
from schemas.cause import ConfigFile

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

    def follow(self, files: tuple[ConfigFile, ...], digest: str) -> None:
        """Remembers what is followed from here on."""
        self.files = files
        known = [each for each in self.digests if each != digest]
        self.digests = (*known[1 - DIGESTS :], digest)
