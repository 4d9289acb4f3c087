"""What is remembered of an agent's arrivals: the last four hours by the minute, and what is usual."""

from typing import Literal

from msgspec import Struct, field

from detectors.contrast import Recent
from detectors.metric import Memory
from detectors.volumes.change import Change
from detectors.volumes.scatter import Scatter
from detectors.volumes.seasons import Seasons
from detectors.volumes.visits import Visits
from schemas.signal import Sample

Kind = Literal["drop", "surge"]
HOUR = 60
RECALLED = 240
"""Minutes that are kept."""
NEVER = -10_000


class Flow(Struct, array_like=True):
    """The state. Times in minutes since 1970; `minute`: the open one, -1 before any came; `count`: in it.

    `heard`: when any event came last; `resumed`: when one came after none for a while; `whole`: whether the
    open hour was watched from its beginning; `named`: whether conversations are told; `suspect`: when it last
    was as it never was; `high`: since when there is more than usual; `told`: when changes of the last week
    were told; `fell`: when the last fall that ended was last seen; `late`: those who came in a minute and had
    begun long before; `accepted`: of what is usual that much is normal, until it is usual again; `paused`:
    for how long nothing came before `resumed`.
    """

    minute: int = -1
    count: int = 0
    heard: int = NEVER
    resumed: int = NEVER
    minutes: list[int] = field(default_factory=lambda: [0] * RECALLED)
    whole: bool = False
    named: bool = False
    visits: Visits = field(default_factory=Visits)
    seasons: Seasons = field(default_factory=Seasons)
    scatter: Scatter = field(default_factory=Scatter)
    memory: Memory = field(default_factory=Memory)
    suspect: int = NEVER
    high: int = 0
    changes: dict[Kind, Change] = {}
    told: dict[Kind, list[int]] = {}
    others: Recent = field(default_factory=Recent)
    last: Sample | None = None
    room: int = 0
    fell: int = NEVER
    late: dict[int, int] = {}
    accepted: dict[Kind, float] = {}
    paused: int = 0

    def sum(self, length: int) -> int:
        """Arrivals of so many minutes."""
        return sum(self.minutes[-length:])

    def present(self, length: int) -> int:
        """The same with those who came in them and had begun long before: nobody is missing who came."""
        late = sum(count for minute, count in self.late.items() if minute >= self.minute - length)
        return self.sum(length) + late

    def forget_late(self) -> None:
        """Nobody asks for longer ago."""
        if self.late:
            oldest = self.minute - RECALLED
            self.late = {minute: count for minute, count in self.late.items() if minute >= oldest}

    @property
    def of_the_hour(self) -> int:
        """Arrivals of the open hour."""
        passed = self.minute % HOUR
        return self.count + (self.sum(passed) if passed else 0)
