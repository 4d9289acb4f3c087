"""The highest of the last hours: a monotone queue."""

from msgspec import Struct

MOST = 100


class Highest(Struct, array_like=True):
    """(seconds, value), ever later and lower; the first is the highest."""

    queue: list[tuple[float, float]] = []

    def since(self, began: float) -> float:
        """The highest since then, -1 if there is none."""
        queue = self.queue
        while queue and queue[0][0] < began:
            queue.pop(0)
        return queue[0][1] if queue else -1.0

    def push(self, at: float, value: float) -> None:
        """One more; beyond a hundred that fall steadily, lower ones are left out."""
        queue = self.queue
        while queue and queue[-1][1] <= value:
            queue.pop()
        if len(queue) < MOST:
            queue.append((at, value))
