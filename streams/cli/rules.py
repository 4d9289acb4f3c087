"""Reading a configuration on the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from routing.configuration import load
from routing.policy import Policy
from routing.rules.faults import ConfigFaults
from streams.cli.console import Wrong
from streams.files import Unreadable, config_files


def policy_of(path: Path) -> Policy:
    """The compiled configuration; exit code 2 with every fault's place where it does not hold."""
    try:
        return load(config_files(path))
    except Unreadable as error:
        raise Wrong(str(error)) from error
    except ConfigFaults as error:
        raise Wrong("\n".join(["the configuration does not hold:", *map(str, error.faults)])) from error


class Instant(click.ParamType):
    """A time as RFC 3339 has it, or a date; UTC where no offset is said."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware time."""
        try:
            found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: expected RFC 3339, such as 2026-03-30T08:00:00Z", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


INSTANT = Instant()
