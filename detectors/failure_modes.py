"""The class that a team's own table gives to a failure, where the event says none."""

from collections.abc import Sequence

import re2
from msgspec.structs import replace

from schemas.event import ErrorClass, Event


class FailureModes:
    """`modes`: RE2 expressions that must fit the whole error type, with the class; the first that fits holds.

    Raises:
        ValueError: an expression is not one of RE2's.
    """

    __slots__ = ("_modes",)

    def __init__(self, modes: Sequence[tuple[str, ErrorClass]]) -> None:
        try:
            # On bytes: a type may hold what is not UTF-8.
            self._modes = [(re2.compile(b"^(?:" + each.encode() + b")$"), name) for each, name in modes]
        except re2.error as error:
            raise ValueError(f"errors: bad regular expression: {error}") from error

    def __bool__(self) -> bool:
        return bool(self._modes)

    def classed(self, event: Event) -> Event:
        """The event with its failure's class, where only the table knows it; else itself."""
        failure = event.data.error
        if failure is None or failure.class_ is not None:
            return event
        kind = failure.type.encode("utf-8", "replace")
        name = next((name for mode, name in self._modes if mode.search(kind) is not None), None)
        if name is None:
            return event
        return replace(event, data=replace(event.data, error=replace(failure, class_=name)))
