"""`oversight project`: the strict Alertmanager part of a configuration."""

from pathlib import Path

import click

from routing.projection import project
from streams.cli.options import CONFIG
from streams.cli.rules import policy_of

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
    """Prints YAML."""
    click.echo(project(policy_of(config)), nl=False)
