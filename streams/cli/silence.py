"""`oversight silence`: keep quiet what matches, for a while; or no longer."""

import asyncio
from datetime import datetime

import click
import msgspec
from aiokafka.errors import KafkaError
from rich.markup import escape

from routing.callbacks.requests import Request
from schemas.cause import Silenced
from streams.cli.account import account
from streams.cli.console import Wrong, console, emit, hush
from streams.cli.options import BROKER, LASTS, UNTIL, as_json, connected
from streams.cli.saying import say, write
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.publication import Unreachable, reach
from streams.silences import recorded

HELP = """Silences what all the MATCHERs match: nobody is paged for it until then. Matchers are those of the
rules: `agent="refund-agent"`, `severity=~"info|warning"`. `--end` ends a silence that a person made.

To silence what is like an open incident: `oversight incident silence`. What is silenced already:
`oversight silences`.

\b
Examples:
  oversight silence 'agent="refund-agent"' 'env="staging"' --for 2h --comment "load test"
  oversight silence 'dependency="payments-api"' --until 2026-12-24T23:00+01:00
  oversight silence --end hand-4f5a
"""


@click.command("silence", help=HELP, short_help="Silence what matches, for a while.")
@click.argument("matchers", nargs=-1, metavar="[MATCHER]...")
@BROKER
@LASTS
@UNTIL
@click.option("--comment", default="", help="Why.")
@click.option("--end", "ended", metavar="ID", help="End this one; the beginning of its id is enough.")
@click.option("--by", default=account, show_default="your user name", help="Who does it.")
@as_json(help="The cause that was written, as JSON.")
def command(
    *, matchers: tuple[str, ...], bootstrap: str, lasts: str, until: datetime | None, comment: str,
    ended: str | None, by: str, form: str | None,
) -> None:  # fmt: skip
    """Writes a silence, or the end of one."""
    if ended is not None:
        if matchers or lasts or until:
            raise click.UsageError("--end ends a silence: give its id alone")
        hand = _ended(bootstrap, ended, by, comment)
    else:
        request = Request(matchers=matchers, lasts=lasts, until=until, comment=comment)
        hand = msgspec.convert(say(bootstrap, by, "silence", request), Silenced)
    if form == "json":
        emit([hand])
        return
    what = escape(", ".join(hand.matchers) or f"like {hand.incident}")
    until_when = (
        "is no longer silenced" if ended else f"is silenced until {hand.until:%a %Y-%m-%d %H:%M:%S} UTC"
    )
    console().print(f"[fine]✓[/] {what} {until_when} [quiet]({hand.id})[/]", soft_wrap=True)


def _ended(bootstrap: str, name: str, by: str, comment: str) -> Silenced:
    """Writes the end of a silence: the same once more, until now."""
    hush("aiokafka")
    now = WallClock().now()
    try:
        found = [each for each in asyncio.run(_read(bootstrap, now)) if each.id.startswith(name)]
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error
    if len(found) != 1:
        known = "several silences" if found else "no silence"
        raise Wrong(
            f"{known} that a person made and that holds begins with {name!r}: see `oversight silences`"
        )
    hand = msgspec.structs.replace(
        found[0], at=now, until=now, by=by, comment=comment, via="cli", incident=""
    )
    write(bootstrap, hand)
    return hand


async def _read(bootstrap: str, at: datetime) -> list[Silenced]:
    connection = connected(bootstrap)
    await reach(connection)
    async with KafkaLog(connection) as log:
        return list(await recorded(log, at))
