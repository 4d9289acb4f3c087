"""`oversight topics`: creates the topics that the pipeline needs, and tells where they depart from that."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import click
from aiokafka.errors import KafkaError
from click.exceptions import Exit
from msgspec import Struct
from rich.markup import escape
from rich.table import Table

from streams.cli.console import Wrong, console, emit, hush, table
from streams.cli.options import BROKER, as_json, connected
from streams.hosting.standing import Deviation, Stand, Standing, deviations, look
from streams.hosting.topics import DAY_MS, TOPICS, Created, create
from streams.publication import Unreachable, reach

HELP = """Creates the pipeline's topics that are missing, with their partitions, retention and compaction, and
tells where topics depart from what the pipeline needs, with the remedy.

Topics that exist are left as they are. The number of partitions of `agent.events` decides how many workers
can share the detectors' work; choose it once, with room to grow. With `--check` nothing is created.

\b
Examples:
  oversight topics --to localhost:9092
  oversight topics --to kafka:9092 --partitions 24 --replication 3
  oversight topics --to kafka:9092 --check

Exit codes: 0 fine, 1 (with --check) a topic departs from what is needed, 2 wrong usage or no broker.
"""


class Found(Struct, frozen=True):
    """What was made, what was there, how it stands and where it departs from what is needed."""

    made: tuple[str, ...]
    there: tuple[str, ...]
    topics: tuple[Standing, ...]
    deviations: tuple[Deviation, ...]


@click.command("topics", help=HELP, short_help="Create and check the topics that the pipeline needs.")
@BROKER
@click.option("--partitions", type=click.IntRange(1), default=4, show_default=True, help="Of agent.events.")
@click.option("--work", type=click.IntRange(1), default=4, show_default=True, help="Of oversight.pages.")
@click.option("--replication", type=click.IntRange(1), default=1, show_default=True, help="Copies of each.")
@click.option(
    "--min-insync",
    "in_sync",
    type=click.IntRange(1),
    show_default="all copies but one, from three on",
    help="Copies that must have a record before it is acknowledged.",
)
@click.option("--check", "mode", flag_value="check", help="Create nothing; exit code 1 if anything departs.")
@as_json(help="What was made and what was there, how it stands, and deviations, as JSON.")
def command(*, bootstrap: str, mode: str | None, form: str | None, **counts: Any) -> None:
    """Creates what is missing, or only looks."""
    hush("aiokafka")
    try:
        created, stand = asyncio.run(_stand(bootstrap, counts if mode is None else None))
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error
    found = deviations(stand)
    if form == "json":
        emit([Found(created.made, created.there, tuple(stand.topics.values()), tuple(found))])
    else:
        _show(stand, created, found)
    if mode == "check" and found:
        raise Exit(1)


async def _stand(bootstrap: str, counts: Mapping[str, Any] | None) -> tuple[Created, Stand]:
    """`counts`: None creates nothing."""
    connection = connected(bootstrap)
    await reach(connection)
    if counts is not None:
        created = await create(connection, **counts)
        return created, await look(connection)
    stand = await look(connection)
    return Created((), tuple(each.name for each in stand.topics.values() if each.is_there)), stand


def _show(stand: Stand, created: Created, found: Sequence[Deviation]) -> None:
    look_ = console()
    look_.print(_table(stand, created, found))
    for each in found:
        style = "error" if each.level == "fault" else "warning"
        look_.print(f"\n[{style}]{each.level}[/] {escape(each.topic)} {escape(each.what)}", soft_wrap=True)
        look_.print(f"  [quiet]remedy:[/] {escape(each.remedy)}", soft_wrap=True)


def _table(stand: Stand, created: Created, found: Sequence[Deviation]) -> Table:
    made = table("topic", "#partitions", "#copies", "#needed in sync", "cleanup", "kept", "")
    levels = {each.topic: each.level for each in sorted(found, key=lambda each: each.level == "fault")}
    for topic in TOPICS:
        each = stand.topics[topic.name]
        settings = each.settings or {}
        row = (
            escape(each.name),
            _departing(each.partitions, each.is_there),
            _departing(each.copies, each.is_there),
            escape(settings.get("min.insync.replicas", "")),
            escape(settings.get("cleanup.policy", "")),
            _kept(each),
        )
        state = "" if not each.is_there else "created" if topic.name in created.made else "was there"
        made.add_row(*row, _verdict(state, levels.get(topic.name)))
    return made


def _departing(count: int, there: object) -> str:
    return str(count) if there else "[quiet]-[/]"


def _kept(standing: Standing) -> str:
    if not standing.is_there or standing.settings is None:
        return ""
    if standing.settings["cleanup.policy"] == "compact":
        return "the latest of each key"
    kept_ms = standing.number("retention.ms")
    if kept_ms is None or kept_ms < 0:
        return "for ever" if kept_ms else ""
    return f"{kept_ms / DAY_MS:.3g} days"


def _verdict(state: str, level: str | None) -> str:
    match state, level:
        case "", _:
            return "[error]missing[/]"
        case _, "fault":
            return f"[error]fault[/] [quiet]{state}[/]"
        case _, "warning":
            return f"[warning]warning[/] [quiet]{state}[/]"
        case "created", _:
            return "[fine]created[/]"
    return "[fine]✓[/] [quiet]was there[/]"
