"""The matcher grammar that Alertmanager has had since 0.22.

It is lenient: ASCII names, and a backslash that escapes nothing is kept. Where both grammars read a text and
differ, this one wins.
"""

import re
from collections.abc import Iterator

Triple = tuple[str, str, str]

_SPACE = "[\t\n\f\r ]*"
_MATCHER = re.compile(
    rf"{_SPACE}([a-zA-Z_:][a-zA-Z0-9_:]*){_SPACE}(=~|=|!=|!~){_SPACE}(.*?){_SPACE}\Z", re.DOTALL
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def parse_classic(text: str) -> tuple[Triple, ...]:
    """Name, operator and value of each matcher.

    Raises:
        ValueError: naming the piece that is no matcher.
    """
    return tuple(_matcher(piece) for piece in _pieces(text.removeprefix("{").removesuffix("}")))


def _pieces(text: str) -> Iterator[str]:
    """The text between commas that stand outside quotes; only the last may be empty, and is then no piece."""
    start, quoted, escaped = 0, False, False
    for at, char in enumerate(text):
        if char == "," and not quoted:
            yield text[start:at]
            start = at + 1
        elif char == '"' and not escaped:
            quoted = not quoted
        if char != ",":
            escaped = char == "\\" and not escaped
    if last := text[start:].strip():
        yield last


def _matcher(piece: str) -> Triple:
    found = _MATCHER.match(piece)
    if found is None:
        raise ValueError(f"bad matcher {piece.strip()!r}: expected name, one of = != =~ !~, and a value")
    name, op, raw = found.groups()
    body = raw
    if raw.startswith('"'):
        if len(raw) < 2 or not _closed(raw):  # noqa: PLR2004 - the two quotes
            raise ValueError(f"unclosed double quote in {raw!r}")
        body = raw[1:-1]
    return name, op, _unescaped(body, raw)


def _closed(raw: str) -> bool:
    """Whether the last character is a quote that no backslash escapes."""
    if not raw.endswith('"'):
        return False
    inside = raw[1:-1]
    return (len(inside) - len(inside.rstrip("\\"))) % 2 == 0


def _unescaped(body: str, raw: str) -> str:
    out: list[str] = []
    escaped = False
    for char in body:
        if escaped:
            out.append(_ESCAPES.get(char, "\\" + char))
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            raise ValueError(f"unescaped double quote in {raw!r}")
        else:
            out.append(char)
    return "".join(out) + ("\\" if escaped else "")
