"""Arguments and options that several commands take, said once."""

from functools import partial
from pathlib import Path

import click

from streams.cli.rules import INSTANT

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
CONFIG = click.argument("config", type=click.Path(path_type=Path))

reached = partial(click.option, envvar="OVERSIGHT_KAFKA", show_envvar=True, help="host:port")
"""An option that says where the broker is."""
BROKER = reached("--to", "bootstrap", required=True)

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
