"""How much a signal matters: points, each with its reason, and the band they fall into."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from math import log, log10

from msgspec import Struct

from routing.business_hours import business_hours
from routing.ownership import owned
from routing.policy import Policy, SeverityTable
from schemas.page import ScorePart, Severity
from schemas.signal import Blast, Signal

RANK: Mapping[Severity, int] = {"info": 0, "warning": 1, "error": 2, "critical": 3}
SHIFTS = frozenset({"input_shift", "metric", "cost", "latency", "quality", "traffic"})
"""Detectors of change that is not yet harm: alone they are at most a warning."""
HARM = frozenset({"injection", "breach", "budget", "over_budget"})
"""Findings of those detectors that are harm by themselves."""
HARMFUL = frozenset({"error_rate", "silence", "dependency", "isolation", "session"})
"""Detectors whose findings beside a shift are the harm that it may have done."""
SAME_CALLS: Mapping[str, str] = {
    "models": "provider",
    "tools": "tool",
    "sessions": "sessions",
    "abandoned": "sessions",
}
"""What findings of `error_rate` are of: calls of a dependency of this `kind`, or whole sessions."""
OUTAGES = frozenset({"failing", "hanging", "rate_limited"})
"""Findings of `dependency` that say of calls that they fail."""
CRITICAL, LOST = "a critical dependency", "error_rate sessions"
DEPENDENCY_SLOW = "slow"
"""What `dependency` and `latency` both say of calls that take longer, …"""
SLOW_PARTS = frozenset({"slow", "first_chunk"})
"""… the second as these findings."""
WHOLLY = frozenset({"agent_down", "intake_down", "budget", "over_budget"})
"""Findings that concern all of an agent: their base says so already, however many sessions it has."""
NOBODY = Blast()
STAYS_AWAY: Mapping[str, str] = {"silence": "agent_down", "traffic": "drop"}
"""Findings that say of an agent that hardly anything comes, or nothing at all, by their detectors."""
TELEMETRY = "telemetry"
UNHEARD = frozenset({"behind"})
"""Its findings that are not of what is told, but of who should hear it: pages come late."""
SUSTAINED = timedelta(hours=1)
SURE = 0.7
"""A shift of less confidence than this pages nobody, whatever its size and whatever stands beside it."""
LARGE_RATIO = 5.0
LARGE_SIGMA = 10.0


class Score(Struct, frozen=True):
    """`total` in 0..100, the sum of the parts' points; `severity`: its band."""

    total: int
    parts: tuple[ScorePart, ...]
    severity: Severity


def score(
    signal: Signal, labels: Mapping[str, str], policy: Policy, now: datetime, beside: Collection[str] = ()
) -> Score:
    """Scores a signal.

    `labels`: the signal's with `team`. `beside`: names of the detectors that fire for the same agent, and of
    what covers its signals (`covers`).
    """
    parts = [*_base(signal, policy.severity), *_rules(signal, labels, policy.severity)]
    parts += [*_consequence(labels, policy), *business_hours(labels, policy, now)]
    parts += [part for part in (_confidence(signal), _blast(signal), _trend(signal)) if part.points]
    total = sum(part.points for part in parts)
    limits = (
        _shift_limit(signal, policy.severity, now, beside),
        _cover_limit(signal, policy.severity, beside),
    )
    for limit in (*limits, ("at most 100", 100)):
        if total > limit[1]:
            parts.append(ScorePart(why=limit[0], points=limit[1] - total))
            total = limit[1]
    if total < 0:
        parts.append(ScorePart(why="at least 0", points=-total))
        total = 0
    return Score(total, tuple(parts), band(total, policy.severity))


def band(total: int, table: SeverityTable) -> Severity:
    """The highest band whose lowest score is reached; `info` below them all."""
    reached = [name for name, lowest in table.bands.items() if total >= lowest]
    return max(reached, key=RANK.__getitem__, default="info")


def _base(signal: Signal, table: SeverityTable) -> Iterator[ScorePart]:
    """The finding's own points with its size's, or those of the burn rates that hold, if they are more."""
    pairs = [
        each
        for each in table.burn_rate
        if signal.detector == "error_rate"
        and min(signal.burn_rates.get(each.long, 0.0), signal.burn_rates.get(each.short, 0.0)) >= each.factor
    ]
    own = _own(signal, table)
    worst = max(pairs, key=lambda each: each.score, default=None)
    # A slow pair (three days) holds for long: it must not hide that sessions are being lost now.
    if worst is None or worst.score < sum(part.points for part in own):
        yield from own
        return
    why = f"error budget burns {worst.factor:g} times too fast over {worst.long} and {worst.short}"
    yield ScorePart(why=why, points=worst.score)


def _own(signal: Signal, table: SeverityTable) -> tuple[ScorePart, ...]:
    """The base of a finding and the points of its size."""
    name = f"{signal.detector}/{signal.finding}"
    known = next((each for each in (name, signal.detector) if each in table.base), None)
    points = table.default if known is None else table.base[known]
    return (ScorePart(why=known or f"{name} (default)", points=points), *_magnitude(signal))


def _magnitude(signal: Signal) -> Iterator[ScorePart]:
    """Burn rate: +15 from 6, +30 from 14.4. Ratio: up to +15 at tenfold or a tenth. Sigma: up to +5 at 10."""
    size = signal.magnitude
    if size is None or not signal.magnitude_unit:
        return
    if signal.magnitude_unit == "burn_rate":
        points = next((points for lowest, points in ((14.4, 30), (6.0, 15)) if size >= lowest), 0)
        why = f"burn rate {size:.3g}"
    elif signal.magnitude_unit == "ratio":
        points = 15 if size <= 0 else round(15 * min(1.0, abs(log10(size))))
        why = f"{size:.3g} times the baseline"
    else:
        points = round(5 * min(1.0, abs(size) / 10))
        why = f"{size:.3g} standard deviations"
    if points:
        yield ScorePart(why=why, points=points)


def _rules(signal: Signal, labels: Mapping[str, str], table: SeverityTable) -> Iterator[ScorePart]:
    """Rules see the label `confidence` too, with four decimals."""
    seen = {**labels, "confidence": f"{signal.confidence:.4f}"}
    for rule in table.rules:
        if all(matcher.matches(seen) for matcher in rule.matchers):
            why = ", ".join(str(matcher) for matcher in rule.matchers) or "always"
            yield ScorePart(why=why, points=rule.add)


def _consequence(labels: Mapping[str, str], policy: Policy) -> Iterator[ScorePart]:
    level = owned(policy, labels).consequence
    points = policy.severity.consequence.get(level, 0)
    if points:
        yield ScorePart(why=f"consequence {level}", points=points)


def _confidence(signal: Signal) -> ScorePart:
    """Down to -20 at no confidence at all."""
    doubt = 1 - min(1.0, max(0.0, signal.confidence))
    return ScorePart(why=f"confidence {signal.confidence:.0%}", points=-round(20 * doubt))


def _blast(signal: Signal) -> ScorePart:
    """Up to +10: by share, counted fully from ten sessions on, or by sessions, full at 1,000."""
    reach = signal.blast if signal.finding not in WHOLLY else NOBODY
    weight = min(1.0, reach.sessions / 10) if reach.sessions else 1.0
    size = max(reach.share * weight, log(1 + max(0, reach.sessions), 1000))
    why = f"{reach.sessions} sessions" if reach.sessions else "part of all operations"
    return ScorePart(why=f"{why} affected, {reach.share:.0%}", points=min(10, round(10 * size)))


def _trend(signal: Signal) -> ScorePart:
    worse = "falling" if _stays_away(signal) else "rising"
    return ScorePart(why=worse, points=5 if signal.trend == worse else 0)


def _shift_limit(
    signal: Signal, table: SeverityTable, now: datetime, beside: Collection[str]
) -> tuple[str, int]:
    """A shift alone stays below `error`, unless it is large, lasts, or harm stands beside it.

    What is wrong with the telling itself always does.
    """
    if signal.detector == TELEMETRY and signal.finding not in UNHEARD:
        return ("telemetry is at most a warning", table.bands.get("error", 101) - 1)
    if signal.detector in SHIFTS and signal.confidence < SURE:
        return (
            f"a shift below {SURE:.0%} confidence is at most a warning",
            table.bands.get("error", 101) - 1,
        )
    alone = signal.detector in SHIFTS and signal.finding not in HARM
    if not alone or _is_large(signal) or now - signal.onset >= SUSTAINED or not HARMFUL.isdisjoint(beside):
        return ("at most 100", 100)
    return ("a shift alone is at most a warning", table.bands.get("error", 101) - 1)


def covers(signal: Signal, severity: Severity) -> tuple[str, ...]:
    """What a signal covers others as, by its name in `beside`: nothing below an error.

    Of an agent that hardly anything comes to and that falls silent, one is told: whichever is first.
    Sessions that are lost are more than calls that fail: they cover these, and only a dependency that is
    critical covers them.
    """
    calls = _calls(signal)
    if RANK[severity] < RANK["error"]:
        return ()
    if slow := _slow(signal):
        return (f"{signal.detector} {slow}",)
    if _stays_away(signal):
        return (f"{signal.detector} {signal.finding}",)
    if not calls:
        return ()
    name = f"{signal.detector} {calls}"
    return (name, CRITICAL) if signal.detector == "dependency" and severity == "critical" else (name,)


def _cover_limit(signal: Signal, table: SeverityTable, beside: Collection[str]) -> tuple[str, int]:
    """What another incident of the agent tells already is at most a warning."""
    found = next((each for each in _tellers(signal) if each in beside), None)
    if found is None:
        return ("at most 100", 100)
    return (f"the incident of {found} says it already", table.bands.get("error", 101) - 1)


def says_already(signal: Signal, beside: Collection[str]) -> bool:
    """Whether another incident of the agent says what a signal says."""
    return any(each in beside for each in _tellers(signal))


def tells_of_calls(signal: Signal) -> bool:
    """Whether a signal says that calls or sessions fail, and its samples are such failures."""
    return bool(_calls(signal))


def _tellers(signal: Signal) -> list[str]:
    """Who may say already what a signal says, as `covers` names them."""
    if slow := _slow(signal):
        return [f"{'latency' if signal.detector == 'dependency' else 'dependency'} {slow}"]
    if _stays_away(signal):
        return [f"{each} {finding}" for each, finding in STAYS_AWAY.items() if each != signal.detector]
    calls = _calls(signal)
    if not calls:
        return []
    other = "error_rate" if signal.detector == "dependency" else "dependency"
    return [CRITICAL] if calls == "sessions" else [f"{other} {calls}", LOST]


def _slow(signal: Signal) -> str:
    """What takes longer: a tool by its name, or calls of models, whose provider `latency` does not know."""
    labels = signal.labels
    if signal.detector == "dependency" and signal.finding == DEPENDENCY_SLOW:
        tool = labels.get("dependency", "") if labels.get("kind") == "tool" else None
    elif signal.detector == "latency" and signal.finding in SLOW_PARTS:
        tool = labels.get("tool")
    else:
        return ""
    return "slow models" if tool is None else f"slow tool {tool}"


def _stays_away(signal: Signal) -> bool:
    """Whether a signal says that hardly anything comes, or nothing."""
    return STAYS_AWAY.get(signal.detector) == signal.finding


def _calls(signal: Signal) -> str:
    """What a signal says that fails: calls of a `provider` or a `tool`, `sessions`, or nothing of these."""
    if signal.detector == "dependency":
        return signal.labels.get("kind", "") if signal.finding in OUTAGES else ""
    return SAME_CALLS.get(signal.finding, "") if signal.detector == "error_rate" else ""


def _is_large(signal: Signal) -> bool:
    size = signal.magnitude
    if size is None:
        return False
    if signal.magnitude_unit == "ratio":
        return not 1 / LARGE_RATIO < size < LARGE_RATIO
    return signal.magnitude_unit == "sigma" and abs(size) >= LARGE_SIGMA
