"""What to say of an incident of failures: its rate and the usual one, by what, whom it hits, its course."""

from typing import Literal

from msgspec import Struct

from detectors.contrast import CLASS, ERROR_TYPE, Tally, contributors, lift, top
from detectors.detector import Finding, Unworded
from detectors.failures.burn_rate import Counted, burn_rate, chance, holding, rates
from detectors.failures.error_budget import ErrorBudget, error_budget
from detectors.failures.failure_stream import COLUMNS, FAILED, FailureStream, Kind
from detectors.failures.gauge import Hold, Terms
from detectors.saying import clock, out_of
from schemas.signal import Contributor

HISTORY_MINUTES = 30
FAST_MINUTES = 5
FAST_S = 300.0
SURE = 1e-2
SPANS_MINUTES = (60, 360)
"""The burn rate is that of the first of these that tells enough, …"""
ENOUGH = 20
"""… which so many trials do."""
TREND_MINUTES = 2
TREND_FACTOR = 1.25
_CLASSES: dict[str, str] = {
    "exhausted": "retryable, exhausted",
    "non_retryable": "non-retryable",
    "escalation": "escalation",
    "retried": "retried",
}

Unit = Literal["burn_rate", "ratio"]


class Words(Struct, frozen=True):
    """How a finding is spoken of: `tool calls` `failed`.

    `kinds`: the columns that are counted; `unit`: what the magnitude is measured in.
    """

    finding: str
    noun: str
    verb: str
    kinds: tuple[Kind, ...] = FAILED
    unit: Unit = "burn_rate"


def unworded(stream: FailureStream, hold: Hold, now: float, terms: Terms, words: Words) -> Unworded:
    """The finding of an incident that holds in one of the stream's gauges."""
    return Unworded(
        finding=words.finding,
        labels=_labels(words),
        onset=hold.onset,
        words=lambda: described(stream, hold, now, terms, words),
    )


def _labels(words: Words) -> dict[str, str]:
    return {} if words.kinds is FAILED else {"class": "retryable"}


def described(stream: FailureStream, hold: Hold, now: float, terms: Terms, words: Words) -> Finding:
    """The same, in words."""
    gauge = stream.failed if words.kinds is FAILED else stream.retrying
    counted = stream.counted(words.kinds, now)
    bad, total = _observed(hold, now, counted)
    usual = gauge.usual_share
    pairs = holding(counted, terms.budget) if words.unit == "burn_rate" else ()
    if words.unit == "burn_rate":
        magnitude = _burn(bad, total, counted, terms)
        spending = error_budget(stream.windows, counted, terms.budget, magnitude)
    else:
        magnitude, spending = bad / total / gauge.allowed(now, terms), None
    history = _shares(stream, now, words.kinds)
    return Finding(
        finding=words.finding,
        labels=_labels(words),
        onset=hold.onset,
        summary=_summary(hold, usual, spending, words, now),
        observed=round(bad / total, 4),
        baseline=None if usual is None else round(usual, 4),
        unit="share",
        magnitude=round(magnitude, 2),
        magnitude_unit=words.unit,
        confidence=round(1.0 - min(0.5, chance(hold.bad, gauge.allowed(now, terms) * hold.total)), 4),
        trend=_trend(history),
        burn_rates={window: round(rate, 2) for window, rate in rates(counted, pairs, terms.budget).items()},
        exhausted_in_s=None if spending is None else spending.gone_in_s,
        blast=hold.affected.blast(hold.bad / hold.total),
        contributors=_contributors(stream, hold),
        samples=tuple(each for each in stream.samples if each.time.timestamp() >= hold.onset),
        history=history,
    )


def _observed(hold: Hold, now: float, counted: Counted) -> tuple[int, int]:
    """Since the onset while that is within five minutes, else the last five minutes if they had traffic."""
    recent = counted(FAST_MINUTES)
    return (hold.bad, hold.total) if now - hold.onset <= FAST_S or not recent[1] else recent


def _burn(bad: int, total: int, counted: Counted, terms: Terms) -> float:
    """The burn rate of what is observed; where so little may be chance, of the last hour, or of six."""
    if chance(bad, terms.budget * total) < SURE:
        return burn_rate(bad, total, terms.budget)
    for minutes in SPANS_MINUTES:
        bad, total = counted(minutes)
        if total >= ENOUGH:
            break
    return burn_rate(bad, total, terms.budget)


def _shares(stream: FailureStream, now: float, kinds: tuple[Kind, ...]) -> tuple[float, ...]:
    """The share of failures of each of the last 30 minutes, oldest first; 0 without traffic."""
    places = [1 + COLUMNS.index(kind) for kind in kinds]
    rows = stream.windows.series(now - 1, HISTORY_MINUTES)
    return tuple(round(sum(row[place] for place in places) / row[0], 4) if row else 0.0 for row in rows)


def _trend(history: tuple[float, ...]) -> str:
    """The last two minutes against the four before."""
    late = sum(history[-TREND_MINUTES:]) * 2
    early = sum(history[-3 * TREND_MINUTES : -TREND_MINUTES])
    if late > TREND_FACTOR * early:
        return "rising"
    return "falling" if early > TREND_FACTOR * late else "steady"


def _contributors(stream: FailureStream, hold: Hold) -> tuple[Contributor, ...]:
    """The main error types, against other failures; then what tells the affected from what went well."""
    affected, others = hold.affected.tally, stream.others.joined()
    known = {value: max(0.0, weight) for value, weight in others.by.get(ERROR_TYPE, {}).items()}
    failures = sum(known.values())
    errors = tuple(
        Contributor(
            dimension=ERROR_TYPE,
            value=value,
            share=round(weight / affected.weight, 4),
            lift=lift(weight, affected.weight, known.get(value, 0.0), failures),
        )
        for value, weight in top(affected.by.get(ERROR_TYPE, {}), 2)
    )
    dimensions = {key: each for key, each in affected.by.items() if key not in {ERROR_TYPE, CLASS}}
    return errors + contributors(Tally(affected.weight, dimensions), others)


def _summary(hold: Hold, usual: float | None, spending: ErrorBudget | None, words: Words, now: float) -> str:
    """One sentence: how many of what since when, usually how many, why, and what it costs of the budget."""
    usually = "" if usual is None else f" (usually {usual:.1%})"
    by = hold.affected.tally.by
    why = ", ".join(f"{value} ({weight:.0f})" for value, weight in top(by.get(ERROR_TYPE, {}), 3))
    how = ", ".join(_CLASSES[kind] for kind, _ in top(by.get(CLASS, {}), 3))
    burnt = "" if spending is None else f"; {spending}"
    what = f"{out_of(hold.bad, hold.total, words.noun.removesuffix('s'))} {words.verb}"
    return f"{what} since {clock(hold.onset, now)}{usually}: {why} [{how}]{burnt}"
