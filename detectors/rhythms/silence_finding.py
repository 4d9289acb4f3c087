"""What to say of a silence: since when, for how long, and how much is usually heard."""

from math import floor

from detectors.detector import Finding
from detectors.rhythms.pulse import MINUTE_S, SHORTEST_S, Pulse
from detectors.rhythms.returning import Return
from detectors.saying import clock, counted, span
from schemas.signal import Blast, Sample

_WHY = {
    "plain": "",
    "always": "; it is heard at every hour",
    "rhythm": "; it is heard at this hour of the week",
    "days": "; it is heard on these days of the week",
}


def silent(pulse: Pulse, now: float, last: Sample | None) -> Finding:
    """The finding of a silence that holds. `last`: the last event before it."""
    state, back = pulse.state, pulse.state.back
    onset, silence_s = (state.last, now - state.last) if back is None else (back.onset, _silent_s(back, now))
    ratio, confidence = pulse.sureness(now)
    summary = _nothing(pulse, now) if back is None else _hardly(pulse, back, now)
    longest = state.plain.top
    silences = f"silent for {span(longest)} at the longest" if longest else "never silent for two minutes"
    return Finding(
        finding="agent_down",
        onset=onset,
        summary=f"{summary}usually {_often(state.rate)}, and {silences} in 28 days{_WHY[pulse.told_by]}",
        observed=round(silence_s / MINUTE_S, 1),
        baseline=round(max(longest, SHORTEST_S) / MINUTE_S, 1),
        unit="minutes of silence",
        magnitude=round(max(1.0, ratio), 2),
        magnitude_unit="ratio",
        confidence=round(confidence, 4),
        blast=Blast(share=1.0),
        samples=() if last is None else (last,),
        history=pulse.history(now),
        opens=back is None or state.hush is not None,
    )


def _often(an_hour: float) -> str:
    if an_hour < 1:
        return f"{counted(24 * an_hour, 'event')} a day"
    return f"{counted(an_hour, 'event')} an hour"


def _nothing(pulse: Pulse, now: float) -> str:
    last = pulse.state.last
    return f"nothing is heard of the agent since {clock(last, now)} ({span(now - last)}): "


def _hardly(pulse: Pulse, back: Return, now: float) -> str:
    """Of what is broken and goes on."""
    since = f"since {clock(back.onset, now)} ({span(now - back.onset)})"
    often = f"something in {back.heard} of {counted(_passed(back, now), 'minute')}"
    usual = f"{60 * pulse.share(now):.0f} of 60 are usual, the last at {clock(pulse.state.last, now)}"
    return f"hardly anything is heard of the agent {since}: {often}, {usual}; "


def _passed(back: Return, now: float) -> int:
    return floor(now / MINUTE_S) - floor(back.onset / MINUTE_S)


def _silent_s(back: Return, now: float) -> float:
    """Of the minutes since it began those in which nothing came."""
    return (_passed(back, now) - back.heard) * MINUTE_S
