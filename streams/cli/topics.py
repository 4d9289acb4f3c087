"""`oversight topics`: creates the topics that the pipeline needs."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click
from aiokafka.errors import KafkaError
from rich.markup import escape

from streams.cli.console import Wrong, console, emit, hush, table
from streams.cli.options import BROKER, as_json
from streams.hosting.topics import Created, create
from streams.publication import Unreachable, reach

HELP = """Creates the pipeline's topics that are missing, with their partitions, retention and compaction.

Topics that exist are left as they are. The number of partitions of `agent.events` decides how many workers
can share the detectors' work; choose it once, with room to grow.

\b
Examples:
  oversight topics --to localhost:9092
  oversight topics --to kafka:9092 --partitions 24 --replication 3
"""


@click.command("topics", help=HELP, short_help="Create the topics that the pipeline needs.")
@BROKER
@click.option("--partitions", type=click.IntRange(1), default=4, show_default=True, help="Of agent.events.")
@click.option("--work", type=click.IntRange(1), default=4, show_default=True, help="Of oversight.pages.")
@click.option("--replication", type=click.IntRange(1), default=1, show_default=True, help="Copies of each.")
@as_json(help="What was made and what was there, as JSON.")
def command(*, bootstrap: str, form: str | None, **counts: Any) -> None:
    """Creates what is missing."""
    hush("aiokafka")
    try:
        created = asyncio.run(_create(bootstrap, counts))
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error
    if form == "json":
        emit([created])
        return
    made = table("topic", "")
    for name in created.made:
        made.add_row(escape(name), "[fine]created[/]")
    for name in created.there:
        made.add_row(escape(name), "[quiet]was there[/]")
    console().print(made)


async def _create(bootstrap: str, counts: Mapping[str, int]) -> Created:
    await reach(bootstrap)
    return await create({"bootstrap_servers": bootstrap}, **counts)
