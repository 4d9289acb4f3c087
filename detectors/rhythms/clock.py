"""How long silences last by one measure, and from where on one is longer than any that is usual.

The limit is an extreme quantile of the silences seen, by Weissman (1978), "Estimation of parameters and large
quantiles based on the k largest observations", with the tail index of Hill (1975): the heavier the tail, the
further beyond the longest silence seen. Its level is one silence in `SPAN_DAYS`. Where the measure is
itself a log of chance, its tail is known, and need not be estimated from so few silences.
"""

from math import exp, log

from msgspec import Struct

SPAN_DAYS = 180.0
"""Days in which one silence beyond the limit is expected: the clocks share 30 days, and err twofold."""
REMEMBERED_DAYS = 28.0
DAY_S = 86400.0
LONGEST = 10
FEWEST = 4
"""Silences before their tail can be told; until then it is taken for a middling one."""
UNKNOWN_TAIL = 0.5
LIGHTEST_TAIL = 0.1
SMALLEST_RATIO = 1.5
"""Over the longest silence seen."""


class Clock(Struct, array_like=True):
    """The state. `hours` that it has run; the longest silences `[length, when]` of 28 days, longest first."""

    hours: int = 0
    longest: list[list[float]] = []

    def learn(self, length: float, at: float) -> None:
        """A silence that is over, in the clock's own measure."""
        oldest = at - REMEMBERED_DAYS * DAY_S
        kept = [each for each in self.longest if each[1] >= oldest]
        if length > 0:
            kept = sorted([*kept, [length, at]], reverse=True)[:LONGEST]
        self.longest = kept

    @property
    def top(self) -> float:
        """The longest silence, 0 before there was any."""
        return self.longest[0][0] if self.longest else 0.0

    @property
    def tail(self) -> float:
        """Hill's estimate of the tail index: 0 for silences all alike, above 1 where they have no mean."""
        if len(self.longest) < FEWEST:
            return UNKNOWN_TAIL
        least = self.longest[-1][0]
        return sum(log(length / least) for length, _ in self.longest[:-1]) / (len(self.longest) - 1)

    def limit(self, days: float, least: float) -> float:
        """The length from which on a silence is unusual. `days` watched so far."""
        beyond: float = (SPAN_DAYS / (1 + min(days, REMEMBERED_DAYS))) ** self.tail
        return max(least, self.top * max(SMALLEST_RATIO, beyond))

    def confidence(self, length: float, limit: float) -> float:
        """1 - the chance that a day has so long a silence all the same, by the tail seen."""
        chance: float = (limit / length) ** (1 / max(LIGHTEST_TAIL, self.tail)) / SPAN_DAYS
        return 1 - chance

    def surprising(self, days: float, least: float) -> float:
        """The limit of a measure that is a log of chance: a silence longer by 1 is e times as rare."""
        return max(least, self.top + log(SPAN_DAYS / (1 + min(days, REMEMBERED_DAYS))))


def unlikely(length: float, limit: float) -> float:
    """Confidence in such nats."""
    return 1 - exp(limit - length) / SPAN_DAYS
