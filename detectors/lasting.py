"""Whether what is told of again and again has become normal.

A level that moved for good is told of by fits and starts where little happens: session by session, burst by
burst. What holds without a break has an onset to go by; this is for what does not.
"""

from msgspec import Struct

ADOPTED_S = 86400.0
"""What goes on for a day is the new normal."""
GAP_S = 6 * 3600.0
"""What was not told of for this long is over."""
FEWEST = 6
TOLD_S, LONGEST_TOLD_S = 300.0, 3 * 3600.0
SPACINGS = 3
FEWEST_SPACED = 3


class Lasting(Struct, array_like=True):
    """A run of tellings, from POSIX seconds `since` to `latest`."""

    since: float = 0.0
    latest: float = 0.0
    times: int = 0

    def hears(self, now: float) -> None:
        """It is told of once more."""
        if now - self.latest > GAP_S:
            self.since, self.times = now, 0
        self.latest = now
        self.times += 1

    @property
    def told_s(self) -> float:
        """Seconds to tell of what is over at once: five minutes or, if it comes often, thrice its spacing."""
        if self.times < FEWEST_SPACED:
            return TOLD_S
        spacing_s = (self.latest - self.since) / (self.times - 1)
        return min(LONGEST_TOLD_S, max(TOLD_S, SPACINGS * spacing_s))

    @property
    def is_normal(self) -> bool:
        """Whether it went on for a day."""
        return self.times >= FEWEST and self.latest - self.since >= ADOPTED_S
