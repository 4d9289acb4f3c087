"""Whose work it is: conversation, tenant and user, which every event inside takes over.

They are context variables: `await` and new tasks keep them. A thread pool takes them along by
`contextvars.copy_context().run`.
"""

from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from agent_oversight.words import Parts

NOWHERE: Parts = {}
here: ContextVar[Parts] = ContextVar("agent_oversight", default=NOWHERE)
"""The parts that each event takes over, unless it says its own. Never changed in place."""


class Within:
    """Sets conversation, tenant and user for what is inside, `with` or `async with`."""

    __slots__ = ("_before", "parts")

    def __init__(
        self, *, conversation: str | None = None, tenant: str | None = None, user: str | None = None
    ) -> None:
        self.parts: Parts = {**here.get()}
        self._before: Token[Parts] | None = None
        if conversation is not None:
            self.parts["conversation"] = {"id": str(conversation)}
        if tenant is not None:
            self.parts["tenant"] = {"id": str(tenant)}
        if user is not None:
            self.parts["user"] = {"id": str(user)}

    def __enter__(self) -> Self:
        self._before = here.set(self.parts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None:
            return
        # Left from another context than it was entered in, as a generator that is collected is, there is
        # nothing of ours to set back.
        with suppress(ValueError, RuntimeError):
            here.reset(self._before)
        self._before = None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
