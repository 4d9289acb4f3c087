"""What to say of cost that breaks out: how much more, of what, whether by tokens or by their price."""

from collections.abc import Sequence
from functools import partial

from detectors.contrast import contributors
from detectors.costs.breakdown import Money
from detectors.costs.cost_series import SMALLEST_RATIO, CostSeries, Rise
from detectors.costs.cost_sessions import CostSessions, Dear
from detectors.course import trend
from detectors.detector import Finding, Unworded
from detectors.saying import clock, counted
from schemas.signal import Blast, Sample
from schemas.wire import moment

FEWEST_CALLS = 3
"""Of dear sessions, before it is said where their money goes."""


def spike(model: str, series: CostSeries, rise: Rise, note: str, now: float) -> Unworded:
    """A model whose interactions cost more than they did. `note` ends the sentence."""
    labels = {"model": model} if model else {}
    words = partial(_spike, model, series, rise, note, now)
    return Unworded(finding="spike", labels=labels, onset=rise.onset, words=words)


def dear_sessions(sessions: CostSessions, dear: Dear, money: Money, note: str, now: float) -> Unworded:
    """Sessions far dearer than the agent's sessions are. `note` ends the sentence."""
    words = partial(_dear_sessions, sessions, dear, money, note, now)
    return Unworded(finding="session", onset=dear.onset, words=words)


def _spike(model: str, series: CostSeries, rise: Rise, note: str, now: float) -> Finding:
    mean = rise.cost / rise.count
    usual, extra = series.usual, rise.cost - rise.count * series.usual
    what = f"an interaction with {model} costs" if model else "an interaction costs"
    return Finding(
        finding="spike",
        labels={"model": model} if model else {},
        onset=rise.onset,
        summary=f"{what} ${mean:.4g} since {clock(rise.onset, now)}, "
        f"{mean / usual:.1f} times the usual ${usual:.4g}: "
        f"${extra:.2f} more in {counted(rise.count, 'interaction')}{_why(series, rise)}{note}",
        observed=mean,
        baseline=usual,
        unit="USD per interaction",
        magnitude=round(mean / usual, 2),
        magnitude_unit="ratio",
        confidence=round(1 - series.chance(mean), 4),
        trend=_trend([each for _, each in series.history.pairs]),
        blast=Blast(sessions=len(rise.sessions), capped=rise.full),
        contributors=contributors(rise.tally, series.others.joined()),
        samples=tuple(rise.samples),
        history=tuple(each for _, each in series.history.pairs),
    )


def _dear_sessions(sessions: CostSessions, dear: Dear, money: Money, note: str, now: float) -> Finding:
    course = dear.course.history(now)
    worst, usual = max(dear.costs.values()), sessions.usual
    many = f"{dear.count} sessions cost" if dear.count > 1 else "a session costs"
    ranked = sorted(dear.costs.items(), key=lambda each: (-each[1], each[0]))
    return Finding(
        finding="session",
        onset=dear.onset,
        summary=f"{many} up to ${worst:.4g}, {worst / usual:.1f} times the usual ${usual:.4g}{note}",
        observed=worst,
        baseline=usual,
        unit="USD per session",
        magnitude=round(worst / usual, 2),
        magnitude_unit="ratio",
        confidence=round(1 - sessions.costs.tail().chance(worst), 4),
        trend=trend(course),
        blast=Blast(sessions=dear.count),
        contributors=dear.money.against(money.all()) if dear.calls >= FEWEST_CALLS else (),
        samples=tuple(_sample(dear, session, cost) for session, cost in ranked[:3]),
        history=course,
    )


def _sample(dear: Dear, session: str, cost: float) -> Sample:
    text = f"${cost:.4g} so far"
    return Sample(event=dear.events[session], time=moment(dear.latest), text=text, conversation=session)


def _why(series: CostSeries, rise: Rise) -> str:
    """Whether the tokens or their price rose, where tokens are known."""
    count, cost, tokens = series.quiet
    if not (tokens and rise.tokens and cost):
        return ""
    more = (rise.tokens / rise.count) / (tokens / count)
    dearer = (rise.cost / rise.tokens) / (cost / tokens)
    return f" (tokens per interaction x{more:.1f}, price per token x{dearer:.1f})"


def _trend(history: Sequence[float]) -> str:
    """The last two means against the one before them; a spike has a warm-up of them behind it."""
    late, early = sum(history[-2:]) / 2, history[-3]
    if late > SMALLEST_RATIO * early:
        return "rising"
    return "falling" if early > SMALLEST_RATIO * late else "steady"
