"""What an agent says of itself: `AgentEvents`, one for each agent in a process."""

from typing import Any, Unpack
from uuid import uuid4

from agent_oversight.calls import Call, Session, fields
from agent_oversight.context import Within, here
from agent_oversight.failures import Classes
from agent_oversight.outbox import WITHIN_S, Lost, Outbox
from agent_oversight.transport import Transport
from agent_oversight.wire import Envelope
from agent_oversight.words import Approval, Evaluation, EventType, Input, Parts, Release

MOST_WAITING = 10_000
NO_CLASSES: Classes = {}


class AgentEvents:
    """Publishes an agent's operations and sessions. No call of it waits, and none raises once it is made.

    `agent`: its name, and the key that keeps its events in order. `source`: who publishes, in the sense of
    CloudEvents. `own`: parts that all its events have (`service`, `deployment`, `release`, …). `classes`: how
    failures of the agent's own exceptions are handled. `most_waiting`: events that wait for the broker; what
    comes when so many do is dropped and counted.
    """

    def __init__(
        self,
        agent: str,
        transport: Transport,
        *,
        version: str | None = None,
        environment: str | None = None,
        source: str | None = None,
        partitionkey: str | None = None,
        classes: Classes = NO_CLASSES,
        most_waiting: int = MOST_WAITING,
        **own: Unpack[Parts],
    ) -> None:
        parts: dict[str, Any] = {"agent": {"name": agent, "version": version}, **own}
        if environment is not None:
            parts["deployment"] = {"environment_name": environment}
        key = (partitionkey or agent).encode("utf-8", "replace")

        def envelope(prefix: str) -> Envelope:
            return Envelope(source or agent, prefix, key, parts, partitionkey)

        self._classes = classes
        self._outbox = Outbox(transport, envelope, most_waiting)

    # -- what an agent does ----------------------------------------------------------------------------

    def session(
        self, conversation: str | None = None, *, tenant: str | None = None, user: str | None = None
    ) -> Session:
        """A session: told when it starts and ends; what happens inside is part of it."""
        within = Within(conversation=conversation or uuid4().hex, tenant=tenant, user=user)
        return Session(self._outbox, self._classes, {"operation": {"name": "invoke_agent"}}, within)

    def operation(self, name: str, **parts: Unpack[Parts]) -> Call:
        """Any operation, by its name in OpenTelemetry GenAI: `retrieval`, `embeddings`, `handoff`."""
        self._say(parts, "operation", "name", name)
        return Call(self._outbox, self._classes, parts)

    def chat(self, model: str, provider: str | None = None, /, **parts: Unpack[Parts]) -> Call:
        """A call of a model."""
        self._say(parts, "request", "model", model)
        if provider is not None:
            parts["provider"] = {"name": provider}
        return self.operation("chat", **parts)

    def tool(self, name: str, **parts: Unpack[Parts]) -> Call:
        """A call of a tool."""
        self._say(parts, "tool", "name", name)
        return self.operation("execute_tool", **parts)

    def received(self, said: Input, /, **parts: Unpack[Parts]) -> None:
        """An input of a user: its `text`, or what the agent computed of it: `features`, `embedding`."""
        parts["operation"] = {"name": "receive_input"}
        parts["input"] = said
        self.publish("agent.operation.v1", **parts)

    def evaluated(self, evaluation: Evaluation, /, **parts: Unpack[Parts]) -> None:
        """A score of an answer or a session."""
        parts["operation"] = {"name": "evaluate"}
        parts["evaluation"] = evaluation
        self.publish("agent.evaluation.v1", **parts)

    def approval(self, approval: Approval, /, **parts: Unpack[Parts]) -> None:
        """A person's approval of an operation: asked for, given, denied."""
        parts["operation"] = {"name": "approve"}
        parts["approval"] = approval
        self.publish("agent.approval.v1", **parts)

    def released(self, release: Release, /, **parts: Unpack[Parts]) -> None:
        """A deploy, a step of a rollout, a change of configuration."""
        parts["operation"] = {"name": "release"}
        parts["release"] = release
        self.publish("agent.release.v1", **parts)

    def publish(self, kind: EventType, *, traceparent: str | None = None, **parts: Unpack[Parts]) -> None:
        """Any event. What is given must not be changed afterwards: it is written later."""
        self._outbox.put(kind, here.get(), parts, traceparent)

    def _say(self, parts: Any, part: str, name: str, value: str) -> None:
        """Adds a field to a part of what was given."""
        parts[part] = {**fields(self._outbox, part, parts.get(part)), name: value}

    # -- what became of it -----------------------------------------------------------------------------

    @property
    def lost(self) -> Lost:
        """Events that were dropped or refused in this process; an event a minute tells it, too."""
        return self._outbox.lost

    @property
    def waiting(self) -> int:
        """Events that wait to be sent."""
        return self._outbox.waiting

    @property
    def failure(self) -> str | None:
        """Why events wait, if sending fails."""
        return self._outbox.failure

    def flush(self, within_s: float = WITHIN_S) -> bool:
        """Waits until everything is sent, for so many seconds at most; whether it is. Not for event loops."""
        return self._outbox.flush(within_s)

    def close(self, within_s: float = WITHIN_S) -> bool:
        """Sends what waits and ends; whether everything was sent. Python does this by itself at its exit."""
        return self._outbox.close(within_s)
