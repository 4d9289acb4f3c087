"""Logs are events: a line of JSON each or, in a terminal, in colour. Those of libraries come the same way.

A traceback never shows what variables held: among them may be secrets.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from streams.hosting.variables import Hidden


def _hide(_: object, __: str, event: EventDict) -> EventDict:
    """A writer of JSON asks a text for its characters, and a secret would tell them."""
    return {name: _hidden(value) for name, value in event.items()}


def _hidden(value: object) -> object:
    if isinstance(value, Hidden):
        return repr(value)
    if isinstance(value, Mapping):
        return {name: _hidden(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden(each) for each in value]
    return value


BEFORE: tuple[Any, ...] = (
    _hide,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper("iso"),
)


def logged(to: TextIO | None = None) -> None:
    """Logs go there, or to standard error, from here on: ours from `info`, libraries' from `warning`."""
    stream = sys.stderr if to is None else to
    last = _last(stream)
    structlog.configure(
        processors=[*BEFORE, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*BEFORE, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _last(stream: TextIO) -> tuple[Any, ...]:
    if stream.isatty():
        return (structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),)
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
