"""`oversight project`: the strict Alertmanager part of a configuration."""

import sys
from pathlib import Path

import click
from rich.markup import escape

from routing.configuration import examine, load
from routing.projection import project
from routing.rules.newer_names import newer
from streams.cli.console import console
from streams.cli.options import CONFIG
from streams.cli.rules import files_of, plainly

HELP = """Prints the part of a configuration that Alertmanager knows, as Alertmanager itself reads it.

What is ours (channels, people, schedules, escalations, severity) is left out; routes, inhibition and time
intervals stay. So Alertmanager's own tools can be asked for a second opinion.

\b
Examples:
  oversight project oversight.yml > alertmanager.yml && amtool check-config alertmanager.yml
  amtool config routes test --config.file=alertmanager.yml severity=critical team=payments
"""


@click.command("project", help=HELP, short_help="The Alertmanager part, for Alertmanager's own tools.")
@CONFIG
def command(*, config: Path) -> None:
    """Prints YAML; what older versions refuse of it is told on standard error."""
    with plainly():
        files = files_of(config)
        policy = load(files)
    root = examine(files).root
    for each in newer(root) if root else ():
        console(sys.stderr).print(f"[warning]{escape(str(each))}[/] (warning)", soft_wrap=True)
    click.echo(project(policy), nl=False)
