"""What came in so far: up to which offset, from which origins, and what waits for a first configuration."""

from msgspec import field

from routing.incidents.incident import Kept
from schemas.cause import AnyCause, ConfigFile, Configured

HELD_CAP = 10_000
"""Causes that wait for a first configuration; further ones go to the dead letters."""
ORIGIN_CAP = 10_000
"""Input partitions whose last offset is remembered; causes of further ones are taken as they come."""
DIGEST_CAP = 16
"""Digests of configurations that are remembered."""


class Held(Kept):
    """A cause that came before a configuration."""

    offset: int
    cause: AnyCause


class Intake(Kept):
    """`applied`: the highest offset of the log that was taken. `origins`: the highest (offset, n) of each.

    `digests`: of the configurations that were followed, the present one last, 16 at most.
    """

    applied: int = -1
    origins: dict[str, tuple[int, int]] = field(default_factory=dict)
    files: tuple[ConfigFile, ...] = ()
    held: list[Held] = field(default_factory=list)
    digests: tuple[str, ...] = ()

    def follow(self, cause: Configured, files: tuple[ConfigFile, ...]) -> None:
        """Notes the configuration that is followed from here on: its files, with calendars it lacked."""
        self.files = files
        known = [each for each in self.digests if each != cause.digest]
        self.digests = (*known[1 - DIGEST_CAP :], cause.digest)

    def knows(self, cause: AnyCause) -> bool:
        """Whether this cause came before: an input range that is folded again repeats its outputs."""
        origin = cause.origin
        if origin is None:
            return False
        return (origin.offset, origin.n) <= self.origins.get(origin.partition, (-1, -1))

    def remember(self, cause: AnyCause) -> None:
        """Notes where a cause came from."""
        origin = cause.origin
        if origin is not None and (origin.partition in self.origins or len(self.origins) < ORIGIN_CAP):
            self.origins[origin.partition] = (origin.offset, origin.n)
