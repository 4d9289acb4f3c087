"""Agent events: CloudEvents 1.0 around OpenTelemetry GenAI names, as typed msgspec structs.

The reader is tolerant: unknown fields are ignored, types and enums are checked. `schemas/json/` holds the
closed schema for registries. Absent dimensions are `None`, never 0.
"""

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

Text256 = Annotated[str, Meta(max_length=256)]
Text512 = Annotated[str, Meta(max_length=512)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Scalar = str | float | bool
DrillId = Annotated[str, Meta(pattern="^[a-z_]{1,64}/[a-z_]{1,64}:[A-Za-z0-9._-]{1,128}$(?!\\n)")]
"""`detector/scenario:name` of a fire drill: which detector it exercises, how, and which run of it."""
EventType = Literal[
    "agent.operation.v1", "agent.session.v1", "agent.evaluation.v1", "agent.approval.v1", "agent.release.v1"
]
EVENT_TYPES: tuple[str, ...] = get_args(EventType)
"""All of them."""
ErrorClass = Literal["retryable", "non_retryable", "escalation"]
Consequence = Literal["low", "moderate", "high", "critical"]


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A part of an event's data; frozen, so that folds may keep it."""


class Operation(Part, frozen=True):
    """What was done. `duration` in seconds; an absent `state` means ended."""

    name: Text256
    duration: Seconds | None = None
    step: Count | None = None
    id: Text256 | None = None
    state: Literal["started", "ended"] | None = None
    required: bool | None = None
    consequence: Consequence | None = None


class Agent(Part, frozen=True):
    """Who did it."""

    name: Text256
    id: Text256 | None = None
    version: Text256 | None = None


class Service(Part, frozen=True):
    """The service the agent runs in."""

    name: Text256 | None = None
    version: Text256 | None = None
    instance_id: Text256 | None = None


class Deployment(Part, frozen=True):
    """Where it runs."""

    environment_name: Text256 | None = None


class Conversation(Part, frozen=True):
    """The session; `state` on `agent.session.v1` only."""

    id: Text256 | None = None
    state: Literal["started", "running", "ended"] | None = None


class Identified(Part, frozen=True):
    """A tenant or a user."""

    id: Text256 | None = None


class Named(Part, frozen=True):
    """A provider."""

    name: Text256 | None = None


class Request(Part, frozen=True):
    """What was asked of a model."""

    model: Text256 | None = None
    max_tokens: Count | None = None


class Prompt(Part, frozen=True):
    """The prompt template."""

    name: Text256 | None = None
    version: Text256 | None = None


class Response(Part, frozen=True):
    """What a model answered. `time_to_first_chunk` in seconds."""

    id: Text256 | None = None
    model: Text256 | None = None
    finish_reasons: tuple[Text256, ...] | None = None
    time_to_first_chunk: Seconds | None = None


class Tool(Part, frozen=True):
    """The tool that was called."""

    name: Text256 | None = None
    type: Text256 | None = None
    call_id: Text256 | None = None
    arguments_digest: Text256 | None = None


class Mcp(Part, frozen=True):
    """Model Context Protocol."""

    method_name: Text256 | None = None


class Server(Part, frozen=True):
    """The peer."""

    address: Text256 | None = None
    port: Count | None = None


class Usage(Part, frozen=True):
    """The operation's own usage, never subtree totals. `cost_amount` in `cost_currency`."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_write_input_tokens: Count | None = None
    reasoning_output_tokens: Count | None = None
    cost_amount: Annotated[float, Meta(ge=0)] | None = None
    cost_currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    cost_source: Literal["provider", "local"] | None = None
    cost_component: Literal["model", "tool", "infra"] | None = None


class Failure(Part, frozen=True, rename={"class_": "class"}):
    """Why it failed; success is the absence of this. `retry_after` in seconds, `final`: no retry follows."""

    type: Text256
    class_: ErrorClass | None = None
    message: Text512 | None = None
    attempt: Count | None = None
    http_status_code: Count | None = None
    retry_after: Seconds | None = None
    final: bool | None = None


class Limits(Part, frozen=True):
    """Saturation. `queue_wait` in seconds."""

    concurrency: Count | None = None
    concurrency_max: Count | None = None
    rate_remaining: Count | None = None
    rate_limit: Count | None = None
    queue_wait: Seconds | None = None


class Release(Part, frozen=True):
    """The release that served it, or, on `agent.release.v1`, what changed."""

    id: Text256 | None = None
    cohort: Literal["control", "canary", "shadow"] | None = None
    stratum: Text256 | None = None
    kind: Literal["deploy", "rollout_step", "config"] | None = None
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    previous: Text256 | None = None
    summary: Text512 | None = None


class Input(Part, frozen=True):
    """What came in: text, or what the agent computed of it."""

    features: Annotated[dict[str, Scalar], Meta(max_length=32)] | None = None
    embedding: Annotated[tuple[float, ...], Meta(max_length=128)] | None = None
    text: Annotated[str, Meta(max_length=4000)] | None = None
    digest: Text256 | None = None
    prefix_digest: Text256 | None = None


class Evaluation(Part, frozen=True):
    """A score of an answer or a session."""

    name: Text256
    score_value: float | None = None
    score_label: Text256 | None = None
    explanation: Text512 | None = None


class Resource(Part, frozen=True):
    """Something that belongs to a tenant."""

    kind: Literal["memory", "cache", "thread", "credential", "sandbox", "file", "datastore"]
    id: Text256
    owner: Text256
    access: Literal["read", "write"] | None = None


class Isolation(Part, frozen=True):
    """What a session touched."""

    resources: Annotated[tuple[Resource, ...], Meta(max_length=64)] | None = None
    honeytokens: Annotated[tuple[Text256, ...], Meta(max_length=16)] | None = None


class Approval(Part, frozen=True):
    """Human oversight of an operation. `wait` in seconds."""

    id: Text256 | None = None
    state: Literal["requested", "approved", "denied", "modified", "expired", "auto"] | None = None
    consequence: Consequence | None = None
    reversible: bool | None = None
    approver: Text256 | None = None
    wait: Seconds | None = None
    policy: Text256 | None = None


class Data(Part, frozen=True):
    """The payload: only `operation` and `agent` are required."""

    operation: Operation
    agent: Agent
    service: Service | None = None
    deployment: Deployment | None = None
    conversation: Conversation | None = None
    tenant: Identified | None = None
    user: Identified | None = None
    provider: Named | None = None
    request: Request | None = None
    prompt: Prompt | None = None
    response: Response | None = None
    tool: Tool | None = None
    mcp: Mcp | None = None
    server: Server | None = None
    usage: Usage | None = None
    error: Failure | None = None
    limits: Limits | None = None
    release: Release | None = None
    input: Input | None = None
    evaluation: Evaluation | None = None
    isolation: Isolation | None = None
    approval: Approval | None = None
    attributes: Annotated[dict[str, Scalar], Meta(max_length=32)] | None = None


class Event(Part, frozen=True):
    """One agent operation, session edge, evaluation, approval or release. `time` is the operation's end.

    `drill`: the fire drill that it belongs to; then it is shown to a copy of its agent's state alone.
    """

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: EventType
    time: Annotated[datetime, Meta(tz=True)]
    data: Data
    datacontenttype: Literal["application/json"] | None = None
    dataschema: Text256 | None = None
    subject: Text256 | None = None
    partitionkey: Text256 | None = None
    traceparent: Annotated[str, Meta(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None = None
    drill: DrillId | None = None
