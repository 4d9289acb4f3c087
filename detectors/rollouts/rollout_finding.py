"""What to say of a rollout: worse, not comparable, fit to go on, or without a control."""

from collections.abc import Callable
from functools import partial
from math import isfinite

from detectors.detector import Finding, Unworded
from detectors.rollouts.comparison import Comparison
from detectors.rollouts.evidence import Effect
from detectors.rollouts.trial import Trial
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


def found(trial: Trial, compared: Comparison) -> Unworded | None:
    """What a verdict finds, or that there is no control; None while there is nothing to say."""
    verdict = compared.verdict
    if verdict.state == "hold":
        return _unworded("no_control", trial, {}, partial(_no_control, trial)) if trial.alone else None
    if verdict.state == "roll_back":
        blamed = {"metric": verdict.blamed[0]}
        return _unworded("worse", trial, blamed, partial(_worse, trial, compared))
    if verdict.state == "invalid":
        return _unworded("invalid", trial, {"fault": verdict.fault}, partial(_invalid, trial, compared))
    return _unworded("ready", trial, {}, partial(_ready, trial, compared))


def _unworded(finding: str, trial: Trial, labels: dict[str, str], words: Callable[[], Finding]) -> Unworded:
    """The label `metric` is the first that was blamed: it does not change."""
    onset = trial.decided or trial.alone
    return Unworded(finding=finding, onset=onset, labels={"release": trial.release, **labels}, words=words)


def _worse(trial: Trial, compared: Comparison) -> Finding:
    """The canary is worse: roll it back."""
    verdict, effects = compared.verdict, compared.effects
    metric = verdict.blamed[0]
    effect = effects[metric]
    also = f"; also {', '.join(verdict.blamed[1:])}" if verdict.blamed[1:] else ""
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


def _ready(trial: Trial, compared: Comparison) -> Finding:
    """The canary is within its margins on every metric: promote."""
    verdict = compared.verdict
    told = [
        f"{name} {_interval(effect)}"
        for name, effect in compared.effects.items()
        if effect.canary is not None
    ]
    return Finding(
        finding="ready",
        labels={"release": trial.release},
        onset=trial.decided,
        summary=f"canary {trial.release} is no worse than control within its margins ({'; '.join(told)}), "
        f"after {verdict.canaries:,} canary sessions: promote",
        observed=float(verdict.canaries),
        unit="canary sessions",
        confidence=0.99,
    )


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
