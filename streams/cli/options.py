"""Arguments and options that several commands take, said once."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from streams.cli.rules import INSTANT, plainly
from streams.hosting.connection import connection
from streams.hosting.variables import Misconfigured

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
CONFIG = click.argument("config", type=click.Path(path_type=Path))

reached = partial(click.option, envvar="OVERSIGHT_KAFKA", show_envvar=True, help="host:port")
"""An option that says where the broker is."""
BROKER = reached("--to", "bootstrap", required=True)


def connected(bootstrap: str) -> dict[str, Any]:
    """What clients take to reach the brokers: TLS and SASL are told by the environment (OVERSIGHT_KAFKA_…).

    Raises:
        Wrong: variables do not fit each other.
    """
    with plainly(Misconfigured):
        return connection(bootstrap, os.environ)


ruled = partial(
    click.option, "--config", type=click.Path(path_type=Path), envvar="OVERSIGHT_CONFIG", show_envvar=True
)
"""An option that says where the rules are. `help`: what they are for."""
RULES = ruled(help="File or directory; without it everything pages one terminal.")

as_json = partial(click.option, "--json", "form", flag_value="json")
"""An option to print for machines. `help`: what is printed."""

LASTS = click.option(
    "--for", "lasts", default="", metavar="DURATION", help="How long; an hour, if nothing is said."
)
UNTIL = click.option("--until", type=INSTANT, help="Or until when.")
