"""`oversight doctor`: is everything there that a worker needs? Nobody is paged."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from click.exceptions import Exit
from rich.markup import escape

from routing.configuration import examine
from routing.rules.faults import ConfigFaults
from streams.calendars import configuration
from streams.cli.console import console, emit, hush, table
from streams.cli.options import as_json, reached
from streams.doctoring import brokers, channels, clocks
from streams.doctoring.finding import Finding, Level, worst
from streams.files import Unreadable
from streams.hosting.clock import WallClock
from streams.hosting.connection import connection
from streams.hosting.rulebook import followable
from streams.hosting.variables import Misconfigured
from streams.watching.watched import ears

HELP = """Looks at everything that a worker needs, and says what is wrong, with the remedy. Nobody is paged.

The environment (TLS, SASL, tokens), each broker address, what we may do there, the topics, the workers, the
rules, every channel that they name (Slack is asked whose token it is, a mail server lets us sign in, of the
others the server is looked for), and the clock. Run it where the workers run, with their environment; no
secret is shown.

\b
Examples:
  OVERSIGHT_KAFKA=kafka:9092 OVERSIGHT_CONFIG=oversight.yml oversight doctor
  oversight doctor --to kafka:9092 --config oversight.yml --json

Exit codes: 0 all is well, or only warnings, 1 something fails, 2 wrong usage.
"""
MARKS = {"ok": "[fine]ok[/]", "warn": "[warning]warn[/]", "fail": "[error]fail[/]"}


@click.command("doctor", help=HELP, short_help="Is everything there that a worker needs?")
@reached("--to", "bootstrap")
@click.option("--config", type=click.Path(path_type=Path), envvar="OVERSIGHT_CONFIG", show_envvar=True)
@click.option(
    "--name", envvar="OVERSIGHT_NAME", default="oversight", show_default=True, help="Of the workers."
)
@as_json(help="One finding a line, as JSON.")
def command(*, bootstrap: str | None, config: Path | None, name: str, form: str | None) -> None:
    """Looks, and tells."""
    hush("aiokafka")
    if not bootstrap and not config:
        raise click.UsageError(
            "nothing to look at; expected --to, --config, OVERSIGHT_KAFKA or OVERSIGHT_CONFIG"
        )
    with console(sys.stderr).status("looking at everything …"):
        found = asyncio.run(_examined(bootstrap, config, name, os.environ))
    if form == "json":
        emit(found)
    else:
        _show(found)
    if worst(found) == "fail":
        raise Exit(1)


async def _examined(
    bootstrap: str | None, config: Path | None, name: str, variables: Mapping[str, str]
) -> Sequence[Finding]:
    found: list[Finding] = list(_environment(variables))
    if bootstrap:
        try:
            how = connection(bootstrap, variables)
        except Misconfigured as error:
            found.append(_wrong("OVERSIGHT_KAFKA_…", str(error)))
        else:
            found += await brokers.examine(how, name)
    if config:
        found += await _configured(config, variables)
    return found


def _environment(variables: Mapping[str, str]) -> Iterator[Finding]:
    try:
        who = ears(variables)
    except Misconfigured as error:
        yield _wrong("OVERSIGHT_LISTEN, _HEARTBEAT_URL", str(error))
        return
    what, remedy = "a dead-man's switch is called each minute", ""
    if not who.switch:
        what = "no dead-man's switch: nobody hears when all workers are gone"
        remedy = "OVERSIGHT_HEARTBEAT_URL (docs/metrics.md)"
    yield Finding(
        part="environment",
        about="OVERSIGHT_HEARTBEAT_URL",
        level="ok" if who.switch else "warn",
        what=what,
        remedy=remedy,
    )


def _wrong(about: str, what: str) -> Finding:
    remedy = "see docs/operations.md and `oversight worker --help`"
    return Finding(part="environment", about=about, level="fail", what=what, remedy=remedy)


async def _configured(config: Path, variables: Mapping[str, str]) -> Sequence[Finding]:
    try:
        read = configuration(config, variables)
    except Unreadable as error:
        return [_fault(str(config), str(error), "name a file or a folder that the worker can read")]
    found = [
        _fault(str(config), each, "its last text is gone with the worker", "warn") for each in read.lacks
    ]
    remedy = f"`oversight check {config}` tells more"
    try:
        followable(read.files, variables)
    except ConfigFaults as faults:
        found += [_fault(str(config), str(each), remedy) for each in faults.faults]
    policy = examine(read.files).policy
    if policy is None:
        return found
    wanted, asked = channels.channels(policy), channels.Asked(WallClock())
    what = f"{len(policy.receivers)} receivers, {len(policy.users)} people, {len(wanted)} channels"
    found += [Finding(part="config", about=str(config), level="ok", what=what)]
    found += await channels.examine(wanted, variables, asked)
    return [*found, *clocks.compared(asked.dates)]


def _fault(about: str, what: str, remedy: str, level: Level = "fail") -> Finding:
    return Finding(part="config", about=about, level=level, what=what, remedy=remedy)


def _show(found: Sequence[Finding]) -> None:
    made = table("", "part", "about", "what")
    for each in found:
        made.add_row(MARKS[each.level], each.part, escape(each.about), escape(each.what))
    look = console()
    look.print(made)
    for remedy in dict.fromkeys(each.remedy for each in found if each.remedy):
        some = [each for each in found if each.remedy == remedy]
        named = ", ".join(dict.fromkeys(each.about for each in some))
        look.print(f"\n{MARKS[worst(some)]} {escape(named)}", soft_wrap=True)
        look.print(f"  [quiet]remedy:[/] {escape(remedy)}", soft_wrap=True)
