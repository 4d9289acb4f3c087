"""What to say of a silence: since when, for how long, and how much is usually heard."""

from datetime import UTC, datetime

from detectors.detector import Finding
from detectors.rhythms.pulse import SHORTEST_S, Pulse
from schemas.signal import Blast, Sample

SAID_IN_HOURS_S = 7200.0
_WHY = {
    "plain": "",
    "always": "; it is heard at every hour",
    "rhythm": "; it is heard at this hour of the week",
    "days": "; it is heard on these days of the week",
}


def silent(pulse: Pulse, now: float, last: Sample | None) -> Finding:
    """The finding of a silence that holds. `last`: the last event."""
    state = pulse.state
    gap, usual = now - state.last, state.plain.top
    ratio, confidence = pulse.sureness(now)
    since = datetime.fromtimestamp(state.last, UTC).strftime("%Y-%m-%d %H:%M UTC")
    longest = f"silent for {span(usual)} at the longest" if usual else "never silent for two minutes"
    return Finding(
        finding="agent_down",
        onset=state.last,
        summary=f"nothing is heard of the agent since {since} ({span(gap)}): usually "
        f"{state.rate:,.0f} events an hour, and {longest} in 28 days{_WHY[pulse.told_by]}",
        observed=round(gap / 60, 1),
        baseline=round(max(usual, SHORTEST_S) / 60, 1),
        unit="minutes of silence",
        magnitude=round(max(1.0, ratio), 2),
        magnitude_unit="ratio",
        confidence=round(confidence, 4),
        blast=Blast(share=1.0),
        samples=() if last is None else (last,),
        history=pulse.history(now),
    )


def span(seconds: float) -> str:
    """In words for a person.

    >>> span(5400.0), span(180.0), span(200000.0)
    ('90 minutes', '3 minutes', '56 hours')
    """
    return f"{seconds / 60:.0f} minutes" if seconds < SAID_IN_HOURS_S else f"{seconds / 3600:.0f} hours"
