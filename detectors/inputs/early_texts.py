"""Texts before they have a reference: ADWIN (Bifet & Gavaldà 2007) on their length and structure.

What changes while a reference is learnt is in it afterwards, and would be missed.
"""

from collections.abc import Sequence
from math import expm1, log1p

from msgspec import Struct

from detectors.inputs.adaptive_window import AdaptiveWindows
from detectors.inputs.text_reading import STRUCTURES, Reading

DELTA = 0.002
"""Of each ADWIN: a reference is learnt once, and few false alarms are wanted in all of it."""
LASTS = 256
"""Texts after which a change is told no more …"""
LASTS_S = 3600.0
"""… or seconds."""
_LONGEST = 4000
_SPAN = log1p(_LONGEST)
_CHANNELS = 1 + len(STRUCTURES)
_FLAGS = [[float(each >> at & 1) for at in range(len(STRUCTURES))] for each in range(1 << len(STRUCTURES))]
"""Which structures a text has, as numbers."""


class Change(Struct, array_like=True):
    """What changed, at what time (POSIX seconds), from what to what; `texts`: since."""

    time: float
    channel: int
    before: float
    after: float
    texts: int = 0

    @property
    def what(self) -> str:
        """In words."""
        return STRUCTURES[self.channel - 1] if self.channel else "length"

    @property
    def unit(self) -> str:
        """Of `usual` and `observed`."""
        return "share of inputs" if self.channel else "characters per input"

    @property
    def usual(self) -> float:
        """Before it; of lengths the geometric mean."""
        return self._shown(self.before)

    @property
    def observed(self) -> float:
        """After it."""
        return self._shown(self.after)

    def _shown(self, level: float) -> float:
        return level if self.channel else expm1(level * _SPAN)


class Saved(Struct, array_like=True):
    """The state."""

    windows: bytes = b""
    sums: list[float] = []
    texts: int = 0
    change: Change | None = None


class EarlyTexts:
    """`change`: the first; a reference is told of once. `texts`: that came."""

    __slots__ = ("_sums", "_windows", "change", "texts")

    def __init__(self, saved: Saved | None = None) -> None:
        """`saved`: what `save` gave."""
        saved = saved or Saved()
        self._windows = AdaptiveWindows(DELTA, _CHANNELS, saved.windows)
        self._sums = list(saved.sums) or [0.0] * _CHANNELS
        self.texts = saved.texts
        self.change = saved.change

    def take(self, now: float, reading: Reading) -> None:
        """One text, at `now` (POSIX seconds)."""
        if self.change is not None:
            self.change.texts += 1
            return
        values = min(1.0, log1p(reading.length) / _SPAN), *_FLAGS[reading.structure]
        self.texts += 1
        self._sums = [total + value for total, value in zip(self._sums, values, strict=True)]
        changed = self._windows.update(values)
        if changed:
            self.change = self._found(now, changed)

    def told(self, now: float) -> Change | None:
        """The change, as long as it is told."""
        change = self.change
        over = change is None or change.texts >= LASTS or now >= change.time + LASTS_S
        return None if over else change

    def _found(self, now: float, changed: Sequence[int]) -> Change:
        levels: list[tuple[float, int, float, float]] = []
        for at in changed:
            after, width = self._windows.level(at)
            before = (self._sums[at] - after * width) / (self.texts - width)
            levels.append((abs(after - before), at, max(0.0, before), after))
        _, most, before, after = max(levels)
        return Change(now, most, before, after)

    def save(self) -> Saved:
        """The state exactly."""
        if not self.texts:
            return Saved()
        return Saved(self._windows.save(), self._sums, self.texts, self.change)
