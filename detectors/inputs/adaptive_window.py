"""River's ADWIN as the detectors keep it: several windows side by side, saved as exact bytes.

Its windows alone, without the classes around them: those bring scipy along, which takes longer to load than
everything else together.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from river._river_rust import drift

_WINDOW: Any = drift.AdaptiveWindowing
"""River has no types. An object that gives and takes its state as bytes."""
_CLOCK, _MOST_BUCKETS, _SHORTEST, _GRACE = 32, 5, 5, 10
"""River's own defaults: values between two checks, buckets a row, values a side, values before any check."""


class AdaptiveWindows:
    """One ADWIN for each of `count` values in [0, 1] (Bifet & Gavaldà 2007, as River has it).

    `delta`: chance that one check of one window is a false alarm, in (0, 1), by a bound that is loose by far.
    """

    __slots__ = ("_delta", "_windows")

    def __init__(self, delta: float, count: int, saved: bytes = b"") -> None:
        """`saved`: what `save` gave; otherwise the windows are empty.

        Raises:
            ValueError, MsgspecError: `saved` is nothing that `save` gave.
        """
        self._delta = delta
        self._windows = self._empty(count)
        if saved:
            states = msgspec.msgpack.decode(saved, type=list[bytes])
            for window, state in zip(self._windows, states, strict=True):
                _restore(window, state)

    def _empty(self, count: int) -> list[Any]:
        return [_WINDOW(self._delta, _CLOCK, _MOST_BUCKETS, _SHORTEST, _GRACE) for _ in range(count)]

    def update(self, values: Iterable[float]) -> list[int]:
        """Takes one value for each window; returns the windows that found a change.

        A window that did is not begun anew: whoever wants that takes others.

        Raises:
            ValueError: what was saved was damaged; all windows begin anew.
        """
        try:
            found = [window.update(value) for window, value in zip(self._windows, values, strict=True)]
        except BaseException as error:
            if not _is_panic(error):
                raise
            self._windows = self._empty(len(self._windows))
            raise ValueError(f"windows were damaged, and begin anew: {error}") from None
        return [at for at, changed in enumerate(found) if changed] if True in found else []

    def level(self, at: int) -> tuple[float, int]:
        """The mean over a window that has values, and how many."""
        window = self._windows[at]
        width = int(window.get_width())
        return float(window.get_total()) / width, width

    def save(self) -> bytes:
        """The windows exactly."""
        return msgspec.msgpack.encode([bytes(window.__getstate__()) for window in self._windows])


def _restore(window: Any, state: bytes) -> None:
    try:
        window.__setstate__(state)
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise ValueError(f"a window is damaged: {error}") from None


def _is_panic(error: BaseException) -> bool:
    """Whether Rust gave up: no Exception, and of a class that cannot be imported. It would end the worker."""
    return type(error).__name__ == "PanicException"
