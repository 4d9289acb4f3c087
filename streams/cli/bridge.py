"""`oversight bridge`: spans of OpenTelemetry become agent events, on Kafka or in files."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from aiokafka.errors import KafkaError
from msgspec.structs import replace
from rich.markup import escape

from bridge.traces import Traces
from bridge.unpacking import Unpacking
from schemas.record import Output, Record
from schemas.wire import encode
from streams.cli.console import Meter, Wrong, console, hush, meter
from streams.cli.options import connected, reached
from streams.cli.rules import plainly
from streams.cli.stopping import ended_when_told
from streams.files import Unreadable, lines, size
from streams.hosting.bridging import Bridge
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.hosting.topics import BRIDGE_TOPICS, TOPICS, create
from streams.hosting.variables import Misconfigured
from streams.logbook import logged
from streams.starting import Start, there
from streams.watching.health import Health
from streams.watching.watched import ears, watched

HELP = """Turns spans of OpenTelemetry into agent events.

Without files it runs on Kafka until it is told to stop: it reads what the collector's Kafka exporter writes
to `otlp_spans`, as protobuf (needs `pip install agent-oversight[otlp]`) or JSON, and writes `agent.events`.
OpenTelemetry's GenAI conventions, new and old, OpenInference and OpenLLMetry are read. Spans that say neither
agent nor conversation ask those around them, for which they wait up to ten seconds. Where no broker answers
yet, or topics are missing, it waits.

OVERSIGHT_LISTEN, OVERSIGHT_METRICS_TOKEN and OVERSIGHT_HEARTBEAT_URL make it tell of its health, as those of
`oversight worker` do.

With files it prints the events: each line is an export request in JSON, as the collector's file exporter
writes it (plain or .gz; `-` is standard input).

\b
Examples:
  oversight bridge --to kafka:9092 --create-topics --partitions 12
  oversight bridge spans.jsonl | oversight replay - --config oversight.yml
"""


@click.command("bridge", help=HELP, short_help="Spans of OpenTelemetry to agent events.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@reached("--to", "bootstrap")
@click.option("--name", default="oversight", show_default=True, help="What the consumer groups are called.")
@click.option("--create-topics", "creation", flag_value="create", help="Create those that are missing.")
@click.option("--partitions", type=click.IntRange(1), default=4, show_default=True, help="Of created topics.")
@click.option("--replication", type=click.IntRange(1), default=1, show_default=True, help="Copies of them.")
def command(*, files: tuple[Path, ...], bootstrap: str | None, creation: str | None, **given: Any) -> None:
    """Converts the files, or runs on Kafka."""
    name = given.pop("name")
    if files:
        _convert(files)
    elif bootstrap:
        _run(bootstrap, name, given if creation else None)
    else:
        raise Wrong("neither files nor a broker; expected FILE… or --to host:port")


# -- files ---------------------------------------------------------------------------------------------


def _convert(files: tuple[Path, ...]) -> None:
    refused = 0
    try:
        with meter("reading spans", size(files)) as bar:
            for output in _converted(files, bar):
                if output.stream == "events":
                    sys.stdout.buffer.write(encode(output.value) + b"\n")
                elif output.stream == "deadletter":
                    refused += 1
                    reason = dict(output.headers)["reason"].decode()
                    console(sys.stderr).print(f"[warning]left out[/] {escape(reason)}")
    except Unreadable as error:
        raise Wrong(str(error)) from error
    sys.stdout.buffer.flush()
    if refused:
        raise click.exceptions.Exit(1)


def _converted(files: tuple[Path, ...], bar: Meter) -> Iterator[Output]:
    """The events of all files; time is that of the spans' ends."""
    unpacking, traces, count = Unpacking(), Traces(), 0
    for n, line in enumerate(lines(files, bar.advance)):
        for output in unpacking.apply(Record(n, line.value)):
            if output.stream == "spans":
                yield from traces.apply(Record(count, encode(output.value), time_s=output.at))
                count += 1
            elif output.stream == "deadletter":
                reason = dict(output.headers)["reason"].removeprefix(b"Unreadable: ")
                yield replace(output, headers=(("reason", f"{line}: ".encode() + reason),))
    yield from traces.drain(count)


# -- Kafka ---------------------------------------------------------------------------------------------


def _run(bootstrap: str, name: str, counts: Mapping[str, Any] | None) -> None:
    logged()
    hush("aiokafka")
    try:
        with ended_when_told():
            asyncio.run(_bridge(bootstrap, name, counts))
    except (Misconfigured, KafkaError) as error:
        raise Wrong(str(error)) from error


async def _bridge(bootstrap: str, name: str, counts: Mapping[str, Any] | None) -> None:
    """`counts`: of the topics that are created; None creates nothing."""
    connection = connected(bootstrap)
    with plainly(Misconfigured):
        who = ears(os.environ)

    async def ready() -> None:
        topics = (*TOPICS, *BRIDGE_TOPICS)
        if counts is not None:
            await create(connection, topics=topics, **counts)
        await there(connection, topics)

    health = Health(WallClock())
    async with watched(health, who):
        await Start("bridge", connection, health).once(ready, "oversight bridge --create-topics")
        async with KafkaLog(connection) as kafka:
            bridge = Bridge(connection, kafka, WallClock(), name, figures=health.figures)
            health.works(bridge.hosts)
            _stopped_by_signals(kafka, bridge)
            console(sys.stderr).print(f"bridging [info]otlp_spans[/] to [info]agent.events[/] at {bootstrap}")
            await bridge.run()


def _stopped_by_signals(kafka: KafkaLog, bridge: Bridge) -> None:
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        kafka.hurry()
        stopping.add(loop.create_task(bridge.stop()))

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
