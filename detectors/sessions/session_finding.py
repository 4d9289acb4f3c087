"""What to say of sessions that go astray: the worst, by how much, what it has spent, and how many others."""

from collections.abc import Mapping

from detectors.course import trend
from detectors.detector import Finding
from detectors.saying import clock, counted, span
from detectors.sessions.astray import Astray, Entry
from schemas.signal import Blast, Contributor, Sample
from schemas.wire import moment

MOST_TOLD = 3
_UNITS: Mapping[str, str] = {"steps": "steps", "tokens": "tokens", "cost": "USD", "time": "seconds"}
_LOOP, _STUCK = "calls", "seconds without progress"


def astray(finding: str, found: Astray, dropped: int, now: float) -> Finding:
    """The finding of one kind at `now`. `dropped`: sessions that were let go at the cap."""
    worst = found.worst
    ranked = sorted(found.kept.items(), key=lambda each: (-each[1].ratio, each[0]))[:MOST_TOLD]
    limit = worst.amount / worst.ratio
    baseline, course = worst.usual or limit, found.course.history(now)
    return Finding(
        finding=finding,
        onset=found.onset,
        summary=f"{_summary(finding, found, worst, now)}{_cap(dropped)}",
        observed=round(worst.amount, 4),
        baseline=round(baseline, 4),
        unit=_unit(finding, worst),
        magnitude=round(worst.amount / baseline, 2),
        magnitude_unit="ratio",
        confidence=round(1 - min(0.5, worst.chance), 4),
        trend=trend(course),
        blast=Blast(
            sessions=found.count,
            users=len({each.user for each in found.kept.values() if each.user}),
            tenants=len({each.tenant for each in found.kept.values() if each.tenant}),
            share=round(min(1.0, found.count / max(1, found.of)), 4),
            capped=found.count > len(found.kept),
        ),
        contributors=tuple(_contributor(session, each, found) for session, each in ranked),
        samples=tuple(_sample(finding, session, each) for session, each in ranked),
        history=tuple(round(ratio * limit, 4) for ratio in course),
    )


def _summary(finding: str, found: Astray, worst: Entry, now: float) -> str:
    others = f"; {counted(found.count - 1, 'more session')} beside it" if found.count > 1 else ""
    since = clock(found.onset, now)
    return f"a session {_words(finding, worst)}, since {since}; spent so far: {worst.spent}{others}"


def _cap(dropped: int) -> str:
    return f" ({counted(dropped, 'session')} beyond the cap not followed)" if dropped else ""


def _words(finding: str, each: Entry) -> str:
    if finding == "loop":
        return f"calls {each.what} with the same arguments again and again: {each.amount:,.0f} times"
    if finding == "stuck":
        return f"says it runs but has not got on for {span(each.amount)}"
    usual = f", usually {_amount(each.what, each.usual)}"
    return f"runs away: {_amount(each.what, each.amount)}{usual}"


def _amount(what: str, amount: float) -> str:
    """An amount of `what` in words.

    >>> _amount("cost", 12.5), _amount("time", 600.0), _amount("tokens", 120000.0)
    ('$12.50', '10 minutes', '120,000 tokens')
    """
    if what == "cost":
        return f"${amount:.2f}"
    return span(amount) if what == "time" else counted(amount, what.removesuffix("s"))


def _unit(finding: str, each: Entry) -> str:
    return {"loop": _LOOP, "stuck": _STUCK}.get(finding) or _UNITS[each.what]


def _contributor(session: str, each: Entry, found: Astray) -> Contributor:
    whole = sum(other.ratio for other in found.kept.values())
    return Contributor(
        dimension="session",
        value=session,
        share=round(each.ratio / whole, 4),
        lift=round(min(100.0, max(1.0, each.amount / each.usual if each.usual else each.ratio)), 2),
    )


def _sample(finding: str, session: str, each: Entry) -> Sample:
    text = f"{_words(finding, each)}; {each.spent}"
    return Sample(event=each.event, time=moment(each.at), text=text, conversation=session, trace=each.trace)
