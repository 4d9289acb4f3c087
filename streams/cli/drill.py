"""`oversight drill`: an incident that is none, to see who is told of it, how soon, and where it breaks."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from aiokafka.errors import KafkaError
from click.core import ParameterSource
from click.exceptions import Exit

from routing.notifiers.registry import discover
from routing.rules.durations import parse_duration
from routing.rules.suggestions import meant
from schemas.cause import Concluded, ConfigFile
from schemas.event import Event
from schemas.page import Channel
from schemas.wire import Malformed, decode_event, encode
from streams.cli.account import account
from streams.cli.console import Meter, Wrong, console, emit, hush, meter
from streams.cli.drill_tables import listed, show
from streams.cli.options import as_json, connected, reached, ruled
from streams.cli.rules import INSTANT, files_of, plainly
from streams.collector import relax
from streams.drilling.live import Live, drill
from streams.drilling.progress import Result
from streams.drilling.rehearsal import Rehearsal, Unheard, made_up, rehearse
from streams.drilling.scenarios import IMPOSSIBLE, SCENARIOS, Scenario
from streams.drilling.stages import span
from streams.files import lines, size
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.topics import CAUSES, missing
from streams.publication import Unreachable, reach
from streams.replay import BUILT_IN

HELP = """Plays an incident that is none, to see whether the right person hears of it. SCENARIO is one
of those that `--list` shows. A drill runs on a copy of the agent's detector state, from which its baselines
learn nothing; it counts in no statistics, and every message says DRILL.

Its events go to the topic `agent.events`, in real time, until a page is delivered (`--until acknowledged`:
until somebody answers it) or the time is up; what comes of them is watched on the pipeline's topics. Without
--channel the real people are paged.

With `--dry` nothing is sent, and no broker is needed: the events of files (or of an agent that is made up)
are run through the worker's own core, and then the drill's. It says who would be paged if nobody answered.

\b
Examples:
  oversight drill --list
  oversight drill dependency/outage --agent refund-agent --to localhost:9092 --channel 'slack:#drills'
  oversight drill dependency/outage --agent refund-agent --dry --config oversight.yml
  oversight drill cost/spike --agent refund-agent --dry --config oversight.yml --at 2026-12-24T23:00Z
  oversight drill session/loop --agent a --dry --events yesterday.jsonl.gz --config oversight.yml

Exit codes: 0 it was paged as it should be, 1 it broke at a stage, 2 wrong usage or input.
"""


_OF_DRY = "of a rehearsal alone, with --dry"
VAIN: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "live": {
        "--events": ("events", _OF_DRY),
        "--at": ("at", _OF_DRY),
        "--config": ("config", f"{_OF_DRY}; what is sent goes by the rules that the worker follows"),
    },
    "dry": {
        "--to": ("bootstrap", "with --dry nothing is sent"),
        "--until": ("until", "with --dry nobody answers; it goes on until the time is up (--timeout)"),
        "--by": ("by", "with --dry nobody is told of it"),
    },
}
"""Options that change nothing, by how it is drilled: the name of each, and why."""


@click.command("drill", help=HELP, short_help="A fire drill: would the right person hear of it?")
@click.argument("scenario", required=False)
@click.option(
    "--list", "also", flag_value="list", help="The scenarios, what they exercise, how long they take."
)
@click.option("--agent", help="Whose incident it is to be.")
@reached("--to", "bootstrap")
@click.option("--dry", "mode", flag_value="dry", help="Without a broker: nothing is sent.")
@ruled(help="With --dry: file or directory; without it everything pages one terminal.")
@click.option(
    "--events",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With --dry: files with the agent's events.",
)
@click.option(
    "--at", type=INSTANT, help="With --dry: when the made-up agent is drilled; now, if nothing is said."
)
@click.option("--channel", help="KIND:TARGET that all its messages go to instead of to people.")
@click.option("--timeout", help="How long it goes on at most; 10m, or longer if the scenario takes longer.")
@click.option(
    "--until",
    type=click.Choice(["delivered", "acknowledged"]),
    default="delivered",
    show_default=True,
    help="The stage at which it is over.",
)
@click.option("--by", default=account, help="Who drills; the account's name, if nothing is said.")
@as_json(help="The result as one JSON object.")
def command(*, scenario: str | None, also: str | None, form: str | None, **given: Any) -> None:
    """Lists scenarios, or plays one and tells what became of it."""
    if also is not None:
        listed(form)
        return
    chosen = _chosen(scenario)
    if not given["agent"]:
        raise Wrong("say whose incident it is to be: --agent NAME")
    if given["mode"] is None and not given["bootstrap"]:
        raise Wrong("say which broker (--to host:port), or --dry to send nothing")
    _refuse_vain(given["mode"])
    relax()
    order = _order(chosen, given)
    result = _live(order, given) if given["mode"] is None else _rehearsed(order, given)
    if form == "json":
        emit([result])
    else:
        show(result)
    if result.broke_at:
        raise Exit(1)


def _refuse_vain(mode: str | None) -> None:
    """Options that were typed and would change nothing; the environment may speak to other commands."""
    typed = click.get_current_context().get_parameter_source
    for option, (name, why) in VAIN[mode or "live"].items():
        if typed(name) is ParameterSource.COMMANDLINE:
            raise Wrong(f"{option}: {why}")


def _chosen(name: str | None) -> Scenario:
    if name in SCENARIOS:
        return SCENARIOS[str(name)]
    if name is None:
        raise Wrong("say which scenario: `oversight drill --list` shows them")
    if name in IMPOSSIBLE:
        raise Wrong(f"{name} cannot be drilled: {IMPOSSIBLE[name]}")
    raise Wrong(f"there is no scenario {name!r}{meant(name, SCENARIOS)}: `oversight drill --list` shows them")


def _order(chosen: Scenario, given: dict[str, Any]) -> Rehearsal:
    try:
        within = parse_duration(given["timeout"]) if given["timeout"] else chosen.within
    except ValueError as error:
        raise Wrong(f"--timeout: {error}") from error
    if not within:
        raise Wrong("--timeout: expected a time such as 10m, found none")
    return Rehearsal(
        scenario=chosen,
        agent=given["agent"],
        token=uuid4().hex[:8],
        within=within,
        channel=_channel(given["channel"]),
    )


def _channel(text: str | None) -> Channel | None:
    """`slack:#drills`."""
    if text is None:
        return None
    kind, _, target = text.partition(":")
    known = discover()
    if kind not in known or not target:
        raise Wrong(f"--channel: expected KIND:TARGET, KIND one of {', '.join(known)}; found {text!r}")
    fault = "" if target.startswith("env:") else known[kind].fault(target)
    if fault:
        raise Wrong(f"--channel: {fault}")
    return Channel(kind=kind, target=target)


def _live(order: Rehearsal, given: dict[str, Any]) -> Result:
    hush("aiokafka")
    live = Live(order=order, by=given["by"], until=given["until"])
    look = console(sys.stderr)
    least, most = span(order.scenario.lasts.total_seconds()), span(order.within.total_seconds())
    look.print(f"[heading]DRILL {order.drill}[/]: about {least}, {most} at most", soft_wrap=True)
    try:
        with meter(f"drilling {order.scenario.name}", order.within.total_seconds()) as bar:
            return asyncio.run(_played_live(live, given["bootstrap"], bar))
    except Unreachable as error:
        raise Wrong(str(error)) from error
    except (AppendFailed, KafkaError) as error:
        raise Wrong(f"it could not be published: {error}") from error


async def _played_live(live: Live, bootstrap: str, bar: Meter) -> Result:
    connection = connected(bootstrap)
    await reach(connection)
    absent = await missing(connection)
    if absent:
        raise Unreachable(f"there is no topic {absent[0]} on this broker: `oversight topics` makes it")
    result = await drill(live, connection, WallClock(), bar.advance)
    end = Concluded(at=WallClock().now(), id=live.order.drill, broke_at=result.broke_at, remedy=result.remedy)
    with suppress(AppendFailed, KafkaError):  # planned drills of the agent wait a little longer then
        async with KafkaLog(connection) as log:
            await log.append(CAUSES, 0, [Outgoing(b"drill", encode(end))])
    return result


def _rehearsed(order: Rehearsal, given: dict[str, Any]) -> Result:
    config: Path | None = given["config"]
    paths: tuple[Path, ...] = given["events"]
    with plainly(Unheard):
        files = files_of(config) if config else (BUILT_IN,)
        history = _events(paths) if paths else _made_up(order, given["at"])
        return _played(order, files, history)


def _made_up(order: Rehearsal, at: datetime | None) -> Iterator[Event]:
    return made_up(order.agent, at or WallClock().now(), order.scenario.history)


def _played(order: Rehearsal, files: tuple[ConfigFile, ...], history: Iterable[Event]) -> Result:
    with meter(f"rehearsing {order.scenario.name}", order.within.total_seconds()) as bar:
        return rehearse(order, files, history, bar.advance)


def _events(paths: tuple[Path, ...]) -> Iterator[Event]:
    """Lines that are no events are passed over: `oversight replay` tells of them."""
    size(paths)
    for line in lines(paths):
        try:
            what = decode_event(line.value)
        except Malformed:
            continue
        if isinstance(what, Event):
            yield what
