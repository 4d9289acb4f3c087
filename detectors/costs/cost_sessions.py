"""What each open session has cost so far, and which cost far more than the agent's sessions do.

Open sessions are bounded: beyond the cap the one untouched for longest is closed. The limit lies where, by
the tail of the agent's own history, less than one session in the wanted span would.
"""

from msgspec import Struct, field

from detectors.contrast import values
from detectors.costs.breakdown import Breakdown
from detectors.costs.log_tail import LogTail, rare
from detectors.course import Course
from detectors.lasting import Lasting
from schemas.event import Event

MOST_OPEN = 192
IDLE_S = 1800.0
"""A session untouched for this long counts as ended."""
WARM_UP = 100
"""Sessions learnt before any is judged."""
REMEMBERED = 20_000
SMALLEST_RATIO = 4.0
"""Over the usual cost, and over the dearest in a thousand sessions: no lower, no higher lies the limit."""
FRESH_ENOUGH = 50
"""The limit is drawn again when a fiftieth of the sessions is new."""
TOUCHED_S = 60.0
"""The order of last touch is kept to the minute."""
MOST_DEAR = 16
WELL, MOST_WELL = 8, 24
"""What is told is over after so many times as many others as came for each dear one, at most so many."""
GAPS = 12
"""It is over as well when none came for so many times as long as sessions lie apart, …"""
LONGEST_GAPS_S = 86400.0
"""… or for a day."""

Spent = list[float]
"""Cost in USD, and when it was last moved to the end of the order (POSIX seconds)."""


class Dear(Struct, array_like=True):
    """Sessions above the limit: cost and crossing event by conversation; since `onset`, last at `latest`.

    `money`: where that of their calls went since they were above it. `course`: by minute, what the
    dearest had cost by then. `well`: sessions that ended since `latest` and were none; `heard`: when any
    ended last, or was found to be one.
    """

    onset: float
    latest: float
    costs: dict[str, float] = {}
    open: dict[str, int] = {}
    events: dict[str, str] = {}
    count: int = 0
    calls: int = 0
    money: Breakdown = field(default_factory=Breakdown)
    course: Course = field(default_factory=Course)
    well: int = 0
    heard: float = 0.0

    def drop(self, session: str) -> None:
        """One session less to tell of."""
        del self.costs[session], self.events[session]
        self.open.pop(session, None)


class CostSessions(Struct, array_like=True):
    """The state. `spent` is in order of last touch."""

    spent: dict[str, Spent] = {}
    costs: LogTail = field(default_factory=LogTail)
    first: float = 0.0
    learnt: int = 0
    limit: float | None = None
    limited: int = 0
    usual: float = 0.0
    dear: Dear | None = None
    span_s: float = 0.0
    evicted: int = 0
    """Sessions that were closed because too many were open."""
    lasting: Lasting = field(default_factory=Lasting)
    begun: int = 0
    """Sessions that began since the budget last counted them."""

    def add(self, session: str, cost: float, now: float, event: Event) -> None:
        """Cost of one operation of a session."""
        spent = self.spent.get(session)
        if spent is None:
            spent = self._opened(session, now)
        spent[0] += cost
        if now - spent[1] >= TOUCHED_S:
            del self.spent[session]
            self.spent[session] = spent
            spent[1] = now
        if self.limit is not None and spent[0] > self.limit:
            self._crossed(session, spent[0], cost, now, event)

    def _opened(self, session: str, now: float) -> Spent:
        if len(self.spent) >= MOST_OPEN:
            self.evicted += 1
            self.end(next(iter(self.spent)), now)
        self.begun += 1
        spent = self.spent[session] = [0.0, now]
        return spent

    def _crossed(self, session: str, spent: float, cost: float, now: float, event: Event) -> None:
        dear = self.dear = self.dear or Dear(now, now)
        if session not in dear.costs:
            dear.latest = dear.heard = now
            dear.well = 0
            self.lasting.hears(now)
            dear.count += 1
            if len(dear.costs) >= MOST_DEAR:
                dear.drop(min(dear.costs, key=lambda each: (dear.costs[each], each)))
            dear.events[session] = f"{event.source}/{event.id}"
        dear.costs[session] = spent
        dear.open[session] = 1
        dear.calls += 1
        dear.course.reach(now, spent)
        usage = event.data.usage
        dear.money.take(values(event.data), usage.cost_component if usage else None, cost)

    def end(self, session: str, now: float) -> None:
        """A session is over: its cost is learnt, but no dear one as the dear session it was."""
        spent = self.spent.pop(session, None)
        if self.dear is not None:
            self.dear.open.pop(session, None)
        if spent is None or spent[0] <= 0:
            return
        self.first = self.first or now
        self.learnt += 1
        self.lasting.learns(spent[0], self.usual)
        if self.dear is not None:
            self.dear.heard = now
            self.dear.well += spent[0] <= (self.limit or 0.0)
        usual = spent[0] if self.limit is None else min(spent[0], self.limit / SMALLEST_RATIO)
        self.costs.add(usual, REMEMBERED)
        if self.costs.count >= WARM_UP and self.learnt >= self.limited + self.costs.count // FRESH_ENOUGH:
            self.limited = self.learnt
            self._limit(now)

    def _limit(self, now: float) -> None:
        """Where less than one session in `span_s` is expected, at the rate seen so far."""
        expected = max(self.learnt, self.learnt * self.span_s / max(1.0, now - self.first))
        self.usual, self.limit = rare(self.costs, expected, SMALLEST_RATIO)

    def settle(self, now: float) -> None:
        """Closes sessions long untouched; ends what is told: it is over, or a day has passed."""
        while self.spent:
            session = next(iter(self.spent))
            if now - self.spent[session][1] <= IDLE_S:
                break
            self.end(session, now)
        if self.dear is None:
            return
        if not self.dear.open:
            self.lasting.rests(now)
        if self.lasting.is_normal(now):
            self.adopt()
        elif not self.dear.open and now - self.dear.latest >= self.lasting.told_s:
            self._end_of(self.dear, now)

    def _end_of(self, dear: Dear, now: float) -> None:
        """Ends what is told where enough sessions were not dear since, or none comes any more."""
        apart = max(1.0, (self.lasting.count - dear.well) / max(1, self.lasting.times))
        gap_s = (dear.latest - self.first) / max(1, self.learnt) if self.first else 0.0
        if dear.well >= min(MOST_WELL, WELL * apart) or now - dear.heard >= min(LONGEST_GAPS_S, GAPS * gap_s):
            self.dear = None

    def adopt(self) -> None:
        """What sessions cost now is normal: learns it anew."""
        self.costs, self.first, self.learnt, self.limited = LogTail(), 0.0, 0, 0
        self.limit, self.dear, self.lasting = None, None, Lasting()
