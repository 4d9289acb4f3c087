"""What to say of a rollout: worse, not comparable, fit to go on, or without a control."""

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any

from msgspec import Struct

from detectors.course import trend
from detectors.detector import Finding, Unworded
from detectors.rollouts.comparison import Comparison
from detectors.rollouts.evidence import Effect
from detectors.rollouts.plan import Plan
from detectors.rollouts.telling import Telling
from detectors.rollouts.trial import Trial
from detectors.rollouts.verdict import Verdict
from detectors.saying import counted, span
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
_BY_FAILURES = frozenset({"sessions", "tools"})
_FAULTS = {
    "arrivals": "its sessions do not arrive in the router's share, so some are lost or counted twice",
    "missing fields": "its records lack fields at another rate",
    "schema version": "its records have another schema",
}
CANARIES = "canary sessions"
LONG_S = 4 * 3600.0
"""A comparison that has said nothing for so long says that, and for how long still."""
MOST_CONTRIBUTORS = 5
MOST_NAMED = 3


class Told(Struct, frozen=True):
    """All that a finding speaks of."""

    trial: Trial
    compared: Comparison
    telling: Telling

    @property
    def blast(self) -> Blast:
        """The canary's sessions, and their share of all that were compared."""
        verdict = self.compared.verdict
        sessions = max(1, verdict.canaries + verdict.controls)
        return Blast(sessions=verdict.canaries, share=round(verdict.canaries / sessions, 4))

    def standing(self, finding: str, onset: float, summary: str, **more: Any) -> Finding:
        """A finding about the comparison itself: what it observes is the canary's sessions, unless said."""
        said = {
            "observed": float(self.compared.verdict.canaries),
            "unit": CANARIES,
            "blast": self.blast,
            "contributors": self.compared.mix.contributors(self.compared.strata),
            "samples": tuple(self.trial.samples),
            "history": self.telling.sessions(),
            **more,
        }
        labels = {"release": self.trial.release, **said.pop("labels", {})}
        return Finding(finding=finding, labels=labels, onset=onset, summary=summary, **said)


def found(trial: Trial, compared: Comparison, plan: Plan, telling: Telling, now: float) -> Unworded | None:
    """What a verdict finds, or that there is no control; None while there is nothing to say."""
    verdict, told = compared.verdict, Told(trial, compared, telling)
    if verdict.state == "roll_back":
        blamed = {"metric": verdict.blamed[0]}
        return _unworded("worse", trial, blamed, partial(_worse, told))
    if verdict.state == "invalid":
        return _unworded("invalid", trial, {"fault": verdict.fault}, partial(_invalid, told))
    if verdict.state == "hold" and trial.alone:
        return _unworded("no_control", trial, {}, partial(_no_control, told))
    if trial.unmatched:
        return _unworded("unbalanced", trial, {}, partial(_unbalanced, told))
    if verdict.state == "hold" or now < trial.stepped + plan.least_s:
        # A canary that gets no sessions any more is not held: it is over, and nobody said so.
        long = now - trial.began >= LONG_S and not trial.is_missed
        return _unworded("hold", trial, {}, partial(_holding, told, plan, now)) if long else None
    following = plan.after(trial.share)
    step = {} if following is None else {"step": f"{following:.4g}"}
    return _unworded("ready", trial, step, partial(_ready, told, plan))


def _unworded(finding: str, trial: Trial, labels: dict[str, str], words: Callable[[], Finding]) -> Unworded:
    """The label `metric` is the first that was blamed: it does not change."""
    onsets = {
        "hold": trial.began,
        "unbalanced": trial.unmatched,
        "ready": max(trial.decided, trial.stepped),
    }
    onset = onsets.get(finding, trial.decided or trial.alone)
    return Unworded(finding=finding, onset=onset, labels={"release": trial.release, **labels}, words=words)


def _worse(told: Told) -> Finding:
    """The canary is worse: roll it back."""
    verdict, effects, release = told.compared.verdict, told.compared.effects, told.trial.release
    metric = verdict.blamed[0]
    effect = effects[metric]
    others = [f"{each} ({_interval(effects[each])})" for each in verdict.blamed[1:]]
    also = f"; also {', '.join(others)}" if others else ""
    where = f", most of all in {verdict.stratum}" if verdict.stratum else ""
    canary, control = effect.canary or 0.0, effect.control or 0.0
    means = told.telling.means(metric)
    return told.standing(
        "worse",
        told.trial.decided,
        f"canary {release} is worse than control{where}: "
        f"{_WHAT[metric].format(canary, control)} ({_interval(effect)}){also}, "
        f"after {counted(verdict.canaries, 'canary session')}{_uncompared(told)}: roll back",
        labels={"metric": metric},
        observed=round(canary, 6),
        baseline=round(control, 6),
        unit=_UNITS.get(metric, "share"),
        magnitude=round(min(100.0, canary / control), 2) if control else 100.0,
        magnitude_unit="ratio",
        confidence=round(1 - 1 / max(verdict.evidence, 2.0), 4),
        trend=trend(means),
        contributors=_contributors(told, metric),
        history=means,
    )


def _invalid(told: Told) -> Finding:
    """The arms are not recorded alike: hold, and mend that."""
    verdict, trial = told.compared.verdict, told.trial
    return told.standing(
        "invalid",
        trial.decided,
        f"canary {trial.release} cannot be compared with control: {_FAULTS[verdict.fault]}, after "
        f"{verdict.canaries:,} canary and {counted(verdict.controls, 'control session')}: hold",
        labels={"fault": verdict.fault},
        confidence=0.99,
    )


def _ready(told: Told, plan: Plan) -> Finding:
    """The canary is within its margins on every metric: promote."""
    trial, compared = told.trial, told.compared
    within = [
        f"{name} {_interval(effect)}"
        for name, effect in compared.effects.items()
        if effect.canary is not None
    ]
    following = plan.after(trial.share)
    to, step = ("", {}) if following is None else (f" to {following:.4g}", {"step": f"{following:.4g}"})
    return told.standing(
        "ready",
        max(trial.decided, trial.stepped),
        f"canary {trial.release} is no worse than control within its margins ({'; '.join(within)}), "
        f"after {counted(compared.verdict.canaries, 'canary session')}: promote{to}",
        labels=step,
        confidence=0.99,
    )


def _holding(told: Told, plan: Plan, now: float) -> Finding:
    """Nothing can be told yet, or the step has not lasted long enough: hold, and for how long."""
    trial, verdict = told.trial, told.compared.verdict
    if verdict.state == "promote":
        says = "no worse than control within its margins, in a step that is to last"
        left = f"{span(trial.stepped + plan.least_s - now)} to go"
    else:
        says = (
            f"neither worse nor fit to go on after {counted(verdict.controls, 'control session')} and "
            f"{verdict.canaries:,} of its own"
        )
        left = _left(verdict, now - trial.began - plan.ripe_s)
    return told.standing("hold", trial.began, f"canary {trial.release} is {says}: hold, {left}")


def _left(verdict: Verdict, spent_s: float) -> str:
    """How long until a verdict, if sessions come and evidence grows as they have."""
    sessions = verdict.canaries + verdict.controls
    if verdict.eta_sessions is None or not sessions or spent_s <= 0:
        return "no verdict in sight at this traffic"
    return f"{span(verdict.eta_sessions / sessions * spent_s)} to go at this traffic"


def _no_control(told: Told) -> Finding:
    """There is nothing to compare with: hold."""
    trial = told.trial
    return told.standing(
        "no_control",
        trial.alone,
        f"canary {trial.release} has {counted(trial.canaries, 'session')} and control none since: there is "
        "nothing to compare it with: hold",
        observed=float(trial.canaries),
        blast=Blast(sessions=trial.canaries, share=1.0),
    )


def _unbalanced(told: Told) -> Finding:
    """Much of the canary's traffic is of a kind that control has none of: no comparison repairs that."""
    trial, verdict = told.trial, told.compared.verdict
    share = told.compared.mix.unmatched
    return told.standing(
        "unbalanced",
        trial.unmatched,
        f"{share:.0%} of the sessions of canary {trial.release} are of strata that control hardly has "
        f"({_lacking(told)}), so they are compared with nothing, after {verdict.canaries:,} canary and "
        f"{counted(verdict.controls, 'control session')}: hold",
        observed=round(share, 4),
        baseline=0.0,
        unit="share",
        blast=Blast(sessions=round(share * verdict.canaries), share=round(share, 4)),
    )


def _uncompared(told: Told) -> str:
    """What part of the canaries a verdict does not rest on, where that is much."""
    if not told.trial.unmatched:
        return ""
    return f" ({told.compared.mix.unmatched:.0%} of them compared with nothing: {_lacking(told)})"


def _lacking(told: Told) -> str:
    names = [name or "no stratum" for name in told.compared.mix.lacking(told.compared.strata)]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _interval(effect: Effect) -> str:
    high = f"{effect.high:.2f}" if isfinite(effect.high) else "more"
    return f"{effect.unit} {effect.low:.2f} to {high}"


def _contributors(told: Told, metric: str) -> tuple[Contributor, ...]:
    """The stratum that is worst, by how much more often the evidence is there; what fails; strata."""
    compared = told.compared
    stratum, shown = compared.verdict.stratum, compared.mix.contributors(compared.strata)
    worst: tuple[Contributor, ...] = ()
    if stratum:
        canaries = sum(count for count, _ in compared.shares.values())
        share = compared.shares[stratum][0] / max(1, canaries)
        lift = round(min(100.0, 1 / share), 2) if share else 100.0
        worst = (Contributor(dimension="stratum", value=stratum[:64], share=1.0, lift=lift),)
    failing = told.telling.failing()[:MOST_NAMED] if metric in _BY_FAILURES else ()
    mix = tuple(each for each in shown if each.value != stratum[:64])
    return (*worst, *failing, *mix)[:MOST_CONTRIBUTORS]
