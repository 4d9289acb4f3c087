"""`oversight silences`: what is silenced, by whom, and until when."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from aiokafka.errors import KafkaError
from msgspec import Struct
from rich.markup import escape

from routing.hours import spell
from routing.policy import PlannedSilence
from schemas.cause import Silenced
from streams.cli.console import Wrong, console, emit, hush, table
from streams.cli.options import CONFIG, as_json, connected, reached
from streams.cli.rules import INSTANT, policy_of
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.publication import Unreachable, reach
from streams.silences import recorded

HELP = """Lists silences: those of a configuration, when each holds next, and those that people made.

Recurring ones are looked for in the next 100 days. Silences that people made are read from the topic
`oversight.causes`, where a broker is given. TIME is RFC 3339 (UTC without an offset), or now.

\b
Examples:
  oversight silences oversight.yml
  oversight silences oversight.yml --at 2026-12-24T23:00+01:00 --json
  oversight silences oversight.yml --from localhost:9092
"""
AHEAD = timedelta(days=100)


class Row(Struct, frozen=True):
    """A silence: [start, end) in UTC of the present or next time; None where there is none in sight."""

    name: str
    state: str
    matchers: tuple[str, ...]
    by: str
    comment: str
    start: datetime | None
    end: datetime | None
    origin: str


@click.command("silences", help=HELP, short_help="What is silenced, by whom, until when.")
@CONFIG
@click.option("--at", type=INSTANT, help="An instant; now, if nothing is said.")
@reached("--from", "bootstrap")
@as_json(help="One JSON record a line.")
def command(*, config: Path, at: datetime | None, bootstrap: str | None, form: str | None) -> None:
    """Prints silences."""
    when = (at or WallClock().now()).astimezone(UTC)
    rows = [_planned(each, when) for each in policy_of(config).silences]
    rows += _made(bootstrap, when) if bootstrap else ()
    if form == "json":
        emit(rows)
        return
    made = table("silence", "", "from", "until", "by", "what", "why", title=f"at {_time(when)}")
    for row in rows:
        state = "[warning]holds[/]" if row.state == "holds" else f"[quiet]{row.state}[/]"
        what = escape(", ".join(row.matchers))
        times = (_time(row.start), _time(row.end))
        made.add_row(escape(row.name), state, *times, escape(row.by), what, escape(row.comment))
    console().print(made if rows else "[quiet]no silences[/]")


def _planned(silence: PlannedSilence, at: datetime) -> Row:
    found = spell(silence, at, AHEAD)
    start, end = found or (None, None)
    return Row(
        name=silence.name,
        state="over" if found is None else "holds" if start == at else "planned",
        matchers=tuple(map(str, silence.matchers)),
        by=silence.author,
        comment=silence.comment,
        start=start,
        end=end,
        origin="configuration",
    )


def _made(bootstrap: str, at: datetime) -> Iterator[Row]:
    hush("aiokafka")
    try:
        found = asyncio.run(_read(bootstrap, at))
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error
    for each in found:
        start = each.start or each.at
        yield Row(
            name=each.id,
            state="holds" if start <= at else "planned",
            matchers=each.matchers or (f"like {each.incident}",),
            by=each.by,
            comment=each.comment,
            start=start.astimezone(UTC),
            end=each.until.astimezone(UTC),
            origin="recorded",
        )


async def _read(bootstrap: str, at: datetime) -> list[Silenced]:
    connection = connected(bootstrap)
    await reach(connection)
    async with KafkaLog(connection) as log:
        return list(await recorded(log, at))


def _time(at: datetime | None) -> str:
    return f"{at:%a %Y-%m-%d %H:%MZ}" if at else ""
