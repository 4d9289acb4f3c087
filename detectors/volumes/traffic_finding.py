"""What to say of arrivals that are far fewer or far more: how many, since when, and who."""

from detectors.contrast import contributors
from detectors.detector import Finding
from detectors.saying import MINUTE_S, clock, counted, span
from detectors.volumes.change import Change
from detectors.volumes.flow import HOUR, RECALLED, Kind
from detectors.volumes.tide import MIDDLE, UNSURE, Tide
from schemas.signal import Blast, Contributor

BINS = 30
"""Of the course: eight minutes each."""
TREND = 1.5


def changed(kind: Kind, change: Change, tide: Tide) -> Finding:
    """The finding of a change that holds."""
    state = tide.state
    missing = kind == "drop"
    known = state.others.joined()
    stands_out = contributors(known, change.seen) if missing else contributors(change.seen, known)
    each = RECALLED // BINS
    return Finding(
        finding=kind,
        onset=change.onset * MINUTE_S,
        summary=_summary(kind, change, tide, stands_out),
        observed=round(HOUR * change.arrived / _minutes(change, tide), 1),
        baseline=round(HOUR * change.usual / _minutes(change, tide), 1),
        unit=f"{_noun(tide)} an hour",
        magnitude=round(change.ratio, 4),
        magnitude_unit="ratio",
        confidence=round(change.confidence, 4),
        trend=_trend(tide),
        blast=Blast(
            sessions=round(abs(change.usual - change.arrived) if missing else change.arrived),
            share=round(1 - min(change.ratio, 1 / change.ratio if change.ratio else 0.0), 4),
        ),
        contributors=stands_out,
        samples=() if state.last is None else (state.last,),
        history=tuple(
            round(HOUR / each * sum(state.minutes[at : at + each]), 1) for at in range(0, RECALLED, each)
        ),
    )


def _minutes(change: Change, tide: Tide) -> int:
    return max(1, tide.state.minute - change.onset)


def _noun(tide: Tide) -> str:
    return "sessions" if tide.state.named else "operations"


def _summary(kind: Kind, change: Change, tide: Tide, stands_out: tuple[Contributor, ...]) -> str:
    since = clock(change.onset * MINUTE_S, tide.state.minute * MINUTE_S)
    began = f"began in {span(_minutes(change, tide) * MINUTE_S)} since {since}"
    usual = f"usually {change.usual:,.0f} at {'most' if kind == 'surge' else 'least'}"
    where = f"{stands_out[0].dimension} {stands_out[0].value} above all" if stands_out else ""
    came = counted(change.arrived, _noun(tide)[:-1])
    if kind == "surge":
        return f"{came} {began}, {usual}{where and f', {where}'}"
    missing = where and f"; what is missing is {where}"
    rest = "; few were to come before, so it may be a day of rest" if change.confidence <= UNSURE else ""
    return f"{'only ' if change.arrived else ''}{came} {began}, {usual}{missing}{rest}"


def _trend(tide: Tide) -> str:
    """The last quarter of an hour against the one before."""
    late = tide.state.sum(MIDDLE)
    early = tide.state.sum(2 * MIDDLE) - late
    if late > TREND * early:
        return "rising"
    return "falling" if early > TREND * late else "steady"
