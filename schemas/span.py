"""What the bridge takes from a span of OpenTelemetry, on its way by trace id to where its trace is joined."""

from msgspec import Struct

from schemas.event import Event, Part, Text256


class Who(Part, frozen=True):
    """Whose work it is, as far as a span says so; `None` is asked of the spans around it.

    `agent`: the agent that does it. `workflow`: what it is a step of, where no agent is named.
    """

    agent: Text256 | None = None
    version: Text256 | None = None
    workflow: Text256 | None = None
    conversation: Text256 | None = None
    user: Text256 | None = None
    tenant: Text256 | None = None


class Span(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="span", tag_field="kind"):
    """A span. `trace`, `id` and `parent`: lower-case hex; a root has no parent. `at`: its end, POSIX seconds.

    `service`: of its resource. `event`: what it is of an agent's work, under the service's name until the
    trace is joined, or None where it is something around it.
    """

    trace: str
    id: str
    parent: str = ""
    at: float
    service: str = ""
    who: Who = Who()
    event: Event | None = None


class Tick(Struct, frozen=True, kw_only=True, tag="tick", tag_field="kind"):
    """It is `at`, POSIX seconds, though no span comes."""

    at: float


AnySpan = Span | Tick
