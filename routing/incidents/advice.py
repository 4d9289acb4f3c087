"""What to do: the next step a page suggests, and the advice that agents and gateways subscribe to."""

from collections.abc import Mapping, Sequence
from typing import cast

from routing.incidents.incident import Case, Given, Member
from routing.incidents.turn import Turn
from routing.policy import Advice
from schemas.decision import Action, Decision
from schemas.identity import canonical, derived
from schemas.signal import Signal

NEXT_STEPS: Mapping[str, str] = {
    "error_rate": "Open a failing trace; if the errors began with a release, roll it back.",
    "error_rate/sessions": "Open a failed session; if failures began with a release, roll it back.",
    "error_rate/tools": "Check the tool that stands out; let agents go on without it if it is down.",
    "error_rate/models": "Check the provider's status; switch model or provider if it is down.",
    "cost": "Find the model or release that costs more; cap sessions until it is understood.",
    "cost/spike": "Find the model or release that costs more; cap sessions until it is understood.",
    "cost/budget": "Lower the limits or raise the budget before the period's money is spent.",
    "cost/over_budget": "Decide whether the agent may go on: raise the budget, or cap or stop it.",
    "cost/session": "Look into the session that stands out; stop it if it loops.",
    "input_shift": "Read the samples; defer such inputs to a person if the agent was not validated for them.",
    "input_shift/injection": "Read the samples; if it is an attack, block its source; check what was done.",
    "dependency": "Check the provider's status; open the circuit until it answers again.",
    "latency": "Look for queueing, retries or a slower model in the slow traces.",
    "silence": "Check whether the agent runs and whether its events still arrive.",
    "session": "Open the session's trace; stop it if it does no useful work.",
    "session/loop": "Open the session's trace and stop it; cap its steps.",
    "isolation": "Stop the agent, keep the trace, and find out whose data was seen by whom.",
    "rollout": "Hold the rollout; roll back if the blamed metrics matter.",
    "rollout/worse": "Roll the canary back, unless what it is blamed for is meant.",
    "rollout/invalid": "Hold the rollout; find out why the arms are not recorded alike, then begin it anew.",
    "rollout/no_control": "Hold the rollout until control has sessions again.",
    "rollout/ready": "Go on to the rollout's next step.",
}
CLASSES: Mapping[str, str] = {
    "retryable": "Retries may help: check rate limits and the dependency's status before anything else.",
    "non_retryable": "Retries will not help: look for a changed schema, permission or release.",
    "escalation": "A person must decide: look at what the agents handed over.",
}
ANY_STEP = "Look at the samples and what changed lately."
ROLLOUT: Mapping[str, Action] = {
    "worse": "roll_back",
    "invalid": "hold",
    "no_control": "hold",
    "ready": "promote",
}
"""What a finding about a rollout calls for; given for a person to act on where `decisions:` says no more."""
MOST_ADVICE = 64
"""Pieces of advice an incident remembers; at the cap it gives no more."""
SUBJECT = ("agent", "env", "team", "tool", "model", "provider", "dependency", "session", "tenant", "release")


def next_step(signal: Signal) -> str:
    """The first thing to do about a finding, in a sentence or two; a known error class says more."""
    step = NEXT_STEPS.get(f"{signal.detector}/{signal.finding}", NEXT_STEPS.get(signal.detector, ANY_STEP))
    kind = CLASSES.get(signal.labels.get("error_class", signal.labels.get("class", "")), "")
    return f"{step} {kind}".rstrip()


def advise(turn: Turn, case: Case, member: Member) -> None:
    """Gives the advice that the policy has for a signal, once for each subject while it is valid."""
    for entry in _entries(turn.policy.advice, member.labels):
        _give(turn, case, member, entry)


def _entries(policy: Sequence[Advice], labels: Mapping[str, str]) -> Sequence[Advice]:
    """The entries that match. Nothing promotes a rollout that is to be rolled back, nor the other way."""
    entries = [each for each in policy if all(matcher.matches(labels) for matcher in each.matchers)]
    call = ROLLOUT.get(labels.get("finding", "")) if labels.get("detector") == "rollout" else None
    if call is None:
        return entries
    others = set(ROLLOUT.values()) - {call}
    entries = [each for each in entries if each.action not in others]
    known = any(each.action == call for each in entries)
    return entries if known else [*entries, Advice(matchers=(), action=call)]


def withdraw(turn: Turn, case: Case) -> None:
    """Takes back what is not true any more when an incident is resolved: closes circuits it opened."""
    for about, given in case.advised.items():
        if given.action == "open_circuit":
            _say(turn, case, f"close {about}", "close_circuit", given)
    case.advised = {}


def _give(turn: Turn, case: Case, member: Member, entry: Advice) -> None:
    subject = {name: member.labels[name] for name in SUBJECT if name in member.labels}
    about = f"{entry.action} {canonical(subject)}"
    before = case.advised.get(about)
    if before is not None and (before.until is None or before.until > turn.now):
        return
    if before is None and len(case.advised) >= MOST_ADVICE:
        turn.state.count("advice dropped at the cap")
        return
    given = Given(
        action=entry.action,
        subject=subject,
        until=None if entry.valid is None else turn.now + entry.valid,
        automatic=entry.automatic,
        times=1 if before is None else before.times + 1,
    )
    case.advised[about] = given
    turn.state.touch(case)
    _say(turn, case, about, cast("Action", entry.action), given)


def _say(turn: Turn, case: Case, about: str, action: Action, given: Given) -> None:
    decision = Decision(
        id=derived("dec", case.id, about, str(case.opening), str(given.times)),
        time=turn.now,
        action=action,
        subject=given.subject,
        reason=case.summary,
        incident=case.id,
        until=given.until if action == given.action else None,
        automatic=given.automatic,
    )
    turn.emit("decisions", case.id, decision)
