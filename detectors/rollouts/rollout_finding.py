"""What to say of a rollout: worse, not comparable, fit to go on, or without a control."""

from collections.abc import Callable
from functools import partial
from math import isfinite

from detectors.detector import Finding, Unworded
from detectors.rollouts.comparison import Comparison
from detectors.rollouts.evidence import Effect
from detectors.rollouts.plan import Plan
from detectors.rollouts.trial import Trial
from detectors.rollouts.verdict import Verdict
from schemas.signal import Blast, Contributor

_WHAT = {
    "sessions": "{:.1%} of its sessions fail or never end, {:.1%} of control's",
    "tools": "tool calls fail in {:.1%} of its sessions, in {:.1%} of control's",
    "cost": "a session costs ${:.4g}, with control ${:.4g}",
    "duration": "a session takes {:.4g} s, with control {:.4g} s",
    "tokens": "a session takes {:,.0f} tokens, with control {:,.0f}",
    "evaluation": "{:.1%} of its sessions are evaluated below the mean, {:.1%} of control's",
}
_UNITS = {"cost": "USD per session", "duration": "s", "tokens": "tokens per session"}


LONG_S = 4 * 3600.0
"""A comparison that has said nothing for so long says that, and for how long still."""


def found(trial: Trial, compared: Comparison, plan: Plan, now: float) -> Unworded | None:
    """What a verdict finds, or that there is no control; None while there is nothing to say."""
    verdict = compared.verdict
    waits = verdict.state == "promote" and now < trial.stepped + plan.least_s
    if verdict.state == "hold" and trial.alone:
        return _unworded("no_control", trial, {}, partial(_no_control, trial))
    if verdict.state == "hold" or waits:
        # A canary that gets no sessions any more is not held: it is over, and nobody said so.
        long = now - trial.began >= LONG_S >= now - trial.last_canary
        return _hold(trial, partial(_holding, trial, compared, plan, now)) if long else None
    if verdict.state == "roll_back":
        blamed = {"metric": verdict.blamed[0]}
        return _unworded("worse", trial, blamed, partial(_worse, trial, compared))
    if verdict.state == "invalid":
        return _unworded("invalid", trial, {"fault": verdict.fault}, partial(_invalid, trial, compared))
    following = plan.after(trial.share)
    step = {} if following is None else {"step": f"{following:.4g}"}
    return _unworded("ready", trial, step, partial(_ready, trial, compared, plan))


def _unworded(finding: str, trial: Trial, labels: dict[str, str], words: Callable[[], Finding]) -> Unworded:
    """The label `metric` is the first that was blamed: it does not change."""
    onset = trial.decided or trial.alone
    if finding == "ready":
        onset = max(onset, trial.stepped)
    return Unworded(finding=finding, onset=onset, labels={"release": trial.release, **labels}, words=words)


def _worse(trial: Trial, compared: Comparison) -> Finding:
    """The canary is worse: roll it back."""
    verdict, effects = compared.verdict, compared.effects
    metric = verdict.blamed[0]
    effect = effects[metric]
    others = [f"{each} ({_interval(effects[each])})" for each in verdict.blamed[1:]]
    also = f"; also {', '.join(others)}" if others else ""
    where = f", most of all in {verdict.stratum}" if verdict.stratum else ""
    canary, control = effect.canary or 0.0, effect.control or 0.0
    return Finding(
        finding="worse",
        labels={"release": trial.release, "metric": metric},
        onset=trial.decided,
        summary=f"canary {trial.release} is worse than control{where}: "
        f"{_WHAT[metric].format(canary, control)} ({_interval(effect)}){also}, "
        f"after {verdict.canaries:,} canary sessions: roll back",
        observed=round(canary, 6),
        baseline=round(control, 6),
        unit=_UNITS.get(metric, "share"),
        magnitude=round(min(100.0, canary / control), 2) if control else 100.0,
        magnitude_unit="ratio",
        confidence=round(1 - 1 / max(verdict.evidence, 2.0), 4),
        blast=Blast(
            sessions=verdict.canaries,
            share=round(verdict.canaries / (verdict.canaries + verdict.controls), 4),
        ),
        contributors=_contributors(compared),
        samples=tuple(trial.samples),
    )


def _invalid(trial: Trial, compared: Comparison) -> Finding:
    """The arms are not recorded alike: hold, and mend that."""
    verdict = compared.verdict
    return Finding(
        finding="invalid",
        labels={"release": trial.release, "fault": verdict.fault},
        onset=trial.decided,
        summary=f"canary {trial.release} cannot be compared with control: {_FAULTS[verdict.fault]}, after "
        f"{verdict.canaries:,} canary and {verdict.controls:,} control sessions: hold",
        observed=float(verdict.canaries),
        unit="canary sessions",
        confidence=0.99,
    )


_FAULTS = {
    "arrivals": "its sessions do not arrive in the router's share, so some are lost or counted twice",
    "missing fields": "its records lack fields at another rate",
    "schema version": "its records have another schema",
}


def _ready(trial: Trial, compared: Comparison, plan: Plan) -> Finding:
    """The canary is within its margins on every metric: promote."""
    verdict = compared.verdict
    told = [
        f"{name} {_interval(effect)}"
        for name, effect in compared.effects.items()
        if effect.canary is not None
    ]
    following = plan.after(trial.share)
    to, step = ("", {}) if following is None else (f" to {following:.4g}", {"step": f"{following:.4g}"})
    return Finding(
        finding="ready",
        labels={"release": trial.release, **step},
        onset=max(trial.decided, trial.stepped),
        summary=f"canary {trial.release} is no worse than control within its margins ({'; '.join(told)}), "
        f"after {verdict.canaries:,} canary sessions: promote{to}",
        observed=float(verdict.canaries),
        unit="canary sessions",
        confidence=0.99,
    )


def _hold(trial: Trial, words: Callable[[], Finding]) -> Unworded:
    return Unworded(finding="hold", onset=trial.began, labels={"release": trial.release}, words=words)


def _holding(trial: Trial, compared: Comparison, plan: Plan, now: float) -> Finding:
    """Nothing can be told yet, or the step has not lasted long enough: hold, and for how long."""
    verdict = compared.verdict
    if verdict.state == "promote":
        says = "no worse than control within its margins, in a step that is to last"
        left = f"{_span(trial.stepped + plan.least_s - now)} to go"
    else:
        says = f"neither worse nor fit to go on after {verdict.controls:,} control sessions and"
        left = _left(verdict, now - trial.began - plan.ripe_s)
    return Finding(
        finding="hold",
        labels={"release": trial.release},
        onset=trial.began,
        summary=f"canary {trial.release} is {says} {verdict.canaries:,} of its own: hold, {left}"
        if verdict.state == "hold"
        else f"canary {trial.release} is {says}: hold, {left}",
        observed=float(verdict.canaries),
        unit="canary sessions",
    )


def _left(verdict: Verdict, spent_s: float) -> str:
    """How long until a verdict, if sessions come and evidence grows as they have."""
    sessions = verdict.canaries + verdict.controls
    if verdict.eta_sessions is None or not sessions or spent_s <= 0:
        return "no verdict in sight at this traffic"
    return f"{_span(verdict.eta_sessions / sessions * spent_s)} to go at this traffic"


def _span(seconds: float) -> str:
    """About how long."""
    for unit, size in (("days", 86_400.0), ("h", 3600.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{max(1.0, seconds / 60):.0f} min"


def _no_control(trial: Trial) -> Finding:
    """There is nothing to compare with: hold."""
    return Finding(
        finding="no_control",
        labels={"release": trial.release},
        onset=trial.alone,
        summary=f"canary {trial.release} has {trial.canaries:,} sessions and control none since: there is "
        "nothing to compare it with: hold",
        observed=float(trial.canaries),
        unit="canary sessions",
    )


def _interval(effect: Effect) -> str:
    high = f"{effect.high:.2f}" if isfinite(effect.high) else "more"
    return f"{effect.unit} {effect.low:.2f} to {high}"


def _contributors(compared: Comparison) -> tuple[Contributor, ...]:
    """The stratum that stands out, by how much more often the evidence is there."""
    stratum = compared.verdict.stratum
    if not stratum:
        return ()
    canaries = sum(count for count, _ in compared.shares.values())
    share = compared.shares[stratum][0] / max(1, canaries)
    lift = round(min(100.0, 1 / share), 2) if share else 100.0
    return (Contributor(dimension="stratum", value=stratum[:64], share=1.0, lift=lift),)
