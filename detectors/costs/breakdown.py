"""Where the money goes: USD by version, model, provider, tool, tenant, cohort and component.

Each dimension names its heaviest values and counts the others together. What it names is too little by at
most what the others have; two breakdowns can be joined.
"""

from msgspec import Struct, field

from detectors.contrast import DIMENSIONS, OTHER, Tally, Values, contributors
from detectors.costs.periods import DAY_S
from schemas.signal import Contributor

KEPT, MOST = 8, 12
"""At more values than `MOST` the `KEPT` heaviest stay."""
FADES = 0.8
"""What a day's money counts against that of the day after it."""
POINTS = 100.0
"""Money is compared as that many events, whatever was spent."""
LONGEST = 64
COMPONENT = "component"
Amounts = dict[str, float]


class Breakdown(Struct, array_like=True):
    """USD altogether, and by dimension and value."""

    usd: float = 0.0
    by: dict[str, Amounts] = {}

    def add(self, dimension: str, value: str, usd: float) -> None:
        """Money of one value."""
        amounts = self.by.setdefault(dimension, {})
        amounts[value] = amounts.get(value, 0.0) + usd
        if len(amounts) > MOST:
            self.by[dimension] = _heaviest(amounts)

    def take(self, each: Values, component: str | None, usd: float) -> None:
        """Money of one operation."""
        self.usd += usd
        for dimension, value in zip((*DIMENSIONS, COMPONENT), (*each, component), strict=True):
            if value is not None:
                self.add(dimension, value[:LONGEST], usd)

    def spread(self, tally: Tally, usd: float) -> None:
        """Money of many, of which those of a tally were looked at: each value has its share of the weight."""
        self.usd += usd
        if tally.weight <= 0:
            return
        for dimension, weights in tally.by.items():
            for value, weight in weights.items():
                self.add(dimension, value, usd * weight / tally.weight)

    def join(self, other: "Breakdown", times: float = 1.0) -> None:
        """Another one's money, `times` it."""
        self.usd += times * other.usd
        for dimension, amounts in other.by.items():
            for value, usd in amounts.items():
                self.add(dimension, value, times * usd)

    def against(self, others: "Breakdown") -> tuple[Contributor, ...]:
        """Values with a fifth of the money that have 1.5 times the share that they have of the others'."""
        return contributors(_points(self), _points(others)) if self.usd > 0 and others.usd > 0 else ()

    def dearest(self, dimension: str) -> tuple[str, float] | None:
        """The value that most of the money goes to, and its share of all; None where none is named."""
        named = {value: usd for value, usd in self.by.get(dimension, {}).items() if value != OTHER}
        if not named or self.usd <= 0:
            return None
        value = max(named, key=lambda each: (named[each], each))
        return value, min(1.0, named[value] / self.usd)


class Money(Struct, array_like=True):
    """The money of today (UTC) and of the days before, which fade."""

    day: float = 0.0
    today: Breakdown = field(default_factory=Breakdown)
    before: Breakdown = field(default_factory=Breakdown)

    def is_over(self, at: float) -> bool:
        """Whether the day has ended by then."""
        return at // DAY_S != self.day

    def turn(self, at: float) -> bool:
        """Begins a new day where one has come, and says whether it has."""
        if not self.is_over(at):
            return False
        day = at // DAY_S
        before = Breakdown()
        before.join(self.before, FADES)
        before.join(self.today)
        self.day, self.today, self.before = day, Breakdown(), before
        return True

    def all(self) -> Breakdown:
        """Of today and before."""
        both = Breakdown()
        both.join(self.before)
        both.join(self.today)
        return both


def _heaviest(amounts: Amounts) -> Amounts:
    named = sorted((value for value in amounts if value != OTHER), key=lambda each: (-amounts[each], each))
    kept: Amounts = {value: amounts[value] for value in named[:KEPT]}
    kept[OTHER] = amounts.get(OTHER, 0.0) + sum(amounts[value] for value in named[KEPT:])
    return kept


def _points(money: Breakdown) -> Tally:
    shares = {
        dimension: {value: POINTS * (usd / money.usd) for value, usd in amounts.items()}
        for dimension, amounts in money.by.items()
    }
    return Tally(POINTS, shares)
