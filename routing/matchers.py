"""Label matchers in Alertmanager's dialect: `severity=~"critical|error"`, alone or as `{a="b",c=~"d"}`."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, cast

import re2
from msgspec import Struct

from routing.rules.classic_grammar import Triple, parse_classic
from routing.rules.utf8_grammar import parse_utf8

_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
Op = Literal["=", "!=", "=~", "!~"]


class MatcherSyntax(ValueError):  # noqa: N818 - what is wrong, in one word
    """A text that is no matcher, or a regular expression that RE2 does not take; the message says which."""


class Matcher(Struct, frozen=True, array_like=True):
    """One condition on one label. A label that is absent counts as the empty string.

    `value`: a text (`=`, `!=`) or an RE2 expression that must fit the whole value (`=~`, `!~`).

    >>> Matcher("tool", "=~", "pay.*").matches({"tool": "payment"}), Matcher("tool", "=", "").matches({})
    (True, True)

    Raises:
        MatcherSyntax: the expression is not one of RE2's.
    """

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        """Compiles the expression, so that a bad one is found when it is written."""
        if self.op in ("=~", "!~"):
            _compiled(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set fulfils the condition."""
        value = labels.get(self.name, "")
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        found = _compiled(self.value).search(value.encode("utf-8", "replace")) is not None
        return found is (self.op == "=~")

    def __str__(self) -> str:
        """The matcher in a form that both grammars read alike."""
        name = self.name if _PLAIN_NAME.match(self.name) else _quoted(self.name)
        return f"{name}{self.op}{_quoted(self.value)}"


def matches_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether a label set fulfils all conditions."""
    return all(matcher.matches(labels) for matcher in matchers)


def matches_anything(matchers: Iterable[Matcher]) -> bool:
    """Whether a label set without any of the labels fulfils them: then nearly everything does.

    >>> matches_anything(parse_matchers('team="payments"')), matches_anything(parse_matchers('team=~".*"'))
    (False, True)
    """
    return all(each.matches({}) for each in matchers)


class Reading(Struct, frozen=True):
    """What a text of matchers means, and what is doubtful about it (or an empty string)."""

    matchers: tuple[Matcher, ...]
    warning: str = ""


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    r"""All matchers of a text; all must match.

    >>> [str(each) for each in parse_matchers('{a="b", c!~d,}')]
    ['a="b"', 'c!~"d"']

    Raises:
        MatcherSyntax: neither grammar reads it, or an expression is not one of RE2's.
    """
    return read_matchers(text).matchers


def read_matchers(text: str) -> Reading:
    """As Alertmanager's default mode does: both grammars read; where they differ, the classic one wins.

    Raises:
        MatcherSyntax: neither grammar reads it, or an expression is not one of RE2's.
    """
    newer = _attempt(parse_utf8, text)
    classic = _attempt(parse_classic, text)
    if isinstance(newer, str) and isinstance(classic, str):
        raise MatcherSyntax(newer)
    if isinstance(classic, str):
        return Reading(_built(cast("tuple[Triple, ...]", newer)))
    if isinstance(newer, str):
        return Reading(
            _built(classic), f"{text!r} parses in the classic grammar only ({newer}): quote the value"
        )
    if newer != classic:
        return Reading(
            _built(classic), f"{text!r} means different things in the two grammars; the classic one holds"
        )
    return Reading(_built(classic))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _attempt(grammar: Any, text: str) -> tuple[Triple, ...] | str:
    try:
        return cast("tuple[Triple, ...]", grammar(text))
    except ValueError as error:
        return str(error)


def _built(triples: tuple[Triple, ...]) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, cast("Op", op), value) for name, op, value in triples)


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


_OPTIONS = _options()


@lru_cache(maxsize=16_384)
def _compiled(expression: str) -> Any:
    """The expression, anchored as `^(?:...)$`; on bytes, because labels may hold what is not UTF-8."""
    try:
        return re2.compile(b"^(?:" + expression.encode() + b")$", _OPTIONS)
    except UnicodeEncodeError as error:
        raise MatcherSyntax(f"bad regular expression {expression!r}: not UTF-8") from error
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace").replace("^(?:", "").removesuffix(")$")
        raise MatcherSyntax(f"bad regular expression {expression!r}: {reason}") from error
