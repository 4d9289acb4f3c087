"""OpenTelemetry: spans of the GenAI conventions. `provider.add_span_processor(OpenTelemetry(events))`."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_type_hints

from msgspec import ValidationError, convert
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from agent_oversight.called import conversation, quietly
from agent_oversight.events import AgentEvents
from agent_oversight.failures import failure_named
from agent_oversight.words import Failure, Parts

PARTS = get_type_hints(Parts)
OLDER = {
    "gen_ai.system": "gen_ai.provider.name",
    "gen_ai.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "gen_ai.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_creation.input_tokens": "gen_ai.usage.cache_write.input_tokens",
    "mcp.method.name": "gen_ai.mcp.method_name",
}
"""Names of earlier versions, of which the newer goes first, and a name with a dot that is none of ours."""
OWN = ("conversation", "attributes", "error")
"""Parts that are not read as they are."""
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
        said = span.attributes or {}
        name = said.get("gen_ai.operation.name")
        if name is None:
            return
        parts: dict[str, Any] = {**_parts(said), **conversation(said.get("gen_ai.conversation.id"))}
        if name in SUMS:
            parts.pop("usage", None)
        if agent := said.get("gen_ai.agent.name"):
            parts["attributes"] = {"agent": agent}
        call = self._events.operation(str(name), **parts)
        # A clock that is set back ends a span before it began.
        took_s = max(0.0, ((span.end_time or 0) - (span.start_time or 0)) / 1e9)
        call.tell(operation={"duration": took_s})
        if (context := span.context) is not None:
            call.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        if span.status.status_code is StatusCode.ERROR or "error.type" in said:
            call.tell(error=_failure(span, said))
        call.ended()


def _parts(said: Mapping[str, Any]) -> dict[str, Any]:
    """What attributes say in the words of the contract; a part that is not of its types is left out."""
    found: dict[str, dict[str, Any]] = {}
    for key in (*(older for older in OLDER if older in said), *said):  # the newer come last
        part, _, name = OLDER.get(key, key).removeprefix("gen_ai.").partition(".")
        if part in PARTS and part not in OWN:
            found.setdefault(part, {})[name.replace(".", "_")] = said[key]
    fitting: dict[str, Any] = {}
    for part, fields in found.items():
        with suppress(ValidationError):
            fitting[part] = convert(fields, PARTS[part], strict=False)
    return fitting


def _failure(span: ReadableSpan, said: Mapping[str, Any]) -> Failure:
    """By `error.type`, else by the exception that was recorded."""
    recorded = next((each.attributes or {} for each in span.events if each.name == "exception"), {})
    kind = said.get("error.type") or recorded.get("exception.type") or "_OTHER"
    code = str(said.get("http.response.status_code", ""))
    status = int(code) if code.isascii() and code.isdigit() else None
    message = span.status.description or recorded.get("exception.message")
    return failure_named(str(kind), status, str(message) if message else None)
