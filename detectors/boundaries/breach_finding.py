"""What to say of breaches: both sides, of how many, since when, and whether it takes a crowd."""

from collections.abc import Mapping

from detectors.boundaries.crossing import Crossing
from detectors.boundaries.parties import MOST_SESSIONS, Parties
from detectors.contrast import top
from detectors.course import trend
from detectors.detector import Finding
from detectors.saying import clock, counted
from schemas.signal import Blast, Contributor

CROWDED = 1.5
LEARNT_MINUTES = 10
MOST_PAIRS_TOLD = 3
_WHAT: Mapping[str, str] = {
    "tenant": "sessions touched by two tenants",
    "user": "sessions touched by two users",
    "resource": "resources touched by who does not own them",
    "honeytoken": "planted strings seen elsewhere",
}


def breach(kind: str, crossing: Crossing, parties: Parties, now: float) -> Finding:
    """The finding of one kind of breaches at `now`."""
    crowd, course = _crowd(crossing, parties), crossing.course.history(now)
    return Finding(
        finding="breach",
        labels={"kind": kind},
        onset=crossing.onset,
        summary=_summary(crossing, crowd, parties, now),
        observed=float(crossing.count),
        baseline=0.0,
        unit="breaches",
        magnitude=float(crossing.count),
        trend=trend(course),
        blast=Blast(
            sessions=len(crossing.sessions),
            users=len(crossing.parties) if set(crossing.what) == {"user"} else 0,
            tenants=0 if set(crossing.what) == {"user"} else len(crossing.parties),
            capped=crossing.capped or parties.forgotten > 0,
        ),
        contributors=(*_pairs(crossing), *crowd),
        samples=tuple(crossing.samples),
        history=course,
    )


def _summary(crossing: Crossing, crowd: tuple[Contributor, ...], parties: Parties, now: float) -> str:
    """One sentence: what was crossed, by whom, how often since when; and what limits the count."""
    what = " and ".join(_WHAT[name] for name, _ in top(_floats(crossing.what), 2))
    ranked = sorted(crossing.pairs.values(), key=lambda each: (-each[2], each[0], each[1]))
    told = ", ".join(f"{other} in what is {owner}'s" for owner, other, _ in ranked[:MOST_PAIRS_TOLD])
    beyond = len(ranked) - MOST_PAIRS_TOLD
    more = f" and {counted(beyond, 'other pair')}" if beyond > 0 else ""
    times = "once" if crossing.count == 1 else f"{crossing.count:,} times"
    load = f"; {crowd[0].value}" if crowd else ""
    cap = (
        f" ({counted(parties.forgotten, 'running session')} beyond {MOST_SESSIONS} not followed)"
        if parties.forgotten
        else ""
    )
    return f"{what}, {times} since {clock(crossing.onset, now)}: {told}{more}{load}{cap}"


def _pairs(crossing: Crossing) -> tuple[Contributor, ...]:
    """The main pairs; outside of breaches there are none, so their lift is as high as lift goes."""
    weights = {f"{owner} / {other}": float(count) for owner, other, count in crossing.pairs.values()}
    return tuple(
        Contributor(
            dimension="owner / other",
            value=value,
            share=round(weight / crossing.count, 4),
            lift=100.0,
        )
        for value, weight in top(weights, MOST_PAIRS_TOLD)
    )


def _crowd(crossing: Crossing, parties: Parties) -> tuple[Contributor, ...]:
    """Whether more runs at once when it happens than usually does."""
    mean = crossing.crowd / crossing.count
    if parties.minutes < LEARNT_MINUTES or mean < CROWDED * parties.usual:
        return ()
    value = f"{mean:.0f} at once, usually {parties.usual:.0f}"
    return (
        Contributor(
            dimension="concurrency", value=value, share=1.0, lift=round(min(100.0, mean / parties.usual), 2)
        ),
    )


def _floats(counts: dict[str, int]) -> dict[str, float]:
    return {name: float(count) for name, count in counts.items()}
