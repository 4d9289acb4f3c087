"""How many arrivals are usual in the last minutes, and which of them are the least probable."""

from detectors.volumes.flow import HOUR, RECALLED, Flow, Kind
from detectors.volumes.scatter import surprise

AMPLE = 4.0
"""With fewer expected than this nobody can tell much."""


class Expected:
    """What is usual at the hours of the last minutes, looked up once an hour; `state` is all it knows."""

    __slots__ = ("_by_hour", "state")

    def __init__(self, state: Flow) -> None:
        """Of a state in which enough hours are known, once it is asked."""
        self.state = state
        self._by_hour: dict[int, tuple[float, float]] = {}

    def forget(self) -> None:
        """What is usual has changed."""
        self._by_hour.clear()

    def usual(self, kind: Kind, length: int) -> float:
        """The least or the most that is usual in so many of the last minutes."""
        last = self.state.minute - 1
        hour, part, found = last // HOUR, last % HOUR + 1, 0.0
        while length > part:
            found += part * self.rate(kind, hour)
            length, hour, part = length - part, hour - 1, HOUR
        return found + length * self.rate(kind, hour)

    def rate(self, kind: Kind, hour: int) -> float:
        """The same by the minute, at an hour counted since 1970."""
        usual = self._by_hour.get(hour)
        if usual is None:
            seasons = self.state.seasons
            usual = self._by_hour[hour] = seasons.least(hour) / HOUR, seasons.most(hour) / HOUR
        return usual[kind == "surge"]

    def level(self, length: int) -> float:
        """What came before those minutes, over the least that is usual: at most 1, as where that is 0."""
        usual = self.usual("drop", RECALLED) - self.usual("drop", length)
        count = self.state.present(RECALLED) - self.state.present(length)
        return min(1.0, count / usual) if usual >= AMPLE else 1.0

    def _since(self, kind: Kind) -> int:
        """Of so many minutes the last fall, which has ended, says nothing."""
        return self.state.minute - 1 - self.state.fell if kind == "drop" else RECALLED

    def began(self, kind: Kind, level: float) -> tuple[int, float, float]:
        """How many of the last minutes are the least probable together, and both their counts."""
        last, arrived, usual = self.state.minute - 1, 0.0, 0.0
        worst, found = -1.0, (1, 0.0, 0.0)
        known = self.state.minutes[-self._since(kind) :]
        for back, count in enumerate(reversed(known)):
            arrived += count
            usual += level * self.rate(kind, (last - back) // HOUR)
            far = usual and (arrived < usual) == (kind == "drop") and surprise(arrived, usual)
            if far > worst:
                worst, found = far, (back + 1, arrived, usual)
        return found
