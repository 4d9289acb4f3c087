"""Multi-window burn rates with a guard for low traffic.

Windows and factors: Google, The Site Reliability Workbook, chapter 5. A burn rate is the rate of failures
over the error budget b = 1 - objective; both windows of a pair must reach its factor. The guard asks besides
that so many failures would be rare if the budget were just met, which keeps a quiet agent from paging by one
failure in five.
"""

from collections.abc import Callable
from math import exp, lgamma, log

from msgspec import Struct

LONG_CHANCE = 1e-5
SHORT_CHANCE = 1e-2
NEGLIGIBLE = 1e-17


class Pair(Struct, frozen=True):
    """Two windows (names and minutes) and the burn rate that both must reach."""

    long: str
    short: str
    long_minutes: int
    short_minutes: int
    factor: float


PAGING = (Pair("1h", "5m", 60, 5, 14.4), Pair("6h", "30m", 360, 30, 6.0))
TICKET = Pair("3d", "6h", 4320, 360, 1.0)
PAIRS = (*PAGING, TICKET)

Counted = Callable[[int], tuple[int, int]]
"""Failures and total over the last so many minutes."""


def reachable(budget: float) -> tuple[Pair, ...]:
    """The pairs that can hold at all: a factor k with k·b > 1 would need a failure rate above 1."""
    return tuple(pair for pair in PAIRS if pair.factor * budget <= 1)


def holding(counted: Counted, budget: float) -> tuple[Pair, ...]:
    """The pairs that hold now, guard included, fastest first."""
    return tuple(pair for pair in reachable(budget) if _holds(counted, pair, budget))


def exceeding(counted: Counted, pair: Pair, allowed: float) -> bool:
    """Whether so many failures in both windows would be rare even at the rate that is allowed."""
    (short_bad, short_total), (long_bad, long_total) = counted(pair.short_minutes), counted(pair.long_minutes)
    return (
        chance(short_bad, allowed * short_total) < SHORT_CHANCE
        and chance(long_bad, allowed * long_total) < LONG_CHANCE
    )


def rates(counted: Counted, pairs: tuple[Pair, ...], budget: float) -> dict[str, float]:
    """Burn rate by window name, for the windows of these pairs."""
    windows = {name: minutes for pair in pairs for name, minutes in _windows(pair)}
    return {name: burn_rate(*counted(minutes), budget) for name, minutes in windows.items()}


def burn_rate(bad: int, total: int, budget: float) -> float:
    """Failures over total over budget; 0 where nothing happened."""
    return bad / total / budget if total else 0.0


def chance(bad: int, expected: float) -> float:
    """P(N >= bad) of a Poisson count with the given mean.

    >>> chance(0, 0.5), round(chance(1, 0.5), 4)
    (1.0, 0.3935)
    """
    if bad <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if bad > expected:
        return _upper(bad, expected)
    return max(0.0, 1.0 - _lower(bad - 1, expected))


def _holds(counted: Counted, pair: Pair, budget: float) -> bool:
    return _exceeds(counted(pair.short_minutes), pair.factor, budget, SHORT_CHANCE) and _exceeds(
        counted(pair.long_minutes), pair.factor, budget, LONG_CHANCE
    )


def _exceeds(counts: tuple[int, int], factor: float, budget: float, rarer_than: float) -> bool:
    bad, total = counts
    return burn_rate(bad, total, budget) >= factor and chance(bad, budget * total) < rarer_than


def _windows(pair: Pair) -> tuple[tuple[str, int], tuple[str, int]]:
    return (pair.long, pair.long_minutes), (pair.short, pair.short_minutes)


def _term(count: int, expected: float) -> float:
    return exp(count * log(expected) - expected - lgamma(count + 1))


def _upper(count: int, expected: float) -> float:
    term = _term(count, expected)
    total = 0.0
    while term > NEGLIGIBLE * total:
        total += term
        count += 1
        term *= expected / count
    return total


def _lower(count: int, expected: float) -> float:
    term = _term(count, expected)
    total = 0.0
    while count >= 0 and term > NEGLIGIBLE * total:
        total += term
        term *= count / expected
        count -= 1
    return total
