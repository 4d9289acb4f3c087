"""`oversight report`: how much paging asked of people, and what could be quieter."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from routing.configuration import load
from routing.fatigue import Fatigue, Ledger, shares
from schemas.incident import Incident
from schemas.page import Notice, Page
from schemas.signal import Signal
from streams.cli.console import Wrong, console, emit, meter, table
from streams.cli.figures import show_malformed
from streams.cli.options import FILES, RULES, as_json
from streams.cli.rules import files_of, plainly
from streams.collector import relax
from streams.demonstration.summary import Summary
from streams.files import lines, size
from streams.records import DeadLetter
from streams.replay import BUILT_IN, replay_any

HELP = """Tells how many pages each person got, in a shift and out of hours, how soon they were taken, what
paged most, how much of it was a false alarm, and what could be quieter.

FILES are records of `oversight.causes` (one JSON record a line): then acknowledgements and verdicts count,
too. Or they are events, as `oversight replay` takes them: then it says what rules would have asked of people.

\b
Examples:
  oversight report causes.jsonl.gz --config oversight.yml
  oversight report events.jsonl --config changed.yml --json
"""
BAR = 24


@click.command(
    "report", help=HELP, short_help="How much did paging ask of people, and what could be quieter?"
)
@FILES
@RULES
@as_json(help="The report as one JSON object.")
def command(*, files: tuple[Path, ...], config: Path | None, form: str | None) -> None:
    """Prints the report."""
    with plainly():
        relax()
        report, read = _report(files, config)
    if form == "json":
        emit([report])
    else:
        _show(report, console())
    show_malformed(read, console(sys.stderr))
    if read.is_vain:
        raise Wrong("no line of these files could be taken: expected events, or records of oversight.causes")


def _report(files: tuple[Path, ...], config: Path | None) -> tuple[Fatigue, Summary]:
    """The report, and what was read for it."""
    rules = files_of(config) if config else (BUILT_IN,)
    ledger, read = Ledger(load(rules)), Summary()
    with meter("reading", size(files)) as bar:
        for step, told in replay_any(lines(files, bar.advance), rules):
            read.step(step)
            for word in told:
                if isinstance(word, DeadLetter):
                    read.tell(word)
                elif isinstance(word, Incident):
                    ledger.incident(word)
                elif isinstance(word, Page) and not isinstance(word, Notice):
                    ledger.page(word)
                elif isinstance(word, Signal):
                    ledger.signal(word)
            bar.count()
    return ledger.report(), read


def _show(report: Fatigue, look: Console) -> None:
    if report.drilled.drills:
        drills, pages = report.drilled.drills, report.drilled.pages
        look.print(f"[quiet]not counted: {pages:,} pages of {drills:,} fire drills[/]")
    if not report.loads:
        look.print("[fine]nobody was paged[/]")
        return
    people = table("pages to", "#pages", "#out of hours", "#in the worst shift", "#taken", "#within (median)")
    for each in report.loads:
        within = each.acknowledged_within_s
        counts = (each.pages, each.out_of_hours, each.worst_shift, each.acknowledged)
        taken = "" if within is None else f"{within / 60:.1f} min"
        people.add_row(f"[person]{escape(each.to)}[/]", *(f"{count:,}" for count in counts), taken)
    look.print(people)
    look.print()
    share = shares(report.noises)
    noisy = table("what paged", "#pages", "", "#incidents", "#false alarms", "#useful", "#over by themselves")
    for noise in report.noises:
        bar = "█" * round(BAR * share[noise.finding])
        counts = (noise.incidents, noise.false_alarms, noise.useful, noise.brief)
        row = (f"{noise.pages:,}", f"[info]{bar}[/]", *(f"{count:,}" for count in counts))
        noisy.add_row(escape(noise.finding), *row)
    look.print(noisy)
    if report.false_alarm_share is not None:
        look.print(
            f"\n{report.false_alarm_share:.0%} of the incidents that somebody judged were false alarms"
        )
    for suggestion in report.suggestions:
        look.print(f"[warning]→[/] {escape(suggestion)}", soft_wrap=True)
