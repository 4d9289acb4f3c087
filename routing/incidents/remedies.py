"""What a finding calls for, by the team's rules, by its failures' types, or as it is about a rollout."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from routing.incidents.incident import Member
from routing.policy import Advice, FailureMode, Policy
from schemas.decision import Action, Then
from schemas.event import ErrorClass
from schemas.failures import known_class
from schemas.signal import Signal

ROLLOUT: Mapping[str, Action] = {
    "worse": "roll_back",
    "invalid": "hold",
    "no_control": "hold",
    "unbalanced": "hold",
    "ready": "promote",
}
"""What a finding about a rollout calls for; given for a person to act on where `decisions:` says no more."""
FAILING = ("error_rate", "dependency")
"""Detectors whose findings say how calls fail."""
ERROR_TYPE = "error type"
RETRY_AFTER = timedelta(seconds=5)
RETRY_TIMES = 3
HANDLED_FOR = timedelta(minutes=5)
"""How long advice on a failure's type holds; it is given again while the finding holds."""
MOST_LIKE = 10


class Remedy(Struct, frozen=True, kw_only=True):
    """What is to be done, as in `schemas.decision`.

    `about`: what its subject says beside the finding's labels. `valid`: None while the incident lasts.
    """

    action: Action
    valid: timedelta | None = None
    automatic: bool = False
    about: Mapping[str, str] = {}
    after_s: float | None = None
    times: int | None = None
    then: Then | None = None
    limits: Mapping[str, float] = {}
    like: tuple[str, ...] = ()


DEFAULTS: Mapping[ErrorClass, Remedy] = {
    "retryable": Remedy(
        action="retry",
        valid=HANDLED_FOR,
        automatic=True,
        after_s=RETRY_AFTER.total_seconds(),
        times=RETRY_TIMES,
        then="stop",
    ),
    "non_retryable": Remedy(action="stop_retrying", valid=HANDLED_FOR, automatic=True),
    "escalation": Remedy(action="defer", valid=HANDLED_FOR, automatic=True, then="person"),
}
"""How failures are handled that `errors:` says nothing of, where their type tells the class."""


def remedies(policy: Policy, member: Member) -> Sequence[Remedy]:
    """Everything that a finding calls for."""
    return [*_by_rules(policy.advice, member), *_by_failures(policy.errors, member.signal)]


def _by_rules(advice: Sequence[Advice], member: Member) -> Sequence[Remedy]:
    """The entries that match. Nothing promotes a rollout that is to be rolled back, nor the other way."""
    labels = member.labels
    entries = [
        _remedy(each, member.signal)
        for each in advice
        if all(matcher.matches(labels) for matcher in each.matchers)
    ]
    call = ROLLOUT.get(labels.get("finding", "")) if labels.get("detector") == "rollout" else None
    if call is None:
        return entries
    others = set(ROLLOUT.values()) - {call}
    entries = [each for each in entries if each.action not in others]
    known = any(each.action == call for each in entries)
    return entries if known else [*entries, Remedy(action=call)]


def _remedy(entry: Advice, signal: Signal) -> Remedy:
    like = tuple(each.value for each in signal.contributors[:MOST_LIKE]) if entry.action == "defer" else ()
    return Remedy(
        action=entry.action, valid=entry.valid, automatic=entry.automatic, limits=entry.limits, like=like
    )


def _by_failures(modes: Sequence[FailureMode], signal: Signal) -> Sequence[Remedy]:
    """How the types of failures that stand out are handled: the first entry that fits, else by class."""
    if signal.detector not in FAILING:
        return ()
    types = [each.value for each in signal.contributors if each.dimension == ERROR_TYPE]
    handled = [(each, _handling(modes, each)) for each in types]
    return [replace(remedy, about={"error_type": kind}) for kind, remedy in handled if remedy is not None]


def _handling(modes: Sequence[FailureMode], kind: str) -> Remedy | None:
    mode = next((each for each in modes if each.type.matches({"error_type": kind})), None)
    if mode is None:
        known = known_class(kind)
        return None if known is None else DEFAULTS[known]
    if mode.retry_after is not None:
        after_s = mode.retry_after.total_seconds()
        return replace(DEFAULTS["retryable"], after_s=after_s, times=mode.retry_times, then=mode.then)
    if mode.then == "stop":
        return DEFAULTS["retryable" if mode.error_class == "retryable" else "non_retryable"]
    return replace(DEFAULTS["escalation"], then=mode.then)
