"""Reading a configuration on the command line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from routing.configuration import load
from routing.policy import Policy
from routing.rules.faults import ConfigFaults
from schemas.cause import ConfigFile
from streams.calendars import configuration
from streams.cli.console import Wrong, console
from streams.files import Unreadable


def files_of(path: Path) -> tuple[ConfigFile, ...]:
    """The files and their calendars; what of these cannot be had is told on standard error.

    Raises:
        Unreadable: the files cannot be read.
    """
    found = configuration(path, os.environ)
    for lack in found.lacks:
        console(sys.stderr).print(f"[warning]{escape(lack)}[/] (warning)", soft_wrap=True)
    return found.files


def policy_of(path: Path) -> Policy:
    """The compiled configuration; exit code 2 with every fault's place where it does not hold."""
    with plainly():
        return load(files_of(path))


@contextmanager
def plainly(also: type[Exception] = Unreadable) -> Iterator[None]:
    """Ends the command with exit code 2 where files cannot be read, or rules do not hold: with every fault.

    `also`: what else ends it with its own words.
    """
    try:
        yield
    except (Unreadable, also) as error:
        raise Wrong(str(error)) from error
    except ConfigFaults as error:
        raise Wrong("\n".join(["the configuration does not hold:", *map(str, error.faults)])) from error


YEARS = range(1970, 9000)
"""Years that are taken; what is reckoned around a time may lie hundreds of years to either side."""


class Instant(click.ParamType):
    """A time as RFC 3339 has it, or a date; UTC where no offset is said."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware time."""
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: expected RFC 3339, such as 2026-03-30T08:00:00Z", param, ctx)
        if found.year not in YEARS:
            self.fail(f"{value!r}: expected a year from {YEARS[0]} to {YEARS[-1]}", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


INSTANT = Instant()
