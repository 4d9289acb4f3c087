"""OpenTelemetry: spans of the GenAI conventions. `provider.add_span_processor(OpenTelemetry(events))`."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from agent_oversight.called import conversation, quietly
from agent_oversight.conventions import parts_of
from agent_oversight.events import AgentEvents
from agent_oversight.failures import failure_named
from agent_oversight.words import Failure

SUMS = ("invoke_agent", "invoke_workflow")
"""Their usage is that of the calls within."""


class OpenTelemetry(SpanProcessor):
    """Tells of each span that has `gen_ai.operation.name`, when it ends. Needs no exporter."""

    def __init__(self, events: AgentEvents) -> None:
        self._events = events

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Waits until everything is sent; whether it was."""
        return self._events.flush(timeout_millis / 1000)

    @quietly
    def on_end(self, span: ReadableSpan) -> None:
        """Tells of a span, if it is an operation."""
        attributes = span.attributes or {}
        if (name := attributes.get("gen_ai.operation.name")) is None:
            return
        said = dict(attributes)
        parts: dict[str, Any] = {**parts_of(said), **conversation(said.get("gen_ai.conversation.id"))}
        if name in SUMS:
            parts.pop("usage", None)
        if agent := said.get("gen_ai.agent.name"):
            parts["attributes"] = {"agent": agent}
        # A clock that is set back ends a span before it began.
        took_s = max(0.0, ((span.end_time or 0) - (span.start_time or 0)) / 1e9)
        parts["operation"] = {**parts.get("operation", {}), "duration": took_s}
        call = self._events.operation(str(name), **parts)
        if (context := span.context) is not None:
            call.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        if span.status.status_code is StatusCode.ERROR or "error.type" in said:
            call.tell(error=_failure(span, said))
        call.ended()


def _failure(span: ReadableSpan, said: Mapping[str, Any]) -> Failure:
    """By `error.type`, else by the exception that was recorded."""
    recorded = next((each.attributes or {} for each in span.events if each.name == "exception"), {})
    kind = said.get("error.type") or recorded.get("exception.type") or "_OTHER"
    code = str(said.get("http.response.status_code", ""))
    status = int(code) if code.isascii() and code.isdigit() else None
    message = span.status.description or recorded.get("exception.message")
    return failure_named(str(kind), status, str(message) if message else None)
