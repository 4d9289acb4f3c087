"""What is nearly right: texts that are well-formed, hurt in a few places, from seeds."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

HOSTILE = (
    b"null", b"true", b"-1", b"0.0", b"1e999", b"NaN", b"9" * 400, b'""', b"{}", b"[]", b"[" * 300,
    b'{"a":' * 300, b"\x00", b"\xff\xfe", b"\xc3", b"\\ud800", b"\\u0000", "\u202e".encode(),
    "\u2028".encode(), b"\r\n", b"\t", b"2026-13-45T99:99:99Z", b"0001-01-01T00:00:00+23:59",
    b"9999-12-31T23:59:59Z", b"- ", b": ", b"&a *a", b"!!python/x", b"'", b'"', b"\\", b"{{ labels.x }}",
    b"env:", b"1w", b"a" * 10_000,
)  # fmt: skip
"""What is put in, besides what the texts have themselves."""
MOST_HURTS = 4


def mutants(corpus: Sequence[bytes], count: int, name: str) -> Iterator[tuple[int, bytes]]:
    """So many hurt texts of a corpus, by number: the same number gives the same text."""
    for number in range(count):
        random = Random(f"{name} {number}")
        text = random.choice(corpus)
        for _ in range(random.randint(1, MOST_HURTS)):
            text = random.choice(HURTS)(random, text, corpus)
        yield number, text


def _flipped(random: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]


def _cut(random: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    first, last = _slice(random, text)
    return text[:first] + text[last:]


def _doubled(random: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    first, last = _slice(random, text)
    return text[:last] + text[first:]


def _moved(random: Random, text: bytes, corpus: Sequence[bytes]) -> bytes:
    other = random.choice(corpus)
    first, last = _slice(random, other)
    at = random.randrange(len(text) + 1)
    return text[:at] + other[first:last] + text[at:]


def _stuffed(random: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    first, last = _slice(random, text)
    return text[:first] + random.choice(HOSTILE) + text[random.choice((first, last)) :]


def _ended(random: Random, text: bytes, _: Sequence[bytes]) -> bytes:
    return text[: random.randrange(len(text) + 1)]


def _slice(random: Random, text: bytes) -> tuple[int, int]:
    first = random.randrange(len(text) + 1)
    return first, min(len(text), first + random.choice((1, 2, 5, 20, 100)))


HURTS: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    _flipped,
    _cut,
    _doubled,
    _moved,
    _stuffed,
    _stuffed,
    _ended,
)
