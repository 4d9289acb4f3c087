"""How much of something the agent's sessions usually need, and from where on one of them goes astray.

Amounts are heavy-tailed, so the limit lies where, by the tail of the agent's own history (`log_tail`), less
than one session in the wanted span would; never below a floor that no person needs to hear of. Of few
sessions no tail is known: until there are enough it lies at twenty times what the largest of them needed, and
at ten times the floor.
"""

from math import inf

from msgspec import Struct, field

from detectors.costs.log_tail import LogTail, rare

RATIO = 4.0
"""Over the median, and over what one in a thousand exceeds: no lower, no higher lies the limit."""
WARM_UP = 100
"""Sessions learnt before any is judged by the tail."""
FEWEST, FAR, FAR_ABOVE = 20, 20.0, 10.0
"""Before, from so many sessions on, one that needs so many times the largest, and so many times the floor.

The first of a rare kind of work may need a hundred times what the others do.
"""
FRESH_ENOUGH, FEWEST_FRESH = 50, 10
"""The limit is drawn again when a fiftieth of the sessions is new, and at least ten are."""
REMEMBERED = 20_000


class UsualAmount(Struct, array_like=True):
    """The state. `limit`: what is above it goes astray; infinite until enough is learnt."""

    amounts: LogTail = field(default_factory=LogTail)
    first: float = 0.0
    learnt: int = 0
    limited: int = 0
    limit: float = inf
    usual: float = 0.0

    def learn(self, amount: float, now: float, span_s: float, floor: float) -> None:
        """What a session needed in the end; one that went astray teaches no more than a large one."""
        if amount <= 0:
            return
        self.first = self.first or now
        self.learnt += 1
        self.amounts.add(min(amount, self.limit / RATIO), REMEMBERED)
        fresh = max(FEWEST_FRESH, self.amounts.count // FRESH_ENOUGH)
        if FEWEST <= self.amounts.count < WARM_UP and not self.limited:
            self.usual, largest = self.amounts.quantiles(0.5, 1.0)
            self.limit = max(FAR_ABOVE * floor, FAR * largest)
        elif self.amounts.count >= WARM_UP and self.learnt >= self.limited + fresh:
            self.limited = self.learnt
            expected = max(self.learnt, self.learnt * span_s / max(1.0, now - self.first))
            self.usual, limit = rare(self.amounts, expected, RATIO)
            self.limit = max(floor, limit)

    def chance(self, amount: float) -> float:
        """How often a session needs as much, by the tail; 0.2 where too little is known to say."""
        return self.amounts.tail().chance(amount) if self.amounts.count >= WARM_UP else 0.2
