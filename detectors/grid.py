"""When agents are asked what holds: at points of a grid of event time, those that it may have changed for."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import floor

GRID_S = 5.0
"""Findings are asked for at multiples of this event time."""
SPARE_WISHES = 64


def after(time_s: float) -> float:
    """The first point of the grid after a time."""
    return floor(time_s / GRID_S) * GRID_S + GRID_S


def _at_or_after(time_s: float) -> float:
    return -floor(-time_s / GRID_S) * GRID_S


class Grid:
    """Who is asked at the next point as something happened, and who wants to be asked though nothing does.

    `wanted`: when a key really wants to be asked; the heap may hold wishes that have been overtaken. Times in
    POSIX seconds of event time.
    """

    def __init__(self, wanted: Callable[[str], float | None]) -> None:
        self.due: dict[str, None] = {}
        self._wanted = wanted
        self._wishes: list[tuple[float, str]] = []

    def __bool__(self) -> bool:
        return bool(self.due or self._wishes)

    def asked(self, at: float) -> list[str]:
        """Keys to ask at a point of the grid, by name: an order that a restart does not change."""
        names, self.due = self.due, {}
        while self._wishes and self._wishes[0][0] <= at:
            wake_at, name = heappop(self._wishes)
            if self._wanted(name) == wake_at:
                names[name] = None
        return sorted(names)

    def following(self, at: float) -> float | None:
        """The next point after `at` at which somebody wants to be asked, or None."""
        return max(at + GRID_S, _at_or_after(self._wishes[0][0])) if self._wishes else None

    def wish(self, wake_at: float, name: str, keys: int) -> None:
        """Notes when a key, one of so many, wants to be asked; clears away what is overtaken now and then."""
        heappush(self._wishes, (wake_at, name))
        if len(self._wishes) > 4 * keys + SPARE_WISHES:
            self._wishes = sorted({each for each in self._wishes if self._wanted(each[1]) == each[0]})

    def wake_at(self, next_grid: float) -> float | None:
        """When somebody is to be asked though no event comes, or None."""
        if self.due:
            return next_grid
        return self._wishes[0][0] if self._wishes else None
