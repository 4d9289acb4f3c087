"""`oversight publish`: events from files to Kafka."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import click
from click.exceptions import Exit
from msgspec import Struct

from streams.cli.console import Meter, Wrong, console, emit, hush, meter
from streams.cli.options import BROKER, FILES, as_json, connected
from streams.files import Unreadable, lines, size
from streams.history import Step, plan, spread
from streams.hosting.clock import WallClock
from streams.hosting.topics import create
from streams.publication import Publication, Unacknowledged, Unreachable, publisher, reach

HELP = """Publishes events from JSONL files (plain or .gz; `-` is standard input) to Kafka.

Each line is one event; its key is the agent's name, so that an agent's events stay in order. Lines that are
no events are published too, as they are: the worker puts them on the dead-letter topic with the reason.
Everything is acknowledged before this ends; while the broker is away it waits and tries again. Publishing the
same file twice repeats no event: the worker tells duplicates by `source` and `id`.

\b
Examples:
  oversight publish events.jsonl --to localhost:9092
  zcat monday.gz tuesday.gz | oversight publish - --to kafka:9092 --topic agent.events
  oversight publish last-week.jsonl.gz --to localhost:9092 --clock events --create-topics

With `--clock events` the file is history and its own times are the clock: partitions without events are told
the time by tick records, and at the end all timers play out. Start the worker with OVERSIGHT_CLOCK=events
then.
"""


class Order(Struct, frozen=True):
    """What is published where. `bootstrap`: `host:port`. `creation`: missing topics are made first."""

    files: tuple[Path, ...]
    bootstrap: str
    topic: str
    clock: Literal["wall", "events"]
    creation: str | None


@click.command("publish", help=HELP, short_help="Publish events from JSONL files to Kafka.")
@FILES
@BROKER
@click.option("--topic", default="agent.events", show_default=True, help="Where to.")
@click.option(
    "--clock",
    type=click.Choice(["wall", "events"]),
    default="wall",
    show_default=True,
    envvar="OVERSIGHT_CLOCK",
    show_envvar=True,
    help="What the worker goes by: the wall clock, or the events' own times.",
)
@click.option(
    "--create-topics",
    "creation",
    flag_value="create",
    help="Create the pipeline's topics that are missing, as `oversight topics` does.",
)
@as_json(help="Counts as one JSON object.")
def command(*, form: str | None, **given: Any) -> None:
    """Publishes and tells the counts; exit code 1 where a line was too large."""
    hush("aiokafka")
    order = Order(**given)
    try:
        with meter("publishing", size(order.files)) as bar:
            publication = asyncio.run(_publish(order, bar))
    except (Unreadable, Unreachable, Unacknowledged) as error:
        raise Wrong(str(error)) from error
    if form == "json":
        emit([publication])
    else:
        _tell(publication, f"{order.topic} at {order.bootstrap}")
    if publication.refused:
        raise Exit(1)


async def _publish(order: Order, bar: Meter) -> Publication:
    connection = connected(order.bootstrap)
    if order.creation:
        await reach(connection)
        await create(connection)
    async with publisher(connection, order.topic) as appender:
        read = lines(order.files, bar.advance)
        if order.clock == "events":
            steps = plan(read, appender.partitions, WallClock().now().timestamp())
        else:
            steps = spread(read, appender.partitions)
        return await appender.publish(_counted(steps, bar))


def _counted(steps: Iterator[Step], bar: Meter) -> Iterator[Step]:
    for step in steps:
        bar.count()
        yield step


def _tell(publication: Publication, where: str) -> None:
    look = console()
    look.print(f"[fine]✓[/] {publication.events:,} events published to {where}")
    if publication.ticks:
        look.print(f"  {publication.ticks:,} ticks that tell the time")
    if publication.malformed:
        look.print(f"  [warning]{publication.malformed:,} lines are no events[/]: they will be dead letters")
    for place in publication.refused:
        look.print(f"  [error]{place}: too large for a record, not published[/]")
