"""What to say of a budget: how much will be, or is, spent; when it is gone; where most of the money goes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from detectors.costs.breakdown import Money
from detectors.costs.budget import SPENT, STEPS, Budget
from detectors.costs.hourly import DAY
from detectors.costs.periods import start_of
from detectors.detector import Finding, Unworded
from schemas.signal import Blast, Contributor

HISTORY = 30
RISING = 1.1
MOST = 0.5
"""Share of the money that is most of it."""
WORDS = {"hour": "%H:%M UTC", "day": "%H:%M UTC"}
MOST_TIMES = 1e6
LATER = "%a %d %b %H:%M UTC"


def budget_findings(budget: Budget, money: Money, note: str) -> Iterator[Unworded]:
    """One for each step that holds. `note` ends the sentence."""
    for step, onset in budget.ledger.holding.items():
        name, labels = _name(step)
        words = partial(_finding, budget, money, step, note)
        yield Unworded(finding=name, labels=labels, onset=onset, words=words)


def _name(step: int) -> tuple[str, dict[str, str]]:
    return ("over_budget", {}) if step == SPENT else ("budget", {"step": f"{STEPS[step - 1]:.0%}"})


def _finding(budget: Budget, money: Money, step: int, note: str) -> Finding:
    ledger, known = budget.ledger, budget.forecast
    name, labels = _name(step)
    onset, is_spent = ledger.holding[step], step == SPENT
    observed = known.spent if is_spent else known.total
    said = _spent(budget, onset) if is_spent else _projected(budget)
    where = money.today.against(money.before)
    return Finding(
        finding=name,
        labels=labels,
        onset=onset,
        summary=f"{said}{_since(budget)}{_where(money, where)}{note}",
        observed=observed,
        baseline=ledger.usd,
        unit=f"USD per {ledger.period}",
        magnitude=round(min(MOST_TIMES, observed / ledger.usd), 3),
        magnitude_unit="ratio",
        confidence=1.0 if is_spent else round(max(0.5, known.chance(STEPS[step - 1] * ledger.usd)), 4),
        trend=_trend(ledger.hours, ledger.hour_usd),
        blast=Blast(sessions=ledger.sessions),
        contributors=where,
        samples=tuple(sample for _, sample in ledger.dearest),
        history=(*ledger.hours[1 - HISTORY :], ledger.hour_usd),
    )


def _projected(budget: Budget) -> str:
    ledger, known = budget.ledger, budget.forecast
    of_it = f"of the ${ledger.usd:,.2f} for this {ledger.period} (UTC)"
    if not budget.knows or known.spent >= ledger.usd:
        return f"${known.spent:,.2f} {of_it} are spent already"
    low, high = known.interval
    gone = budget.exhausted_at()
    when = f"it is spent about {_clock(ledger.period, gone)}" if gone else "it just lasts"
    head = f"${known.total:,.2f} {of_it} will be spent ({low:,.2f} to {high:,.2f})"
    return f"{head}, {known.spent:,.2f} are so far: {when}"


def _spent(budget: Budget, onset: float) -> str:
    ledger, known = budget.ledger, budget.forecast
    head = (
        f"the ${ledger.usd:,.2f} for this {ledger.period} (UTC) were spent by {_clock(ledger.period, onset)}"
    )
    if not budget.knows:
        return f"{head}, {known.spent:,.2f} by now"
    low, high = known.interval
    return f"{head}, {known.spent:,.2f} by now, {known.total:,.2f} by its end ({low:,.2f} to {high:,.2f})"


def _since(budget: Budget) -> str:
    """Money that was spent before anybody looked is not known."""
    ledger = budget.ledger
    if ledger.since <= start_of(ledger.period, ledger.hour):
        return ""
    return f", counted since {_clock('week', ledger.since)}"


def _where(money: Money, stands_out: tuple[Contributor, ...]) -> str:
    """What stands out against the days before; or the model, if most of the money goes to one."""
    if stands_out:
        first = stands_out[0]
        what = f"{first.dimension} {first.value}"
        return f"; {what} has {first.share:.0%} of today's, {first.lift:.1f} times its share before"
    dearest = money.today.dearest("model")
    if dearest is None or dearest[1] < MOST:
        return ""
    return f"; {dearest[1]:.0%} of today's goes to model {dearest[0]}"


def _trend(hours: list[float], hour_usd: float) -> str:
    """The last hour against the one a day before or, while no day is known, against the one before it.

    The open hour is the last once more was spent in it than in the one before.
    """
    every = [*hours, hour_usd] if not hours or hour_usd > hours[-1] else hours
    back = DAY if len(every) > DAY else 1
    if len(every) <= back:
        return ""
    late, early = every[-1], every[-1 - back]
    if late > RISING * early:
        return "rising"
    return "falling" if early > RISING * late else "steady"


def _clock(period: str, at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(WORDS.get(period, LATER))
