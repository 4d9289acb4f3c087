"""The command line, `oversight`: one file a command, imported only when it is asked for."""

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

COMMANDS = (
    "demo",
    "worker",
    "publish",
    "bridge",
    "replay",
    "report",
    "check",
    "drill",
    "route",
    "oncall",
    "silences",
    "silence",
    "project",
    "render",
    "topics",
    "doctor",
    "deadletter",
    "agents",
    "incidents",
    "incident",
    "serve",
)
"""In the order in which a newcomer meets them."""

HELP = """Watches the event streams of AI agents and pages the one right person, once.

\b
First steps:
  oversight demo                                   see it work, nothing else needed
  oversight check oversight.yml                    are the rules right?
  oversight replay events.jsonl --config oversight.yml
                                                   what would they have paged last week?
  OVERSIGHT_KAFKA=kafka:9092 OVERSIGHT_CONFIG=oversight.yml oversight worker
                                                   the real thing

Exit codes: 0 all is well, 1 something was found, 2 wrong usage or input.
"""


class Commands(click.Group):
    """The group of commands: each is the attribute `command` of the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which a newcomer meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"streams.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A mistyped name is told which one may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, 1)
            if near:
                error.message += f" Did you mean {near[0]!r}?"
            raise


def _version() -> str:
    try:
        return version("agent-oversight")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


@click.command(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="oversight")
def main() -> None:
    """Runs the command line."""
