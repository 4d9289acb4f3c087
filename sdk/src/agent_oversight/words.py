"""The words of the event contract, as an agent writes them: plain dicts, checked by type checkers alone.

Names and meanings are those of the published schema, which is closed; all but `operation.name` and
`agent.name` may be left out. Seconds are floats. Absent dimensions are left out, never 0.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict

EventType = Literal[
    "agent.operation.v1", "agent.session.v1", "agent.evaluation.v1", "agent.approval.v1", "agent.release.v1"
]
ErrorClass = Literal["retryable", "non_retryable", "escalation"]
Consequence = Literal["low", "moderate", "high", "critical"]
Scalar = str | float | bool


class Operation(TypedDict, total=False):
    """What was done. `required`: the session cannot end well where this failed."""

    name: str
    duration: float
    step: int
    id: str
    state: Literal["started", "ended"]
    required: bool
    consequence: Consequence


class Agent(TypedDict, total=False):
    """Who did it."""

    name: str
    id: str
    version: str


class Service(TypedDict, total=False):
    """The service the agent runs in."""

    name: str
    version: str
    instance_id: str


class Deployment(TypedDict, total=False):
    """Where it runs."""

    environment_name: str


class Conversation(TypedDict, total=False):
    """The session; `state` on `agent.session.v1` only."""

    id: str
    state: Literal["started", "running", "ended"]


class Identified(TypedDict, total=False):
    """A tenant or a user."""

    id: str


class Named(TypedDict, total=False):
    """A provider."""

    name: str


class Request(TypedDict, total=False):
    """What was asked of a model."""

    model: str
    max_tokens: int


class Prompt(TypedDict, total=False):
    """The prompt template."""

    name: str
    version: str


class Response(TypedDict, total=False):
    """What a model answered."""

    id: str
    model: str
    finish_reasons: list[str]
    time_to_first_chunk: float


class Tool(TypedDict, total=False):
    """The tool that was called."""

    name: str
    type: str
    call_id: str
    arguments_digest: str


class Mcp(TypedDict, total=False):
    """Model Context Protocol."""

    method_name: str


class Server(TypedDict, total=False):
    """The peer."""

    address: str
    port: int


class Usage(TypedDict, total=False):
    """The operation's own usage, never subtree totals. `cost_amount` in `cost_currency`."""

    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_write_input_tokens: int
    reasoning_output_tokens: int
    cost_amount: float
    cost_currency: str
    cost_source: Literal["provider", "local"]
    cost_component: Literal["model", "tool", "infra"]


# `class` is no name that a class body can have.
Failure = TypedDict(
    "Failure",
    {
        "type": str,
        "class": ErrorClass,
        "message": str,
        "attempt": int,
        "http_status_code": int,
        "retry_after": float,
        "final": bool,
    },
    total=False,
)
"""Why it failed; success is the absence of this. `final`: no retry follows."""


class Limits(TypedDict, total=False):
    """Saturation. `queue_wait` in seconds."""

    concurrency: int
    concurrency_max: int
    rate_remaining: int
    rate_limit: int
    queue_wait: float


class Release(TypedDict, total=False):
    """The release that served it, or, on `agent.release.v1`, what changed."""

    id: str
    cohort: Literal["control", "canary", "shadow"]
    stratum: str
    kind: Literal["deploy", "rollout_step", "config"]
    share: float
    previous: str
    summary: str


class Input(TypedDict, total=False):
    """What came in: text, or what the agent computed of it."""

    features: Mapping[str, Scalar]
    embedding: list[float]
    text: str
    digest: str
    prefix_digest: str


class Evaluation(TypedDict, total=False):
    """A score of an answer or a session."""

    name: str
    score_value: float
    score_label: str
    explanation: str


class Resource(TypedDict, total=False):
    """Something that belongs to a tenant."""

    kind: Literal["memory", "cache", "thread", "credential", "sandbox", "file", "datastore"]
    id: str
    owner: str
    access: Literal["read", "write"]


class Isolation(TypedDict, total=False):
    """What a session touched."""

    resources: list[Resource]
    honeytokens: list[str]


class Approval(TypedDict, total=False):
    """Human oversight of an operation. `wait` in seconds."""

    id: str
    state: Literal["requested", "approved", "denied", "modified", "expired", "auto"]
    consequence: Consequence
    reversible: bool
    approver: str
    wait: float
    policy: str


class Parts(TypedDict, total=False):
    """The payload beside `agent`."""

    operation: Operation
    service: Service
    deployment: Deployment
    conversation: Conversation
    tenant: Identified
    user: Identified
    provider: Named
    request: Request
    prompt: Prompt
    response: Response
    tool: Tool
    mcp: Mcp
    server: Server
    usage: Usage
    error: Failure
    limits: Limits
    release: Release
    input: Input
    evaluation: Evaluation
    isolation: Isolation
    approval: Approval
    attributes: Mapping[str, Scalar]
