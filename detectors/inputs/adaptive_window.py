"""River's ADWIN as the detectors keep it: several windows side by side, saved as exact bytes."""

from collections.abc import Iterable
from typing import Any

import msgspec
from river.drift import ADWIN

_ADWIN: Any = ADWIN
"""River has no types."""
_INNER = "_helper"
"""Where ADWIN holds its window: an object that gives and takes its state as bytes."""


class AdaptiveWindows:
    """One ADWIN for each of `count` values in [0, 1] (Bifet & Gavaldà 2007, as River has it).

    `delta`: chance that one check of one window is a false alarm, in (0, 1), by a bound that is loose by far.
    """

    __slots__ = ("_windows",)

    def __init__(self, delta: float, count: int, saved: bytes = b"") -> None:
        """`saved`: what `save` gave; otherwise the windows are empty."""
        self._windows: list[Any] = [_ADWIN(delta=delta) for _ in range(count)]
        if saved:
            states = msgspec.msgpack.decode(saved, type=list[bytes])
            for window, state in zip(self._windows, states, strict=True):
                window.__getstate__()[_INNER].__setstate__(state)

    def update(self, values: Iterable[float]) -> list[int]:
        """Takes one value for each window; returns the windows that found a change."""
        changed: list[int] = []
        for at, (window, value) in enumerate(zip(self._windows, values, strict=True)):
            window.update(value)
            if window.drift_detected:
                changed.append(at)
        return changed

    def level(self, at: int) -> tuple[float, int]:
        """The mean over a window, and how many values it has."""
        window = self._windows[at]
        return float(window.estimation), int(window.width)

    def save(self) -> bytes:
        """The windows exactly."""
        states = [bytes(window.__getstate__()[_INNER].__getstate__()) for window in self._windows]
        return msgspec.msgpack.encode(states)
