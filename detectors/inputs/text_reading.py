"""Reads a text the cheap way: words as hashes, its length and structure. Linear in its length."""

import re
from collections.abc import Sequence
from zlib import crc32

from msgspec import Struct

MOST_WORDS = 64
"""Words read of a text: its beginning tells what it is about."""
_HEAD = 1000
"""Characters read of a text."""
_LONGEST = 65_535
SHORTEST = 3
"""A word of fewer letters says nothing."""
_WORD = re.compile(r"\w+")
_ASCII = map(chr, range(128))
_ASCII_WORDS = bytes(ord(each.lower() if _WORD.match(each) else " ") for each in _ASCII).ljust(256)
"""What each byte of an ASCII text becomes, so that its words are what lies between spaces."""
STRUCTURES = ("digits", "characters beyond ASCII", "symbols, addresses or line breaks", "shouting")
_SIGNS = {"0": "[0-9]", "A": "[A-Z]", "|": r"[\n{}<>|\\$`]", ":": ":", "/": "/"}
_SHAPES = "".join(
    next((kind for kind, sign in _SIGNS.items() if re.match(sign, chr(at))), " ") for at in range(256)
).encode()
"""What each byte of a text in UTF-8 becomes, so that structures are what is in it."""


class Reading(Struct, frozen=True, gc=False):
    """What is read of a text. `length` in characters (65,535 at most); `structure`: bits of `STRUCTURES`."""

    words: Sequence[bytes]
    hashes: Sequence[int]
    length: int
    structure: int


def read(text: str) -> Reading:
    """Reads a text; words are lower-cased and in UTF-8.

    >>> read("Hello, WORLD-1").words
    [b'hello', b'world', b'1']
    """
    head = text if len(text) <= _HEAD else text[:_HEAD]
    raw = head.encode("utf-8", "surrogatepass")
    if raw.isascii():
        words = raw.translate(_ASCII_WORDS).split(None, MOST_WORDS)[:MOST_WORDS]
    else:
        words = [each.encode("utf-8", "surrogatepass") for each in _WORD.findall(head.lower())[:MOST_WORDS]]
    return Reading(words, list(map(crc32, words)), min(_LONGEST, len(text)), _structure(raw))


def _structure(raw: bytes) -> int:
    """Of a text in UTF-8: bits of `STRUCTURES`."""
    shape = raw.translate(_SHAPES)
    symbols = b"|" in shape or b"://" in shape
    return (b"0" in shape) | (not raw.isascii()) << 1 | symbols << 2 | (b"AAAAA" in shape) << 3


def term(word: bytes) -> str:
    """The word as it may be named in an explanation, or "": letters only, neither a number nor a key."""
    name = word.decode("utf-8", "replace")
    return name if SHORTEST <= len(name) <= 24 and name.isalpha() else ""  # noqa: PLR2004 - longer is no word
