"""Whether what is told of again and again has become normal.

A level that moved for good is told of by fits and starts where little happens: session by session, burst by
burst. That is normal after a day if most of what came meanwhile was high; trouble that is rare and recurs is
trouble. Where it is told of without a break, a day is enough.
"""

from msgspec import Struct

ADOPTED_S = 86400.0
"""What goes on for a day is the new normal, …"""
FEWEST = 6
"""… if it was told of so often at least, …"""
HIGH, MOST_OF_IT = 1.5, 0.5
"""… and so large a part of all since was so many times the usual."""
GAP_S = 6 * 3600.0
"""What was not told of for this long is over."""
TOLD_S, LONGEST_TOLD_S = 300.0, 3 * 3600.0
SPACINGS = 3
FEWEST_SPACED = 3


class Lasting(Struct, array_like=True):
    """A run of tellings, from POSIX seconds `since` to `latest`; `high` of `count` amounts since were high.

    `unbroken`: since when there was no break of five minutes; `paused`: there is one now.
    """

    since: float = 0.0
    latest: float = 0.0
    times: int = 0
    count: int = 0
    high: int = 0
    unbroken: float = 0.0
    paused: bool = True

    def hears(self, now: float) -> None:
        """It is told of once more."""
        if now - self.latest > GAP_S:
            self.since, self.times, self.count, self.high = now, 0, 0, 0
        if self.paused:
            self.unbroken, self.paused = now, False
        self.latest = now
        self.times += 1

    def learns(self, amount: float, usual: float) -> None:
        """An amount that came meanwhile, whether it was told of or not."""
        if self.times:
            self.count += 1
            self.high += amount > HIGH * usual

    def rests(self, now: float) -> None:
        """Nothing goes on just now."""
        self.paused = self.paused or now - self.latest >= TOLD_S

    @property
    def told_s(self) -> float:
        """Seconds to tell of what is over at once: five minutes or, if it comes often, thrice its spacing."""
        if self.times < FEWEST_SPACED:
            return TOLD_S
        spacing_s = (self.latest - self.since) / (self.times - 1)
        return min(LONGEST_TOLD_S, max(TOLD_S, SPACINGS * spacing_s))

    def is_normal(self, now: float) -> bool:
        """Whether it went on for a day: without a break, or most of the time."""
        if not self.paused and now - self.unbroken >= ADOPTED_S:
            return True
        often = self.times >= FEWEST and self.latest - self.since >= ADOPTED_S
        return often and self.high >= MOST_OF_IT * self.count
