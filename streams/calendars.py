"""Calendars that schedules follow: fetched from where the configuration says, as files beside its own.

A calendar that cannot be had is left out: whoever had it before goes on with what it was.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

import httpx
import structlog
from msgspec import Struct

from routing.addressing import shown
from routing.configuration import calendars_in
from routing.oncall.calendar_text import slim
from routing.rules.calendars import split
from schemas.cause import ConfigFile
from streams.files import Unreadable, config_files

LARGEST_BYTES = 1_000_000
"""Of a calendar, slimmed. All that a configuration says goes into one record of three megabytes."""
LARGEST_DOWNLOAD = 8 * 2**20
PATIENCE_S = 10.0
"""For the connection, and for each part of an answer."""
LONGEST_S = 20.0
"""For a whole answer: while one is fetched, no change of the configuration is followed."""
FETCH_EVERY_S = 300.0
REFERENCE = "env:"
log = structlog.get_logger(__name__)
WEB = ("https://", "http://")
Fetch = Callable[[str], bytes]
"""The bytes at an address; raises Unreadable where they cannot be had, without the address in it."""


class Configuration(Struct, frozen=True):
    """A configuration with its calendars. `lacks`: which could not be had, and why."""

    files: tuple[ConfigFile, ...]
    lacks: tuple[str, ...] = ()


def configuration(path: Path, variables: Mapping[str, str], fetch: Fetch | None = None) -> Configuration:
    """The files of a configuration and the calendars that they name.

    Raises:
        Unreadable: the files cannot be read; a calendar that cannot is `lacks`.
    """
    return with_calendars(config_files(path), path, variables, fetch)


def with_calendars(
    files: Sequence[ConfigFile], path: Path, variables: Mapping[str, str], fetch: Fetch | None = None
) -> Configuration:
    """The files and the calendars that they name: addresses, or files beside the configuration."""
    found: list[ConfigFile] = []
    lacks: list[str] = []
    for name in calendars_in(files):
        try:
            found.append(ConfigFile(name, _text(name, path, variables, fetch or download)))
        except (Unreadable, ValueError) as error:
            lacks.append(f"calendar {shown(name)}: {error}")
    return Configuration((*files, *found), tuple(lacks))


def download(address: str, monotonic_s: Callable[[], float] = monotonic) -> bytes:
    """What is at an address, had within twenty seconds."""
    late_at_s = monotonic_s() + LONGEST_S
    try:
        with httpx.stream("GET", address, timeout=PATIENCE_S, follow_redirects=True) as response:
            response.raise_for_status()
            found = bytearray()
            for part in response.iter_bytes():
                found += part
                if len(found) > LARGEST_DOWNLOAD:
                    raise Unreadable(f"more than {LARGEST_DOWNLOAD:,} bytes")
                if monotonic_s() > late_at_s:
                    raise Unreadable(f"it was not here whole within {LONGEST_S:g} s")
            return bytes(found)
    except httpx.HTTPStatusError as error:
        raise Unreadable(f"the server answered {error.response.status_code}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Their messages hold the address, and whoever has the address can read the calendar.
        raise Unreadable(f"it cannot be fetched: {type(error).__name__}") from None


class Subscriptions:
    """A worker's configuration with its calendars: fetched every five minutes, and when the files changed.

    `files`: as they were read at the start. A calendar that cannot be fetched stays as it was.
    """

    def __init__(
        self,
        path: Path,
        variables: Mapping[str, str],
        monotonic_s: Callable[[], float],
        files: Sequence[ConfigFile] = (),
        fetch: Fetch = download,
    ) -> None:
        self._path, self._variables, self._monotonic_s, self._fetch = path, variables, monotonic_s, fetch
        rules, texts = split(files)
        self._rules = tuple(rules)
        self._calendars = {name: ConfigFile(name, text) for name, text in texts.items()}
        self._fetch_at_s = monotonic_s() + FETCH_EVERY_S

    def read(self) -> tuple[ConfigFile, ...]:
        """The files as they are now, and the calendars as they were fetched last.

        Raises:
            Unreadable: the files cannot be read.
        """
        rules = config_files(self._path)
        if rules != self._rules or self._monotonic_s() >= self._fetch_at_s:
            found = with_calendars(rules, self._path, self._variables, self._fetch)
            for lack in found.lacks:
                log.warning("rules.calendar_absent", reason=lack)
            fresh = {file.name: file for file in found.files[len(rules) :]}
            named = calendars_in(rules)
            self._calendars = {
                name: each for name, each in {**self._calendars, **fresh}.items() if name in named
            }
            self._rules, self._fetch_at_s = rules, self._monotonic_s() + FETCH_EVERY_S
        return (*rules, *self._calendars.values())


def _text(name: str, path: Path, variables: Mapping[str, str], fetch: Fetch) -> str:
    source = variables.get(name.removeprefix(REFERENCE), "") if name.startswith(REFERENCE) else name
    if not source:
        raise Unreadable("the variable is not set here")
    raw = fetch(source.replace("webcal://", "https://")) if _is_web(source) else _file(source, path)
    text = slim(raw.decode("utf-8"))
    if len(text.encode()) > LARGEST_BYTES:
        raise Unreadable(f"more than {LARGEST_BYTES:,} bytes")
    return text


def _is_web(source: str) -> bool:
    return source.startswith((*WEB, "webcal://"))


def _file(source: str, path: Path) -> bytes:
    """A file beside the configuration: below its folder, or below the folder of its only file."""
    try:
        return ((path if path.is_dir() else path.parent) / source).read_bytes()
    except OSError as error:
        raise Unreadable(f"{error.strerror}") from None
