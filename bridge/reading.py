"""A span of any dialect, read: whose work it is, and which agent event it will be."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bridge import names
from bridge.inputs import user_text
from bridge.operations import operation
from bridge.raw import Attributes, Raw
from bridge.values import LONGEST_MESSAGE, count, measure, text, texts, within
from schemas.event import (
    Agent,
    Data,
    Deployment,
    Event,
    Failure,
    Input,
    Mcp,
    Named,
    Operation,
    Prompt,
    Request,
    Response,
    Server,
    Service,
    Tool,
    Usage,
)
from schemas.span import Span, Who
from schemas.wire import LAST_YEAR, moment

TRACE_DIGITS, SPAN_DIGITS = 32, 16
HEX = frozenset("0123456789abcdef")
_FIRST = moment(0).timestamp()
_LAST = moment(0).replace(year=LAST_YEAR).timestamp()
NANOSECONDS = 1e9
UNKNOWN_SERVICE = "unknown_service"
"""What OpenTelemetry calls a service that has no name."""
CLASS = re.compile(r"<class '([\w.]+)'>")
"""How a class of Python is written where its name was meant."""
OTHER = "_OTHER"
"""What OpenTelemetry calls an error of no known type."""


class Unusable(ValueError):  # noqa: N818 - says what it is
    """A span that cannot be used; the message says what was expected where."""


def read(raw: Raw) -> Span:
    """What the bridge needs of a span.

    Raises:
        Unusable: its ids or its end are none.
    """
    trace, own = _id(raw.trace, "traceId", TRACE_DIGITS), _id(raw.id, "spanId", SPAN_DIGITS)
    parent = _id(raw.parent, "parentSpanId", SPAN_DIGITS) if raw.parent.strip("0") else ""
    at = raw.end_ns / NANOSECONDS
    if not _FIRST < at < _LAST:
        raise Unusable(f"endTimeUnixNano is {raw.end_ns}; expected nanoseconds since 1970")
    service = text(raw.resource, names.SERVICE) or UNKNOWN_SERVICE
    name = operation(raw)
    return Span(
        trace=trace,
        id=own,
        parent=parent,
        at=at,
        service=service,
        who=_who(raw, name),
        event=None if name is None else _event(raw, f"{trace}-{own}", service, name),
    )


def _id(digits: str, what: str, length: int) -> str:
    lower = digits.lower()
    if len(lower) != length or not HEX.issuperset(lower) or not lower.strip("0"):
        raise Unusable(f"{what} is {digits[:64]!r}; expected {length} hexadecimal digits, not all 0")
    return lower


def _who(raw: Raw, name: str | None) -> Who:
    said = raw.attributes
    agent, version = text(said, names.AGENT), text(said, names.AGENT_VERSION)
    if name == "invoke_agent":
        agent = agent or text(said, [names.OPENLLMETRY_NAME])
        version = version or text(said, [names.OPENLLMETRY_VERSION])
    workflow = text(said, names.WORKFLOW)
    if name == "invoke_workflow":
        workflow = workflow or text(said, [names.OPENLLMETRY_NAME])
    return Who(
        agent=agent,
        version=version,
        workflow=workflow,
        conversation=text(said, names.CONVERSATION),
        user=text(said, names.USER),
        tenant=text(said, names.TENANT) or text(raw.resource, names.TENANT),
    )


def _event(raw: Raw, name: str, service: str, operation_name: str) -> Event:
    return Event(
        specversion="1.0",
        id=name,
        source=f"otlp/{service}"[:256],
        type="agent.operation.v1",
        time=moment(raw.end_ns / NANOSECONDS),
        data=_data(raw, service, operation_name),
        traceparent=f"00-{name.lower()}-01",
    )


def _data(raw: Raw, service: str, operation_name: str) -> Data:
    said = raw.attributes
    asked, answered = _models(said)
    return Data(
        operation=Operation(operation_name, max(0.0, (raw.end_ns - raw.start_ns) / NANOSECONDS)),
        agent=Agent(service),
        service=Service(
            service, text(raw.resource, names.SERVICE_VERSION), text(raw.resource, names.INSTANCE)
        ),
        deployment=_part(Deployment, environment_name=text(raw.resource, names.ENVIRONMENT)),
        provider=_part(Named, name=text(said, names.PROVIDER)),
        request=_part(Request, model=asked, max_tokens=count(said, names.MAX_TOKENS)),
        prompt=_part(Prompt, name=text(said, names.PROMPT), version=text(said, names.PROMPT_VERSION)),
        response=_part(
            Response,
            id=text(said, names.RESPONSE_ID),
            model=answered,
            finish_reasons=texts(said, names.FINISH_REASONS),
            time_to_first_chunk=measure(said, names.FIRST_CHUNK),
        ),
        tool=_tool(said, operation_name),
        mcp=_part(Mcp, method_name=text(said, names.MCP_METHOD)),
        server=_part(Server, address=text(said, names.ADDRESS), port=count(said, names.PORT)),
        usage=None if operation_name in names.AROUND else _usage(said),
        error=_error(raw),
        input=_part(Input, text=user_text(said) if operation_name in names.MODEL_CALLS else None),
    )


def _part(kind: Callable[..., Any], **said: Any) -> Any:
    """A part of the payload, or None where nothing is said of it."""
    return kind(**said) if any(each is not None for each in said.values()) else None


def _models(said: Attributes) -> tuple[str | None, str | None]:
    """The model that was asked for, and the one that answered."""
    asked, answered = text(said, names.REQUEST_MODEL), text(said, names.RESPONSE_MODEL)
    if asked is not None:
        return asked, answered
    named, given = text(said, names.MODEL), within(said, names.PARAMETERS, "model")
    return (named, answered) if given is None else (given, answered or named)


def _tool(said: Attributes, operation_name: str) -> Tool | None:
    name = text(said, names.TOOL)
    if name is None and operation_name == "execute_tool":
        name = text(said, [names.OPENLLMETRY_NAME])
    tool: Tool | None = _part(
        Tool, name=name, type=text(said, names.TOOL_TYPE), call_id=text(said, names.TOOL_CALL)
    )
    return tool


def _usage(said: Attributes) -> Usage | None:
    cost = measure(said, names.COST)
    money: Mapping[str, Any] = {} if cost is None else {"cost_amount": cost, "cost_currency": "USD"}
    usage: Usage | None = _part(
        Usage,
        input_tokens=count(said, names.INPUT_TOKENS),
        output_tokens=count(said, names.OUTPUT_TOKENS),
        cache_read_input_tokens=count(said, names.CACHE_READ_TOKENS),
        cache_write_input_tokens=count(said, names.CACHE_WRITE_TOKENS),
        reasoning_output_tokens=count(said, names.REASONING_TOKENS),
        **money,
    )
    return usage


def _error(raw: Raw) -> Failure | None:
    """Of the status, of `error.type`, or of the exception that was recorded on the span."""
    kind = text(raw.attributes, names.ERROR_TYPE)
    if kind is None and not raw.failed:
        return None
    thrown = next((each.attributes for each in raw.events if each.name == "exception"), {})
    kind = kind or text(thrown, ["exception.type"]) or OTHER
    of_class = CLASS.fullmatch(kind)
    message = raw.message or thrown.get("exception.message")
    return Failure(
        type=of_class[1] if of_class else kind,
        message=message[:LONGEST_MESSAGE] if isinstance(message, str) and message else None,
        http_status_code=count(raw.attributes, names.HTTP_STATUS),
    )
