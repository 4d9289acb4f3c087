"""The next step that a page suggests."""

from collections.abc import Mapping

from schemas.signal import Signal

NEXT_STEPS: Mapping[str, str] = {
    "error_rate": "Open a failing trace; if the errors began with a release, roll it back.",
    "error_rate/sessions": "Open a failed session; if failures began with a release, roll it back.",
    "error_rate/abandoned": "Open a session that never ended; look for crashes and restarts of the agent.",
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
    "telemetry/behind": "Add workers, up to one for each partition; if none is busy, look at their logs.",
    "telemetry/channel_refuses": "Mend the channel: its address, token or rights; see `oversight doctor`.",
    "traffic/drop": "Look at what stands before the agent (gateway, login, queue) and who no longer comes.",
    "traffic/surge": "See who sends so much; limit them, or make room before queues and spending grow.",
    "session": "Open the session's trace; stop it if it does no useful work.",
    "session/loop": "Open the session's trace and stop it; cap its steps.",
    "isolation": "Stop the agent, keep the trace, and find out whose data was seen by whom.",
    "rollout": "Hold the rollout; roll back if the blamed metrics matter.",
    "rollout/worse": "Roll the canary back, unless what it is blamed for is meant.",
    "rollout/invalid": "Hold the rollout; find out why the arms are not recorded alike, then begin it anew.",
    "rollout/no_control": "Hold the rollout until control has sessions again.",
    "rollout/unbalanced": "Hold the rollout; let control have some of the traffic that only the canary gets.",
    "rollout/ready": "Go on to the rollout's next step.",
    "rollout/hold": "Nothing: wait, or give the canary more of the traffic to know sooner.",
}
CLASSES: Mapping[str, str] = {
    "retryable": "Retries may help: check rate limits and the dependency's status before anything else.",
    "non_retryable": "Retries will not help: look for a changed schema, permission or release.",
    "escalation": "A person must decide: look at what the agents handed over.",
}
ANY_STEP = "Look at the samples and what changed lately."


def next_step(signal: Signal) -> str:
    """The first thing to do about a finding, in a sentence or two; a known error class says more."""
    step = NEXT_STEPS.get(f"{signal.detector}/{signal.finding}", NEXT_STEPS.get(signal.detector, ANY_STEP))
    kind = CLASSES.get(signal.labels.get("error_class", signal.labels.get("class", "")), "")
    return f"{step} {kind}".rstrip()
