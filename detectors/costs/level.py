"""Whether an agent spends more than is usual just now: spent over usual, of late, over several spans.

Part of such a ratio is chance. How far it strays by itself is learnt; a logarithm of it that is not beyond
that counts as nothing, one far beyond it as it is (the positive-part estimator of James & Stein 1961).
"""

from math import exp, log

from msgspec import Struct

SPANS_S = (900.0, 3600.0, 7200.0, 14_400.0, 43_200.0, 86_400.0, 345_600.0)
"""A forecast looks back a quarter as long as it looks ahead, over the longest of these that is not longer."""
AHEAD = 4.0
MEMORY_S = 14 * 86_400.0
BELIEVED, BELIEVED_S = 0.15**2, 2 * 86_400.0
"""Variance of the logarithm that is believed at first, and the weight of it in seconds."""
MOST, NEVER_BELOW = 4.0, 0.05**2
"""A square counts as four times the mean one at most: half a day of thrice the usual is no chance."""
SURE = 9.0
LEAST = 0.1
"""Share of a mean span's spend that is added to both sides: nights of next to nothing say little."""


class Lately(Struct, array_like=True):
    """Spent and usual in USD, fading with `span_s`; squares of the ratio's logarithm, and their seconds."""

    span_s: float
    spent: float = 0.0
    usual: float = 0.0
    squares: float = BELIEVED * BELIEVED_S
    seconds: float = BELIEVED_S

    def take(self, seconds: float, spent: float, usual: float, least: float) -> None:
        """USD spent and usual in so many seconds. `least`: the usual mean, USD a second."""
        stays = exp(-seconds / self.span_s)
        gain = self.span_s * (1 - stays) / seconds
        self.spent = self.spent * stays + spent * gain
        self.usual = self.usual * stays + usual * gain
        fades = exp(-seconds / MEMORY_S)
        most = MOST * max(NEVER_BELOW, self.squares / self.seconds)
        self.squares = self.squares * fades + seconds * min(most, self.off(least) ** 2)
        self.seconds = self.seconds * fades + seconds

    def off(self, least: float) -> float:
        """The logarithm of spent over usual."""
        more = LEAST * least * self.span_s
        return log((self.spent + more) / (self.usual + more)) if more > 0 else 0.0

    def level(self, least: float) -> tuple[float, float]:
        """By what factor it goes on, and the standard deviation of its logarithm."""
        off, chance = self.off(least), self.squares / self.seconds
        believed = max(0.0, 1 - SURE * chance / (off * off)) if off else 0.0
        return exp(believed * off), believed * chance**0.5


def all_spans() -> list[Lately]:
    """One for each span."""
    return [Lately(span) for span in SPANS_S]


def fitting(spans: list[Lately], ahead_s: float) -> Lately:
    """The one for a forecast of so many seconds."""
    return next((each for each in reversed(spans) if each.span_s <= ahead_s / AHEAD), spans[0])
