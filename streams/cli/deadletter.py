"""`oversight deadletter`: what could not be taken, why, and how it is put back."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, TypeVar

import click
from aiokafka.errors import KafkaError
from click.exceptions import Exit
from msgspec import Struct
from rich.markup import escape

from schemas.record import Record
from streams.cli.account import account
from streams.cli.console import Wrong, console, emit, hush, meter
from streams.cli.deadletter_tables import by_reason, latest, whole
from streams.cli.options import BROKER, as_json, connected
from streams.cli.rules import INSTANT
from streams.deadletters.letter import Letter
from streams.deadletters.reading import Letters, read_letters, read_records
from streams.deadletters.returning import LATE, Choice, Returner, choose
from streams.deadletters.wanted import Wanted
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import AppendFailed
from streams.publication import Unreachable, reach

HELP = """Lists, shows and puts back dead letters: what could not be taken, whole and with the reason.

An ID is the number that `list` shows. What is put back goes to its own partition with the header
`oversight-replayed`; where it fails again it is told as "failed again", and is left alone from then on.

\b
Examples:
  oversight deadletter list --to localhost:9092
  oversight deadletter list --reason "Expected `int`" --agent refund-agent --since 2026-11-20
  oversight deadletter show 4711
  oversight deadletter show 4711 --raw > event.json
  oversight deadletter replay 4711 4712 --dry-run
  oversight deadletter replay --reason "Expected `int`" --yes
"""
STATES = ("waiting", "failed again", "put back")
KINDS = ("unread", "judged", "cut", "complaint")
Answer = TypeVar("Answer")
Adding = Callable[[Callable[..., None]], Callable[..., None]]


class Returned(Struct, frozen=True):
    """What became of a replay. `left`: reasons with counts; `late`: of those put back, older than 10 min."""

    outcome: Literal["put back", "would be put back"]
    records: int
    left: Mapping[str, int]
    late: int


@click.group("deadletter", help=HELP, short_help="What could not be taken: list, show, put back.")
def command() -> None:
    """Gathers the actions."""


def _filtered(adding: Callable[..., None]) -> Callable[..., None]:
    """What chooses letters."""
    options: tuple[Adding, ...] = (
        click.option("--reason", default="", help="Those whose reason contains this, whatever its case."),
        click.option("--agent", default="", help="Those of this agent, as far as it is legible."),
        click.option("--since", type=INSTANT, help="Written at this time or later."),
        click.option("--until", type=INSTANT, help="Written before this time."),
        click.option("--kind", type=click.Choice(KINDS), help="What they are."),
    )
    for each in reversed(options):
        adding = each(adding)
    return adding


@command.command("list", short_help="Counts by reason, and the latest.")
@BROKER
@_filtered
@click.option("--state", type=click.Choice(STATES), help="What became of them.")
@click.option("--last", type=click.IntRange(0), default=20, show_default=True, help="So many one by one.")
@as_json(help="One JSON record a letter, all of them.")
def list_(*, bootstrap: str, last: int, form: str | None, **given: Any) -> None:
    """Counts dead letters by reason and lists the latest; exit code 1 where any waits."""
    wanted = Wanted(**given)
    letters = _read(bootstrap)
    found = [each for each in letters.all() if wanted.has(each)]
    if form == "json":
        emit(found)
    else:
        _tell(letters, found, last)
    if any(each.state != "put back" for each in found):
        raise Exit(1)


def _tell(letters: Letters, found: Sequence[Letter], last: int) -> None:
    look, now = console(), WallClock().now()
    if letters.older:
        look.print(f"[warning]{letters.older:,} older ones were not looked at[/]")
    if not found:
        look.print("[fine]✓[/] no dead letters")
        return
    look.print(by_reason(found, now))
    if last:
        look.print()
        look.print(latest(found[-last:], now))


@command.command("show", short_help="One whole record, its headers, where it comes from.")
@click.argument("name", metavar="ID")
@BROKER
@click.option("--raw", "form", flag_value="raw", help="The record's value alone, byte by byte.")
@as_json(help="All that is known, as JSON; the value as text.")
def show(*, name: str, bootstrap: str, form: str | None) -> None:
    """Shows one dead letter, whole."""
    letters = _read(bootstrap)
    letter = letters.get(name)
    if letter is None:
        raise Wrong(f"there is no dead letter {name!r}: `oversight deadletter list` lists them")
    record = _answered(_one(bootstrap, name))
    if record is None:
        raise Wrong(f"dead letter {name} is gone: it was deleted at the end of its retention")
    if form == "raw":
        click.get_binary_stream("stdout").write(record.value)
    elif form == "json":
        emit([{"letter": letter, **_plain(record)}])
    else:
        console().print(whole(letter, record))


def _plain(record: Record) -> dict[str, Any]:
    headers = [[name, value.decode("utf-8", "backslashreplace")] for name, value in record.headers]
    key = None if record.key is None else record.key.decode("utf-8", "backslashreplace")
    return {"key": key, "headers": headers, "value": record.value.decode("utf-8", "backslashreplace")}


async def _one(bootstrap: str, name: str) -> Record | None:
    found = [record async for _, record in read_records(connected(bootstrap), [name])]
    return found[0] if found else None


@command.command("replay", short_help="Put records back after what ailed them was mended.")
@click.argument("names", nargs=-1, metavar="[ID]...")
@BROKER
@_filtered
@click.option("--again", "failed", flag_value="again", help="Those that failed again, too.")
@click.option("--most", type=click.IntRange(1), default=10_000, show_default=True, help="At once.")
@click.option("--dry-run", "mode", flag_value="dry", help="Say what would be put back, and do nothing.")
@click.option("--yes", "mode", flag_value="sure", help="Do not ask.")
@click.option("--by", default=account, show_default="your user name", help="Who does it.")
@as_json(help="Counts as one JSON object.")
def replay(
    *, names: tuple[str, ...], bootstrap: str, failed: str | None, most: int, mode: str | None, by: str,
    form: str | None, **given: Any,
) -> None:  # fmt: skip
    """Puts records back where they lay: those of these IDs, or all that the options choose."""
    wanted = Wanted(**given)
    if not names and wanted == Wanted():
        raise click.UsageError("name letters by their ID, or choose them by --reason, --agent, --since, …")
    letters = _read(bootstrap)
    found = _named(letters, names) if names else letters.all()
    choice = choose([each for each in found if wanted.has(each)], most, failed=failed or "leave")
    late = choice.late(WallClock().now())
    if mode != "dry" and choice.chosen:
        _agree(choice, late, mode)
        _put_back(bootstrap, choice, by)
    outcome: Literal["put back", "would be put back"] = "would be put back" if mode == "dry" else "put back"
    _report(Returned(outcome, len(choice.chosen), choice.left, late), form)


def _named(letters: Letters, names: Sequence[str]) -> list[Letter]:
    found = {name: letters.get(name) for name in names}
    absent = [name for name, letter in found.items() if letter is None]
    if absent:
        raise Wrong(f"there is no dead letter {', '.join(absent)}: `oversight deadletter list` lists them")
    return [letter for letter in found.values() if letter is not None]


def _agree(choice: Choice, late: int, mode: str | None) -> None:
    """Asks, unless it was said already.

    Raises:
        Wrong: no, or nobody is there to say yes.
    """
    if mode == "sure":
        return
    if late:
        console().print(
            f"[warning]{late:,} of them are older than {LATE.seconds // 60} minutes[/]: "
            "events among them count as of now, and may page"
        )
    try:
        agreed = click.confirm(f"Put {len(choice.chosen):,} records back?")
    except click.Abort:
        agreed = False
    if not agreed:
        raise Wrong("nothing was put back (--yes does not ask)")


def _put_back(bootstrap: str, choice: Choice, by: str) -> None:
    returner: list[Returner] = []
    try:
        with meter("putting back", len(choice.chosen)) as bar:

            def step() -> None:
                bar.count()
                bar.advance(1)

            _answered(_putting(bootstrap, choice, by, step, returner))
    except AppendFailed as error:
        done = returner[0].done if returner else 0
        raise Wrong(f"{done:,} of {len(choice.chosen):,} were put back, then: {error}") from error


async def _putting(
    bootstrap: str, choice: Choice, by: str, step: Callable[[], None], made: list[Returner]
) -> None:
    connection = connected(bootstrap)
    async with KafkaLog(connection) as log:
        made.append(Returner(log, by, WallClock().now))
        letters = {each.id: each for each in choice.chosen}
        await made[0].put_back(letters, read_records(connection, list(letters)), step)


def _report(returned: Returned, form: str | None) -> None:
    if form == "json":
        emit([returned])
        return
    look = console()
    look.print(f"[fine]✓[/] records {returned.outcome}: {returned.records:,}")
    for reason, count in returned.left.items():
        look.print(f"  [warning]{count:,} left[/]: {escape(reason)}")


def _read(bootstrap: str) -> Letters:
    async def reading() -> Letters:
        connection = connected(bootstrap)
        await reach(connection)
        return await read_letters(connection, bar.reach)

    with meter("reading dead letters", None) as bar:
        return _answered(reading())


def _answered(work: Coroutine[Any, Any, Answer]) -> Answer:
    hush("aiokafka")
    try:
        return asyncio.run(work)
    except (Unreachable, KafkaError) as error:
        raise Wrong(str(error)) from error
