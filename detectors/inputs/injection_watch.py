"""Tells when attempts to give the agent other orders come in a burst.

The e-detector of a rate (Shin, Ramdas & Rinaldo 2023): likelihood ratios of several higher rates to the usual
one, summed up by the recursion of Shiryaev and Roberts.
"""

from collections.abc import Sequence
from math import inf

from msgspec import Struct

from detectors.inputs import recent_inputs
from detectors.inputs.holding import GIVEN_UP_S, Hold, opened
from detectors.inputs.indicators import Indicators
from detectors.inputs.recent_inputs import RecentInputs, Who
from detectors.inputs.shift_story import Story, story
from detectors.inputs.text_watch import as_seldom

WHAT = "attempts to give other orders"
_LEAST = 0.002
"""Share of inputs that is usual for any agent."""
_TIMES = (3.0, 10.0, 30.0)
"""How many times the usual share is looked for."""
_HALF, _HIGHEST = 0.5, 0.9
_KEPT = 64
_CHANNEL = ((0, 0),)


class Saved(Struct, array_like=True):
    """The state."""

    first: float | None = None
    enough: float = 0.0
    texts: int = 0
    attempts: int = 0
    sums: list[float] = []
    armed: float = float("-inf")
    hold: Hold | None = None
    recent: recent_inputs.Saved | None = None


class InjectionWatch:
    """`size`: texts whose share of attempts is the usual one; until then it is what is usual for any agent.

    `apart`: texts between two false alarms, at least and on average.
    """

    __slots__ = (
        "_armed", "_attempts", "_enough", "_first", "_gains", "_quantity", "_recent", "_sums", "_texts",
        "apart", "hold", "size",
    )  # fmt: skip

    def __init__(self, size: int, apart: float, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        saved = saved or Saved()
        self.size = size
        self.apart = apart
        self._first, self._enough = saved.first, saved.enough
        self._texts, self._attempts = saved.texts, saved.attempts
        self._sums = list(saved.sums) or [0.0] * len(_TIMES)
        self._armed = saved.armed
        self.hold = saved.hold
        self._recent = RecentInputs("B", 1, _KEPT, saved.recent)
        self._quantity = self._usual()
        self._gains = self._ratios()

    def _usual(self) -> Indicators:
        share = (self._attempts + 1) / (self._texts + 1) if self._enough else 0.0
        return Indicators("injection", (WHAT,), (min(_HALF, max(_LEAST, share)),), max(1, self._texts))

    def take(self, now: float, who: Who, attempts: int) -> None:
        """One text, at `now` (POSIX seconds); `attempts`: 1 if it is one, or 0."""
        self._recent.append(now, who, (attempts,))
        if not self._enough:
            self._learn(now, attempts)
        if self.hold is not None:
            if self.hold.weigh(self._quantity, attempts):
                self.end(now)
        elif self._grown(attempts) >= (self._enough or self.apart):
            self._sums = [0.0] * len(_TIMES)
            self.hold = opened(
                (self._quantity,), _CHANNEL, self._recent.since(self._armed), now, self._recent
            )

    def _learn(self, now: float, attempts: int) -> None:
        if self._first is None:
            self._first = now
        self._texts += 1
        self._attempts += attempts
        if self._texts >= self.size:
            self._enough = as_seldom(self.apart, self._texts, now - self._first)
            self._quantity = self._usual()
            self._gains = self._ratios()

    def _ratios(self) -> tuple[Sequence[float], Sequence[float]]:
        """Of each higher share to the usual one, for a text that is no attempt and for one that is."""
        usual = self._quantity.means[0]
        shares = [min(_HIGHEST, usual * times) for times in _TIMES]
        return [(1 - share) / (1 - usual) for share in shares], [share / usual for share in shares]

    def _grown(self, attempts: int) -> float:
        low, middle, high = self._gains[attempts]
        first, second, third = self._sums
        self._sums = [(first + 1) * low, (second + 1) * middle, (third + 1) * high]
        return sum(self._sums) / len(_TIMES)

    @property
    def ends_at(self) -> float:
        """When the burst that holds is given up, if no further text comes; never (inf) where none holds."""
        return inf if self.hold is None else self._recent.last + GIVEN_UP_S

    def end(self, now: float) -> None:
        """What holds is over."""
        self._armed, self.hold = now, None

    def story(self) -> Story | None:
        """What to tell of the burst that holds."""
        return story((self._quantity,), self.hold, self._recent) if self.hold else None

    def save(self) -> Saved:
        """The state exactly."""
        return Saved(
            self._first,
            self._enough,
            self._texts,
            self._attempts,
            self._sums,
            self._armed,
            self.hold,
            self._recent.save(),
        )
