"""What is called back by other libraries: it never raises into them, and what the agent said goes first."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from agent_oversight.calls import Call
from agent_oversight.context import here
from agent_oversight.words import Parts, Usage

log = logging.getLogger("agent_oversight")
MOST_OPEN = 10_000
Told = TypeVar("Told", bound=Callable[..., None])


class Open(dict[Any, Call]):
    """Calls whose end has not come, by what a library calls them; beyond `most`, the oldest is forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, name: Any, call: Call) -> None:
        super().__setitem__(name, call)
        while len(self) > self._most:
            del self[next(iter(self))]


def quietly(told: Told) -> Told:
    """A method that raises nothing into the library that calls it; what went wrong is logged."""

    @wraps(told)
    def tell(*args: Any, **kwargs: Any) -> None:
        try:
            told(*args, **kwargs)
        except Exception:  # libraries change; the agent goes on
            log.debug("%s: nothing is told", told.__qualname__, exc_info=True)

    return tell  # type: ignore[return-value] # it is called in the same way


def conversation(known: object) -> Parts:
    """The conversation as a library knows it, unless the agent said one itself: by `session` or `Within`."""
    if not known or "conversation" in here.get():
        return {}
    return {"conversation": {"id": str(known)}}


def usage_of(said: Any, asked: str = "input", answered: str = "output") -> Usage:
    """Usage where prompt and completion have details, as OpenAI and LangChain write it, and those after them.

    `asked`, `answered`: what the library calls prompt and completion. Details that are 0 are left out.
    """
    if not said:
        return {}
    before, after = (
        said.get(f"{name}_tokens_details") or said.get(f"{name}_token_details") or {}
        for name in (asked, answered)
    )
    found: Usage = {}
    for name, tokens in (
        ("input_tokens", said.get(f"{asked}_tokens")),
        ("output_tokens", said.get(f"{answered}_tokens")),
        ("cache_read_input_tokens", before.get("cached_tokens") or before.get("cache_read") or None),
        (
            "cache_write_input_tokens",
            before.get("cache_write_tokens") or before.get("cache_creation") or None,
        ),
        ("reasoning_output_tokens", after.get("reasoning_tokens") or after.get("reasoning") or None),
    ):
        if tokens is not None:
            found[name] = tokens  # type: ignore[literal-required] # the names are those of Usage
    return found
