"""`oversight incidents`: which incidents are open."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import click
from aiokafka.errors import KafkaError
from rich.markup import escape

from routing.words.wording import duration, one_line
from schemas.incident import Incident
from streams.cli.console import Wrong, console, emit, hush, table
from streams.cli.options import BROKER, as_json, connected
from streams.hosting.clock import WallClock
from streams.ingress.board import Board, read_board
from streams.publication import Unreachable, reach

HELP = """Lists the open incidents: the unanswered first, the worst first. Exit code 1 if any is unanswered.

\b
Examples:
  oversight incidents --to localhost:9092
  oversight incidents --all --json

`oversight incident` takes, closes and comments them.
"""
SHORT = 12
SUMMARY = 80


@click.command("incidents", help=HELP, short_help="Which incidents are open.")
@BROKER
@click.option(
    "--all", "which", flag_value="all", help="Those that are over as well, as far as they are kept."
)
@as_json(help="One JSON record a line.")
def command(*, bootstrap: str, which: str | None, form: str | None) -> None:
    """Prints the incidents."""
    board = board_at(bootstrap)
    found = board.all() if which else board.open()
    if form == "json":
        emit(found)
    else:
        _show(found, WallClock().now())
    if any(each.status == "triggered" for each in found):
        raise click.exceptions.Exit(1)


def board_at(bootstrap: str) -> Board:
    """The incidents as they stand at a broker.

    Raises:
        Wrong: it cannot be reached.
    """
    hush("aiokafka")

    async def read() -> Board:
        connection = connected(bootstrap)
        await reach(connection)
        return await read_board(connection)

    try:
        return asyncio.run(read())
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error


def _show(found: Sequence[Incident], now: datetime) -> None:
    look = console()
    if not found:
        look.print("[fine]✓[/] no incident is open")
        return
    made = table("incident", "severity", "status", "#for", "who", "what")
    for each in found:
        end = each.resolved or now
        who = each.acknowledged_by or each.assigned or ", ".join(each.paged[-2:])
        who += f" (held: {', '.join(each.held)})" if each.held else ""
        made.add_row(
            escape(each.id[:SHORT]),
            f"[{each.severity}]{each.severity}[/]",
            f"{each.status}, flapping" if each.flapping else each.status,
            duration(end - each.opened),
            f"[person]{escape(one_line(who, SUMMARY))}[/]",
            escape(one_line(each.summary, SUMMARY)),
        )
    look.print(made)
