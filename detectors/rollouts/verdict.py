"""From evidence to a verdict: invalid, roll back, promote, or hold, and for how long."""

from collections.abc import Mapping
from math import exp, log
from typing import Literal

from msgspec import Struct

from detectors.rollouts.evidence import Evidence
from detectors.rollouts.instrumentation import Instrumentation
from detectors.rollouts.scores import log_sum

Verdicts = Literal["hold", "promote", "roll_back", "invalid"]

TELLING = 0.1
"""Evidence (its logarithm) below which it cannot be said that it grows."""


class Judged(Struct, array_like=True, frozen=True):
    """What was said and stays: a canary once called worse or invalid is not acquitted by later sessions."""

    state: Verdicts = "hold"
    blamed: tuple[str, ...] = ()
    fault: str = ""


class Verdict(Struct, frozen=True):
    """What the sessions so far say, as of the last block that is over.

    `blamed`: metrics that are worse, when it is rolled back. `stratum`: where, if it is one that stands out.
    `fault`: what makes it invalid. `eta_sessions`: further sessions of both arms until
    a verdict, as evidence has grown so far; None while it does not grow. `evidence`: that the canary is
    worse, as a factor that a canary equal to control exceeds 1/alpha with chance alpha, ever.
    """

    state: Verdicts = "hold"
    blamed: tuple[str, ...] = ()
    stratum: str = ""
    fault: str = ""
    eta_sessions: float | None = None
    evidence: float = 1.0
    canaries: int = 0
    controls: int = 0


class Standing(Struct, frozen=True):
    """All that a verdict rests on. `needed`: what must be within its margin; `threshold`: ln(1/alpha)."""

    metrics: Mapping[str, Evidence]
    needed: list[Evidence]
    instrumentation: Instrumentation
    strata: list[str]
    threshold: float
    canaries: int
    controls: int


def judge(before: Judged, standing: Standing) -> tuple[Judged, Verdict]:
    """The verdict now, and what of it stays."""
    worse = {name: each.worse for name, each in standing.metrics.items()}
    count = len(worse)
    total = log_sum(worse.values()) - log(count)
    fit = min((each.fit for each in standing.needed), default=0.0)
    invalid = standing.instrumentation.evidence >= standing.threshold
    state = _state(before.state, total, fit, standing.threshold, "invalid" if invalid else "hold")
    guilty = [name for name, each in worse.items() if each >= standing.threshold + log(count)]
    blamed = before.blamed
    if state == "roll_back":
        guilty = guilty or [max(worse, key=worse.__getitem__)] if not blamed else guilty
        blamed = (*blamed, *(name for name in guilty if name not in blamed))
    fault = before.fault or (standing.instrumentation.fault if state == "invalid" else "")
    sessions = standing.canaries + standing.controls
    where = standing.metrics[max(worse, key=worse.__getitem__)].where
    verdict = Verdict(
        state=state,
        blamed=blamed,
        stratum="" if where is None or state != "roll_back" else standing.strata[where],
        fault=fault,
        eta_sessions=_eta((total, fit), sessions, standing.threshold) if state == "hold" else None,
        evidence=exp(min(total, 700.0)),
        canaries=standing.canaries,
        controls=standing.controls,
    )
    return Judged(state, blamed, fault), verdict


def _state(before: Verdicts, worse: float, fit: float, threshold: float, recorded: Verdicts) -> Verdicts:
    if before in {"roll_back", "invalid"}:
        return before
    if recorded == "invalid":
        return recorded
    if worse >= threshold:
        return "roll_back"
    return "promote" if fit >= threshold else before


def _eta(evidence: tuple[float, ...], sessions: int, threshold: float) -> float | None:
    """Sessions until the first of them reaches the threshold, growing as it has grown."""
    etas = [(threshold - each) * sessions / each for each in evidence if each > TELLING]
    return min(etas) if etas else None
