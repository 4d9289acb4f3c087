"""`oversight replay`: the same core over files, without Kafka."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
from click.exceptions import Exit
from rich.console import Console
from rich.markup import escape

from routing.rules.faults import ConfigFaults
from schemas.cause import ConfigFile
from schemas.page import Notice, Page
from streams.cli.console import Wrong, console, meter
from streams.cli.figures import show
from streams.cli.rules import files_of
from streams.collector import relax
from streams.comparison import Difference, compare, earlier, paged
from streams.demonstration.summary import Summary
from streams.files import Unreadable, lines, size
from streams.hosting.clock import WallClock
from streams.records import DeadLetter, Told, Turns, Word, line
from streams.replay import BUILT_IN, replay

HELP = """Runs events from files (JSONL, plain or .gz; `-` is standard input) through the worker's own core.

Nothing is sent: every page counts as delivered at once. Time is the events' own, so last week takes seconds.
Files are taken one after the other, as if they were one. Lines that are no events are counted and shown; they
stop nothing. An event dated more than five minutes ahead of now counts as of the time before it, as on Kafka,
and is counted, too.

\b
Examples:
  oversight replay events.jsonl.gz --config oversight.yml
  oversight replay monday.jsonl tuesday.jsonl --config conf.d/ --json > pages.jsonl
  oversight replay events.jsonl --config changed.yml --compare pages.jsonl

With `--json` one record a line, in the order of event time: `signal`, `incident`, `page`, `update` or
`decision`.
`--compare` takes such records of an earlier run and tells which pages came or went; exit code 1 if any did.
"""


@click.command("replay", help=HELP, short_help="Run events from files through the core: what would it page?")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="OVERSIGHT_CONFIG",
    show_envvar=True,
    help="File or directory; without it everything pages one terminal.",
)
@click.option("--json", "form", flag_value="json", help="Records, one a line, and nothing else.")
@click.option("--compare", "before", type=click.Path(path_type=Path), help="Records of an earlier run.")
def command(*, files: tuple[Path, ...], config: Path | None, form: str | None, before: Path | None) -> None:
    """Replays, tells what was found, and what differs from an earlier run."""
    tell = _json if form == "json" else _Pages(console())
    try:
        known = earlier(before) if before else None
        relax()
        summary = _run(files, files_of(config) if config else (BUILT_IN,), tell)
    except Unreadable as error:
        raise Wrong(str(error)) from error
    except ConfigFaults as error:
        raise Wrong("\n".join(["the configuration does not hold:", *map(str, error.faults)])) from error
    if form != "json":
        show(summary, console())
    if known is not None:
        _differ(compare(known, map(paged, summary.pages)))


def _run(
    files: Sequence[Path], configuration: Sequence[ConfigFile], tell: Callable[[Word], object]
) -> Summary:
    summary, turns = Summary(), Turns()
    with meter("replaying", size(files)) as bar:
        now_s = WallClock().now().timestamp()
        for step, told in replay(lines(files, bar.advance), configuration, now_s):
            summary.step(step)
            bar.count()
            for each in _news(told, turns):
                summary.tell(each)
                if not isinstance(each, DeadLetter):
                    tell(each)
    return summary


def _news(told: Iterable[Told], turns: Turns) -> Iterable[Told]:
    return (each for each in told if isinstance(each, DeadLetter) or turns.is_turn(each))


def _json(word: Word) -> None:
    click.echo(line(word))


class _Pages:
    """Prints each page as it comes: one line."""

    def __init__(self, look: Console) -> None:
        self._look = look

    def __call__(self, word: Word) -> None:
        if isinstance(word, Page) and not isinstance(word, Notice):
            self._look.print(
                f"[time]{word.time:%m-%d %H:%M:%S}[/] [{word.severity}]{word.severity:8}[/] "
                f"[person]{escape(word.to)}[/] {escape(word.summary)} [quiet]({word.reason})[/]",
                soft_wrap=True,
            )


def _differ(difference: Difference) -> None:
    """Tells on standard error what differs, and ends with 1 where something does."""
    if not difference.gone and not difference.new:
        return
    for sign, pages in (("-", difference.gone), ("+", difference.new)):
        for page in pages:
            click.echo(f"{sign} {page.time} {page.severity} {page.to} {page.summary}", err=True)
    raise Exit(1)
