"""Decisions: advice that agents and gateways subscribe to."""

from typing import Literal

from msgspec import field

from schemas.signal import Time, Words

Action = Literal[
    "retry",
    "stop_retrying",
    "open_circuit",
    "half_open_circuit",
    "close_circuit",
    "defer",
    "hold",
    "roll_back",
    "promote",
    "cap_session",
    "throttle_tenant",
]
Then = Literal["defer", "stop", "person"]
"""What follows when retries do not help, or are none: others take over, nobody does, a person does."""


class Decision(Words, frozen=True):
    """One piece of advice, valid until `until` or, without it, until another one about the same subject.

    `automatic`: it may be acted on without a person. `granted_by`: the person who granted one that is not;
    it comes again under the same id then.

    `after_s`, `times`, `then`: of `retry`, the least pause in seconds, how many retries at most, and what
    follows; `then` of `defer`, who takes over. `limits`: of `cap_session` and `throttle_tenant`, the most
    there may be, by what is limited (`steps`, `tokens`, `cost_usd`, `per_minute`, …). `like`: of `defer`,
    what tells such inputs from others: terms and features, those that stand out most first.
    """

    id: str
    time: Time
    action: Action
    subject: dict[str, str]
    reason: str
    incident: str
    until: Time | None = None
    automatic: bool = False
    granted_by: str = ""
    after_s: float | None = None
    times: int | None = None
    then: Then | None = None
    limits: dict[str, float] = field(default_factory=dict)
    like: tuple[str, ...] = ()


class Offer(Words, frozen=True):
    """Advice that waits for a person to grant or refuse it. `until`: when it ends by itself, if it does."""

    decision: str
    action: Action
    subject: dict[str, str]
    until: Time | None = None
