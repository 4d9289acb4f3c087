"""OpenAI Agents SDK: its agents, model calls, tools, handoffs and guardrails.

`agents.add_trace_processor(OpenAIAgents(events))`; `set_trace_processors` does without the export to OpenAI.
"""

import sys
from asyncio import CancelledError
from datetime import datetime
from typing import Any

from agents.tracing import TracingProcessor, get_current_trace

from agent_oversight.called import conversation, quietly, usage_of
from agent_oversight.calls import Call
from agent_oversight.events import AgentEvents
from agent_oversight.failures import failure_named

REDACTED = "Error details are redacted."  # said in place of what went wrong, where traces hold nothing of it


class OpenAIAgents(TracingProcessor):
    """Tells of each span when it ends. A trace's group is the conversation, or the trace itself.

    `provider`: whose models they are, which spans do not say.
    """

    def __init__(self, events: AgentEvents, provider: str = "openai") -> None:
        self._events, self._provider = events, provider

    def _nothing(self, *_: object, **__: object) -> None:
        """What is told is told at its end."""

    on_trace_start = on_trace_end = on_span_start = shutdown = _nothing

    def force_flush(self) -> None:
        """Waits until everything is sent, for two seconds at most: whoever calls this wants to wait."""
        self._events.flush()

    @quietly
    def on_span_end(self, span: Any) -> None:
        """Tells of a span, if it is an operation of the contract."""
        data, error = span.span_data, sys.exception()
        cancelled = error if isinstance(error, CancelledError) else None
        call = self._call(data)
        if call is None and data.type == "response" and (span.error or cancelled):  # no answer: no model
            call = self._events.operation("chat", provider={"name": self._provider})
        if call is None:
            return
        call.tell(**conversation(getattr(get_current_trace(), "group_id", None) or span.trace_id))
        if data.type in ("generation", "response"):  # others' usage is the sum of theirs
            call.tell(usage=usage_of(_used(data)))
        took = datetime.fromisoformat(span.ended_at) - datetime.fromisoformat(span.started_at)
        call.tell(operation={"duration": took.total_seconds()})
        if span.error is None:  # also where it was cancelled
            call.ended(cancelled)
            return
        said = str((span.error.get("data") or {}).get("error") or span.error["message"])
        if error is not None and said in (str(error), REDACTED):  # on its way up, and not somebody else's
            call.tell(error={"message": said}).ended(error)
        else:
            call.tell(error=failure_named("tool_error", message=said)).ended()

    def _call(self, data: Any) -> Call | None:
        events, call = self._events, None
        match data.type:
            case "generation":
                call = events.chat(data.model, self._provider)
            case "response" if data.response is not None:
                call = events.chat(data.response.model, self._provider)
            case "function":
                call = events.tool(data.name)
            case "agent":
                call = events.operation("invoke_agent", attributes={"agent": data.name})
            case "handoff":
                call = events.operation("handoff", attributes={"to": data.to_agent or ""})
            case "guardrail":
                call = events.operation("guardrail", attributes={"guardrail": data.name})
                if data.triggered:
                    call.tell(error=failure_named("guardrail_triggered"))
        return call


def _used(data: Any) -> Any:
    """The usage of a call; in earlier versions only the answer of the Responses API has it."""
    answered = getattr(getattr(data, "response", None), "usage", None)
    return getattr(data, "usage", None) or (answered and answered.model_dump())
