"""Reads a text the cheap way: words, their hashes, its length and structure. Linear in its length."""

import re
from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

from msgspec import Struct

MOST_WORDS = 64
"""Words read of a text: its beginning tells what it is about."""
_HEAD = 1000
"""Characters read of a text."""
_WORD = re.compile(r"\w+")
STRUCTURES = ("digits", "characters beyond ASCII", "symbols, addresses or line breaks", "shouting")
_SIGNS = (
    re.compile(r"[0-9]"),
    re.compile(r"[^\x00-\x7f]"),
    re.compile(r"://|[\n{}<>|\\$`]"),
    re.compile(r"[A-Z]{5}"),
)
_MIX = 0x9E3779B1
_MASK = 0xFFFFFFFF


class Reading(Struct, frozen=True, gc=False):
    """What is read of a text. `length` in characters; `structure`: a bit for each of `STRUCTURES`."""

    words: Sequence[str]
    hashes: Sequence[int]
    length: int
    structure: int


def read(text: str) -> Reading:
    """Reads a text.

    >>> read("Hello, WORLD-1").words
    ['hello', 'world', '1']
    """
    head = text[:_HEAD]
    words = _WORD.findall(head.lower())[:MOST_WORDS]
    hashes = [crc32(word.encode("utf-8", "surrogatepass")) for word in words]
    structure = sum(1 << at for at, sign in enumerate(_SIGNS) if sign.search(head))
    return Reading(words, hashes, len(text), structure)


def pairs(hashes: Sequence[int]) -> list[int]:
    """A 32-bit hash for each pair of neighbours, in order."""
    return [(first * _MIX ^ second) & _MASK for first, second in pairwise(hashes)]


def is_term(word: str) -> bool:
    """Whether a word may be named in an explanation: letters only, neither a number nor a key."""
    return 2 < len(word) <= 24 and word.isalpha()  # noqa: PLR2004 - shorter says nothing, longer is no word
