"""`oversight replay`: the same core over files, without Kafka."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
from click.exceptions import Exit
from rich.console import Console
from rich.markup import escape

from schemas.cause import ConfigFile
from schemas.page import Notice, Page
from streams.cli.console import Wrong, console, meter
from streams.cli.differing import tell_difference
from streams.cli.figures import show
from streams.cli.options import FILES, RULES, as_json
from streams.cli.rules import files_of, plainly
from streams.collector import relax
from streams.comparison import Paged, compare, earlier, loads, paged
from streams.demonstration.summary import Summary
from streams.files import CONFIG_SUFFIXES, STDIN, lines, size
from streams.hosting.clock import WallClock
from streams.records import DeadLetter, Told, Turns, Word, line
from streams.replay import BUILT_IN, replay_any

HELP = """Runs events from files (JSONL, plain or .gz; `-` is standard input) through the worker's own core.

FILES may also be records of `oversight.causes` (what detectors said, and people did): then routing alone is
run, under other rules. What people did to an incident counts where these rules make the same incident of it.

Nothing is sent: every page counts as delivered at once. Time is the events' own, so last week takes seconds.
Files are taken one after the other, as if they were one. Lines that are no events are counted and shown; they
stop nothing. An event dated more than five minutes ahead of now counts as of the time before it, as on Kafka,
and is counted, too.

\b
Examples:
  oversight replay events.jsonl.gz --config oversight.yml
  oversight replay monday.jsonl tuesday.jsonl --config conf.d/ --json > pages.jsonl
  oversight replay events.jsonl --config changed.yml --compare oversight.yml
  oversight replay causes.jsonl.gz --config changed.yml --compare oversight.yml

With `--json` one record a line, in the order of event time: `signal`, `incident`, `page`, `update` or
`decision`.
`--compare` takes such records of an earlier run, or a configuration (`.yml`, `.yaml`, a directory) that the
same files are run with first; it tells which pages came, went or moved to somebody else, and what that means
for each person; exit code 1 if anything differs.
"""


@click.command("replay", help=HELP, short_help="Run events from files through the core: what would it page?")
@FILES
@RULES
@as_json(help="Records, one a line, and nothing else.")
@click.option(
    "--compare",
    "before",
    type=click.Path(path_type=Path),
    help="Records of an earlier run, or another configuration.",
)
def command(*, files: tuple[Path, ...], config: Path | None, form: str | None, before: Path | None) -> None:
    """Replays, tells what was found, and what differs from an earlier run."""
    tell = _json if form == "json" else _Pages(console())
    with plainly():
        relax()
        known = _known(files, before) if before else None
        summary = _run(files, files_of(config) if config else (BUILT_IN,), tell)
    if form != "json":
        show(summary, console())
    if summary.is_vain:
        raise Wrong("no line of these files could be taken: expected events, or records of oversight.causes")
    if known is not None:
        now = [paged(page) for page in summary.pages]
        difference = compare(known, now)
        if not difference:
            console(sys.stderr).print(f"[fine]no page differs[/] ({len(now):,} of each)")
            return
        tell_difference(difference, loads(known, now), console(sys.stderr))
        raise Exit(1)


def _known(files: Sequence[Path], before: Path) -> Sequence[Paged]:
    """The pages to compare with: recorded ones, or those of another configuration over the same files."""
    if not (before.is_dir() or before.suffix in CONFIG_SUFFIXES):
        return earlier(before)
    if STDIN in files:
        raise Wrong("standard input can be read once only: to compare configurations give files")
    return [paged(page) for page in _run(files, files_of(before), lambda _: None).pages]


def _run(
    files: Sequence[Path], configuration: Sequence[ConfigFile], tell: Callable[[Word], object]
) -> Summary:
    summary, turns = Summary(), Turns()
    with meter("replaying", size(files)) as bar:
        now_s = WallClock().now().timestamp()
        for step, told in replay_any(lines(files, bar.advance), configuration, now_s):
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
