"""What the events of a drill are made of: when each comes, of which type it is, and parts of its data."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.event import EventType
from streams.drilling.pattern import Pattern

OPERATION: EventType = "agent.operation.v1"
SESSION: EventType = "agent.session.v1"
APPROVAL: EventType = "agent.approval.v1"
RELEASE: EventType = "agent.release.v1"


class Said(NamedTuple):
    """One event to be: when, in seconds after the drill's start; its type, and parts of its data."""

    at_s: float
    type: EventType
    data: Mapping[str, Any]


Play = Callable[[Pattern], Iterator[Said]]
"""The events of an incident that is none, made to look like those of an agent."""


def model_call(pattern: Pattern, times_dearer: float = 1.0, times_slower: float = 1.0) -> dict[str, Any]:
    """A call of the model, as this agent makes them."""
    return {
        "operation": {"name": pattern.operation, "duration": pattern.seconds * times_slower},
        "provider": {"name": pattern.provider},
        "request": {"model": pattern.model},
        "usage": {
            "input_tokens": int(pattern.input_tokens * times_dearer),
            "output_tokens": pattern.output_tokens,
            "cost_amount": pattern.cost_usd * times_dearer,
            "cost_currency": "USD",
        },
    }


def edge(state: str, session: str, **more: Any) -> dict[str, Any]:
    """The beginning or the end of a session."""
    return {"operation": {"name": "invoke_agent"}, "conversation": {"id": session, "state": state}, **more}
