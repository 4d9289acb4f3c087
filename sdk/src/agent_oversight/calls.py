"""What is timed: operations and sessions, `with` or `async with`. Nothing here raises into the agent."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self, Unpack, cast
from uuid import uuid4

from agent_oversight.context import Within, here
from agent_oversight.failures import Classes, failure_of
from agent_oversight.outbox import Outbox
from agent_oversight.words import Failure, Operation, Parts


def fields(outbox: Outbox, part: str, said: object) -> Mapping[str, Any]:
    """What was said of a part; nothing, where it is no mapping, which is counted unless it is None."""
    if isinstance(said, Mapping):
        return said
    if said is not None:
        outbox.refuse(f"{part} is of the type {type(said).__name__}; expected a dict")
    return {}


class Timed(ABC):
    """Something with a beginning and an end."""

    __slots__ = ("_began", "_classes", "_outbox", "_parts", "traceparent")

    def __init__(self, outbox: Outbox, classes: Classes, parts: Parts) -> None:
        self._outbox = outbox
        self._classes = classes
        self._parts = parts
        self._began = 0.0
        self.traceparent: str | None = None
        """W3C trace context, which pages link to."""

    def tell(self, **parts: Unpack[Parts]) -> Self:
        """Adds what is known by now, part by part: `usage={…}`, `response={…}`, `error={…}`."""
        mine = cast("dict[str, Any]", self._parts)
        for part, said in parts.items():
            known = fields(self._outbox, part, said)
            mine[part] = {**fields(self._outbox, part, mine.get(part)), **known}
        return self

    def began(self) -> Self:
        """It begins now: for what cannot be a `with`, as where a library calls back at start and end."""
        self._begin()
        return self

    def ended(self, error: BaseException | None = None) -> None:
        """It ends now, well or by an error; with the duration that was told of it, if one was."""
        if error is not None:
            said = fields(self._outbox, "error", self._parts.get("error"))
            self._parts["error"] = cast("Failure", {**failure_of(error, self._classes), **said})
        # A new dict: what was put is written later.
        took_s = max(0.0, perf_counter() - self._began)
        self._parts["operation"] = {"duration": took_s, **self._parts["operation"]}
        self._end()

    def __enter__(self) -> Self:
        return self.began()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...


class Call(Timed):
    """One operation: a model call, a tool call, a retrieval."""

    __slots__ = ("_announced",)

    def __init__(self, outbox: Outbox, classes: Classes, parts: Parts) -> None:
        super().__init__(outbox, classes, parts)
        self._announced = False

    def announced(self) -> Self:
        """Tells of its start, too, so that it is seen where it never ends."""
        self._announced = True
        return self

    def _begin(self) -> None:
        if self._announced:
            named: Operation = {"id": uuid4().hex, **self._parts["operation"]}
            self._parts["operation"] = named
            begins: Parts = {**self._parts, "operation": {**named, "state": "started"}}
            self._outbox.put("agent.operation.v1", here.get(), begins, self.traceparent)
        self._began = perf_counter()

    def _end(self) -> None:
        self._outbox.put("agent.operation.v1", here.get(), self._parts, self.traceparent)


class Session(Timed):
    """A session from its start to its end; what is inside is part of it."""

    __slots__ = ("_within", "id")

    def __init__(self, outbox: Outbox, classes: Classes, parts: Parts, within: Within) -> None:
        super().__init__(outbox, classes, parts)
        self._within = within
        self.id = within.parts["conversation"]["id"]

    def running(self) -> None:
        """A sign of life, for sessions that take long."""
        took_s = max(0.0, perf_counter() - self._began)
        self._put("running", {"operation": {**self._parts["operation"], "duration": took_s}})

    def _begin(self) -> None:
        self._began = perf_counter()
        self._within.__enter__()
        self._put("started", self._parts)

    def _end(self) -> None:
        self._put("ended", self._parts)
        self._within.__exit__(None, None, None)

    def _put(self, state: Any, parts: Parts) -> None:
        said: Parts = {**parts, "conversation": {"id": self.id, "state": state}}
        self._outbox.put("agent.session.v1", self._within.parts, said, self.traceparent)
