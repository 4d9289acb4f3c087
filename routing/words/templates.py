"""A team's own message template: Jinja2 in a sandbox.

What it may name is in `routing.content.variables`. A template may still loop or eat memory: whoever fills one
from the outside does it in a process with limits (`streams.delivering.rendering`).
"""

from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 3000
BROKEN = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
# A label that an incident does not have is empty, as in Alertmanager's templates. Each channel escapes.
_sandbox = ImmutableSandboxedEnvironment(autoescape=False, cache_size=0)


class TemplateFault(Exception):  # noqa: N818 - a finding about a configuration, not a failure of the program
    """What is wrong with a template; `line` counts from 1 in the template, 0 where it is not known."""

    def __init__(self, reason: str, line: int = 0) -> None:
        """`reason`: a sentence without the line."""
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


def parse(text: str) -> None:
    """Checks the syntax of a template.

    Raises:
        TemplateFault: with the line.
    """
    try:
        _sandbox.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(error.message or "syntax", error.lineno) from error
    except RecursionError as error:
        raise TemplateFault("it is nested too deeply") from error


def fill(text: str, variables: Mapping[str, Any]) -> str:
    """The filled template.

    Raises:
        TemplateFault: where it fails, names what is not there, or grows beyond 3,000 characters.
    """
    parse(text)
    pieces: list[str] = []
    room = LONGEST
    try:
        for piece in _sandbox.from_string(text).generate(**variables):
            room -= len(piece)
            if room < 0:
                raise TemplateFault(f"its text is longer than {LONGEST:,} characters")
            pieces.append(piece)
    except TemplateError as error:
        raise TemplateFault(error.message or type(error).__name__) from error
    except BROKEN as error:
        raise TemplateFault(f"{type(error).__name__}: {error}".rstrip(": ")) from error
    return "".join(pieces)
