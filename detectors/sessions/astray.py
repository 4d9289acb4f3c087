"""Sessions of one kind that go astray, while they are told of: how many, the worst, whom they serve."""

from collections.abc import Mapping

from msgspec import Struct, field

from detectors.course import Course
from detectors.sessions.run import Run
from schemas.event import Event

MOST_KEPT = 16
MOST_OPEN = 256


class Entry(Struct, array_like=True):
    """One session: how far it went (`ratio` to the limit, `amount` and `usual` in the unit of `what`)."""

    ratio: float
    amount: float
    usual: float
    chance: float
    what: str
    spent: str
    event: str
    trace: str | None
    at: float
    tenant: str = ""
    user: str = ""


class Astray(Struct, array_like=True):
    """The state. `onset`: since when (POSIX seconds); `latest`: when one was last found to go astray.

    `course`: by minute, the ratio of the one that went furthest.
    """

    onset: float
    latest: float
    count: int = 0
    of: int = 0
    kept: dict[str, Entry] = {}
    open: dict[str, int] = {}
    course: Course = field(default_factory=Course)

    def take(self, session: str, entry: Entry) -> None:
        """A session that goes astray, or goes further."""
        if session not in self.open:
            self.count += 1
            self.latest = entry.at
            self.open[session] = 1
        self.kept[session] = entry
        self.course.reach(entry.at, entry.ratio)
        if len(self.kept) > MOST_KEPT:
            del self.kept[min(self.kept, key=lambda each: (self.kept[each].ratio, each))]
        if len(self.open) > MOST_OPEN:
            del self.open[next(iter(self.open))]

    def keep(self, running: Mapping[str, Run]) -> None:
        """Those that nobody follows any more do not go on."""
        for session in [each for each in self.open if each not in running]:
            del self.open[session]

    def over(self, now: float, told_s: float) -> bool:
        """Whether none goes on and the last was told for long enough."""
        return not self.open and now - self.latest >= told_s

    @property
    def worst(self) -> Entry:
        """The one that went furthest."""
        return max(self.kept.values(), key=lambda each: each.ratio)


def entry_of(event: Event, run: Run, now: float, found: tuple[str, float, float, float, float]) -> Entry:
    """A session as it is now; `found`: what, amount, limit, usual, chance."""
    what, amount, limit, usual, chance = found
    data = event.data
    return Entry(
        ratio=amount / limit,
        amount=amount,
        usual=usual,
        chance=chance,
        what=what,
        spent=run.spent(now),
        event=f"{event.source}/{event.id}",
        trace=event.traceparent[3:35] if event.traceparent else None,
        at=now,
        tenant=((data.tenant.id if data.tenant else None) or "")[:64],
        user=((data.user.id if data.user else None) or "")[:64],
    )
