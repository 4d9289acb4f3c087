"""`oversight agents`: which agents are watched, and for what detectors still wait."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from aiokafka.errors import KafkaError
from msgspec import Struct
from rich.markup import escape

from detectors.registry import discover
from detectors.warming import known
from streams.cli.console import Wrong, console, emit, hush, table
from streams.cli.options import BROKER, as_json, connected
from streams.hosting.kafka import KafkaLog
from streams.hosting.looking import partitions
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Snapshots, StateError
from streams.hosting.topics import DETECTOR_STATE
from streams.publication import Unreachable, reach

HELP = """Lists the agents that are watched, and what their detectors still wait for.

A detector that warms up is silent, and that is no good sign. It is told by what the workers saved last, which
may be some minutes old. `oversight check --detectors` says what each needs.

\b
Examples:
  oversight agents --to localhost:9092
  oversight agents --warming --json
"""
WARM = "nothing: all detectors may speak"


class Watched(Struct, frozen=True):
    """An agent, for machines. `warming`: what each detector that is silent has seen, of how much."""

    agent: str
    partition: int
    heard: datetime
    warming: Mapping[str, tuple[str, ...]]


@click.command("agents", help=HELP, short_help="Which agents are watched, and which detectors warm up.")
@BROKER
@click.option("--warming", "which", flag_value="warming", help="Only those of which a detector warms up.")
@as_json(help="One JSON record a line.")
def command(*, bootstrap: str, which: str | None, form: str | None) -> None:
    """Prints the agents."""
    hush("aiokafka")
    try:
        found = asyncio.run(_watched(connected(bootstrap)))
    except (Unreachable, KafkaError, StateError) as error:
        raise Wrong(str(error)) from error
    shown = [each for each in found if each.warming or not which]
    if form == "json":
        emit(shown)
    else:
        _show(shown)


async def _watched(connection: dict[str, Any]) -> Sequence[Watched]:
    """All agents that any worker saved, by name."""
    await reach(connection)
    found: list[Watched] = []
    kinds = discover()
    async with KafkaLog(connection) as log:
        for place in await partitions(connection, [DETECTOR_STATE]):
            restored = await Snapshots(log, place.topic, place.partition, "").look()
            if restored.low_water is not None:
                found += (
                    Watched(
                        each.agent, place.partition, datetime.fromtimestamp(each.heard, UTC), each.warming
                    )
                    for each in known(restored.low_water.mark, restored.keys, read_settings, kinds)
                )
    return sorted(found, key=lambda each: (each.agent, each.partition))


def _show(found: Sequence[Watched]) -> None:
    look = console()
    if not found:
        look.print("[quiet]no agent[/]")
        return
    made = table("agent", "last heard", "detector", "has seen")
    for each in found:
        lines = [(name, "; ".join(words)) for name, words in each.warming.items()] or [("", WARM)]
        for at, (name, words) in enumerate(lines):
            who = (escape(each.agent), f"{each.heard:%Y-%m-%d %H:%M}") if at == 0 else ("", "")
            made.add_row(*who, name, escape(words))
    look.print(made)
