"""Decisions: advice that agents and gateways subscribe to."""

from typing import Literal

from schemas.signal import Time, Words

Action = Literal[
    "retry",
    "stop_retrying",
    "open_circuit",
    "close_circuit",
    "defer",
    "hold",
    "roll_back",
    "promote",
    "cap_session",
]


class Decision(Words, frozen=True):
    """One piece of advice, valid until `until`. `automatic`: it may be acted on without a person."""

    id: str
    time: Time
    action: Action
    subject: dict[str, str]
    reason: str
    incident: str
    until: Time | None = None
    automatic: bool = False
