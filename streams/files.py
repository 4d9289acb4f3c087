"""Files as input: JSON lines, plain or gzip, one at a time; and configuration as whole texts."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

from msgspec import Struct, structs

from routing.rules.validated import LARGEST, path_beside
from schemas.cause import ConfigFile

STDIN = Path("-")
GZIP_MAGIC = b"\x1f\x8b"
_TEXTS = re.compile(
    r"""\breference["']?\s*:\s*["']?file\s+([^\s"',{}#][^"',{}#\n]*?)\s*(?:["',}#]|$)""", re.MULTILINE
)
"""What rules refer to; whether they do so in the right place is examined with them."""
CONFIG_SUFFIXES = frozenset({".yml", ".yaml"})
TOLD_EVERY = 1000

Advance = Callable[[int], object]
"""Is told how many more bytes of the file, as it lies on disk, have been read."""


class Unreadable(Exception):  # noqa: N818 - says what the file is
    """A file that cannot be read: the message names it and says why."""


class Line(Struct, frozen=True, gc=False):
    """One line without its end. `number` counts from 1 within `file`; 0 where there is no file."""

    value: bytes
    file: str = ""
    number: int = 0

    def __str__(self) -> str:
        """The place, as `file:number`."""
        return f"{self.file}:{self.number}"


def size(paths: Iterable[Path]) -> int:
    """Bytes of all files together as they lie on disk; standard input counts as none.

    Raises:
        Unreadable: where one of them is not there.
    """
    try:
        return sum(path.stat().st_size for path in paths if path != STDIN)
    except OSError as error:
        raise Unreadable(f"{error.filename}: {error.strerror}") from error


def lines(paths: Iterable[Path], advance: Advance = int) -> Iterator[Line]:
    """The lines of one file after the other; empty lines are left out. `-` is standard input.

    Raises:
        Unreadable: where a file is not there, no file, or no whole gzip.
    """
    for path in paths:
        try:
            yield from _lines_of(path, advance)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise Unreadable(f"{path}: {reason}") from error


def _lines_of(path: Path, advance: Advance) -> Iterator[Line]:
    if path == STDIN:
        yield from _numbered("<stdin>", _unpacked(io.BufferedReader(cast("io.RawIOBase", sys.stdin.buffer))))
        return
    with path.open("rb") as raw:
        told = 0
        for line in _numbered(str(path), _unpacked(raw)):
            yield line
            if line.number % TOLD_EVERY == 0:
                advance(raw.tell() - told)
                told = raw.tell()
        advance(raw.tell() - told)


def _unpacked(raw: io.BufferedReader) -> Iterable[bytes]:
    """The lines of a stream that may be gzip: its first bytes tell, not its name."""
    if not raw.peek(2).startswith(GZIP_MAGIC):
        return raw
    # A GzipFile gives line by line at the speed of Python.
    return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=raw)), 1 << 16)


def _numbered(name: str, stream: Iterable[bytes]) -> Iterator[Line]:
    for number, text in enumerate(stream, 1):
        value = text.rstrip(b"\r\n")
        if value:
            yield Line(value, name, number)


def config_files(path: Path) -> tuple[ConfigFile, ...]:
    """A configuration: one file, or every `.yml` and `.yaml` below a directory, by name, without hidden ones.

    After them come the files of texts that they refer to, as far as there are such.

    Raises:
        Unreadable: where there is nothing to read, a directory cannot be looked into, or it is not UTF-8.
    """
    try:
        found = sorted(_config_paths(path)) if path.is_dir() else [path]
    except OSError as error:
        raise Unreadable(f"{error.filename}: {error.strerror}") from error
    if not found:
        raise Unreadable(f"{path}: no .yml or .yaml file in this directory")
    rules = [_config_file(each) for each in found]
    named = ((file.name, each) for file in rules for each in _TEXTS.findall(file.text))
    inside = dict.fromkeys(path_beside(name, each) for name, each in named if ".." not in Path(each).parts)
    return (*rules, *(_texts_file(Path(each)) for each in inside if Path(each).is_file()))


def _config_paths(directory: Path) -> Iterator[Path]:
    for each in directory.iterdir():
        if each.name.startswith("."):
            continue
        if each.is_dir():
            yield from _config_paths(each)
        elif each.suffix in CONFIG_SUFFIXES:
            yield each


def _texts_file(path: Path) -> ConfigFile:
    """No more of it than shows that it is too large."""
    if path.stat().st_size <= LARGEST:
        return structs.replace(_config_file(path), holds="texts")
    return ConfigFile(str(path), " " * (LARGEST + 1), "texts")


def _config_file(path: Path) -> ConfigFile:
    try:
        return ConfigFile(str(path), path.read_text("utf-8"))
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
