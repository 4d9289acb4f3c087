r"""The matcher grammar of Alertmanager from 0.27 on, which takes any UTF-8.

Name and value are each quoted, with Go's escapes, or a run of characters without white space and without
``{}!=~,\"'` ``. Braces must pair; a trailing comma is fine.
"""

import re
from typing import NoReturn

from routing.rules.classic_grammar import Triple

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<brace>[{}])|(?P<comma>,)|(?P<op>=~|!=|!~|=)"""
    r"""|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>[^\s{}!=~,\\"'`]+)""",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"""\\(?:(?P<plain>[abfnrtv\\"])|x(?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"""|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8}))|(?P<bad>\\)"""
)
_PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}
Token = tuple[str, str]
_END: Token = ("end", "the end")


def parse_utf8(text: str) -> tuple[Triple, ...]:
    """Name, operator and value of each matcher.

    Raises:
        ValueError: saying what was expected and what stands there.
    """
    return _Reader(_tokens(text)).matchers()


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"unexpected {text[at : at + 12]!r} at character {at + 1}")
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append((kind, found.group()))
        at = found.end()
    return tokens


class _Reader:
    """A walk over the tokens, from the last (reversed) to the first."""

    def __init__(self, tokens: list[Token]) -> None:
        self._left = tokens[::-1]

    def matchers(self) -> tuple[Triple, ...]:
        braces = self._accept("{")
        found: list[Triple] = []
        while self._peek() not in (_END, ("brace", "}")):
            found.append(self._matcher())
            if not self._accept(","):
                break
        if braces and not self._accept("}"):
            self._refuse("a comma or a closing brace")
        if self._peek() != _END:
            self._refuse("a comma or the end")
        return tuple(found)

    def _matcher(self) -> Triple:
        name = self._take("a label name", "quoted", "bare")
        op = self._take("one of = != =~ !~", "op")
        return name, op, self._take("a label value", "quoted", "bare")

    def _peek(self) -> Token:
        return self._left[-1] if self._left else _END

    def _accept(self, sign: str) -> bool:
        if self._peek()[0] in ("brace", "comma") and self._peek()[1] == sign:
            self._left.pop()
            return True
        return False

    def _take(self, expected: str, *kinds: str) -> str:
        kind, text = self._peek()
        if kind not in kinds:
            self._refuse(expected)
        self._left.pop()
        return _unquoted(text) if kind == "quoted" else text

    def _refuse(self, expected: str) -> NoReturn:
        raise ValueError(f"expected {expected}, found {self._peek()[1]!r}")


def _unquoted(text: str) -> str:
    if "\n" in text:
        raise ValueError("a quoted text ends on the line it began on")
    out, at, body = bytearray(), 0, text[1:-1]
    for found in _ESCAPE.finditer(body):
        out += body[at : found.start()].encode() + _escaped(found)
        at = found.end()
    out += body[at:].encode()
    try:
        return out.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{text} is not UTF-8") from error


def _escaped(found: re.Match[str]) -> bytes:
    kind, text = str(found.lastgroup), found.group(str(found.lastgroup))
    if kind == "plain":
        return bytes([_PLAIN[text]])
    if kind in ("hex", "octal"):
        return bytes([int(text, 16 if kind == "hex" else 8)])
    try:
        return chr(int(text, 16)).encode()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such escape: {found.group()!r} in {found.string!r}") from error
