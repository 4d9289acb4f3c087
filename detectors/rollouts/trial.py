"""The rollout that goes on: which release, at which share, since when, and what has been decided."""

from math import log, log1p

from msgspec import Struct

from detectors.rollouts.mix import BACK, SHARE
from schemas.signal import Sample

MOST_DONE = 16
MOST_SAMPLES = 3
ALONE_S = 900.0
FEWEST_ALONE = 20
OVER_S = 3600.0
"""A canary that was judged and has had no session for so long is over, if it would have had some; …"""
FORGOTTEN_S = 86400.0
"""… one that was not, after this; …"""
GIVEN_UP_S = 4 * 86400.0
"""… and either after this in any case: a day, with a long weekend before it."""
MISSED = log(1e6)
"""It would have had some where the chance of none is one in a million, by the minutes that had others."""


class Trial(Struct, array_like=True):
    """A canary's release under comparison, or none (the empty name). Times in POSIX seconds, 0 for never.

    `share`: the router's, None while nobody told. `announced`: another release whose share was told, and
    `announced_share`. `said`: the verdict since `decided`. `alone`: since when control has no sessions, and
    `canaries`: those since its last. `done`: releases that are over; their further sessions do not count.
    `stepped`: since when it has this share. `unmatched`: since when control lacks the like of
    too many canaries. Of the minutes in which anything was heard, up to the last canary: `heard`, and in how
    many a canary began, `hit`; `since` have come without; the last is `minute` (since 1970).
    """

    release: str = ""
    share: float | None = None
    announced: str = ""
    announced_share: float | None = None
    began: float = 0.0
    said: str = "hold"
    decided: float = 0.0
    alone: float = 0.0
    last_canary: float = 0.0
    last_control: float = 0.0
    canaries: int = 0
    samples: list[Sample] = []
    done: list[str] = []
    stepped: float = 0.0
    unmatched: float = 0.0
    minute: int = 0
    heard: int = 0
    hit: int = 0
    since: int = 0

    def announce(self, release: str, share: float) -> None:
        """The router's share of a release that is not compared (yet); the empty name is whichever comes."""
        self.announced, self.announced_share = release, share

    def start(self, release: str, now: float) -> None:
        """Another release is compared from here on."""
        share = self.announced_share if self.announced in {"", release} else None
        self.finish()
        self.release, self.share = release, share
        self.announced, self.announced_share = "", None
        self.began = self.stepped = self.last_canary = self.last_control = now

    def step(self, share: float, now: float) -> bool:
        """The canary has this share from here on; whether it is another one."""
        if share == self.share:
            return False
        self.share, self.stepped = share, now
        return True

    def finish(self) -> None:
        """Nothing is compared any more."""
        if self.release:
            self.done = [*self.done[1 - MOST_DONE :], self.release]
        self.release, self.share = "", None
        self.said, self.decided, self.alone = "hold", 0.0, 0.0
        self.canaries, self.samples, self.unmatched = 0, [], 0.0
        self.minute = self.heard = self.hit = self.since = 0

    def hear(self, now: float) -> None:
        """The agent does something, of whichever arm."""
        minute = int(now // 60)
        if minute != self.minute:
            self.minute = minute
            self.since += 1

    def came(self, now: float, *, canary: bool, counts: bool) -> None:
        """A session began; one of a canary that does not count shows no more than that it goes on."""
        if canary:
            self.hit += self.since > 0
            self.heard, self.since = self.heard + self.since, 0
            self.last_canary = now
            self.canaries += counts
        else:
            self.last_control, self.alone, self.canaries = now, 0.0, 0

    @property
    def is_missed(self) -> bool:
        """Whether its sessions would have come by now, as often as they came."""
        return not self.hit or -self.since * log1p(-self.hit / (self.heard + 1)) >= MISSED

    @property
    def over_at(self) -> float:
        """When it is over, if no further canary comes."""
        if not self.is_missed:
            return self.last_canary + GIVEN_UP_S
        return self.last_canary + (OVER_S if self.decided else FORGOTTEN_S)

    def match(self, share: float, now: float) -> None:
        """The part of its canaries that is of strata that control lacks."""
        if not self.unmatched and share >= SHARE:
            self.unmatched = now
        elif share < BACK:
            self.unmatched = 0.0

    def settle(self, verdict: str, now: float) -> None:
        """What is said, whether control has gone missing, and whether it is over."""
        if verdict != self.said:
            self.said, self.decided = verdict, now
        if now >= self.over_at:
            self.finish()
        elif not self.alone and self.canaries >= FEWEST_ALONE and now - self.last_control >= ALONE_S:
            self.alone = now
