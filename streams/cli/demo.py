"""`oversight demo`: everything at once, on a machine that has nothing else."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Self

import click
from click.exceptions import Exit
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from routing.content import built_in
from routing.notifiers.terminal import panel
from schemas.page import Message, Page
from streams.cli.console import Wrong, console, hush, table
from streams.cli.figures import show
from streams.demonstration.demo import Failed, perform
from streams.demonstration.fleet import Fleet, Scripted
from streams.demonstration.scenario import ACTS, DEMO, END, Verdict, judge
from streams.demonstration.summary import Summary
from streams.embedded import NoBroker

HELP = """Shows the whole at work: an embedded Kafka broker, the production worker, a simulated fleet.

Nearly three days of the life of a dozen agents pass in about a minute. First the worker learns what is
normal; on the third day a model provider goes down, a release makes an agent six times dearer, and strangers'
questions reach another. The pages appear as the people on call would get them. Nothing leaves this machine.

\b
Examples:
  oversight demo
  oversight demo | less -R

Exit codes: 0 every scripted incident was found, 1 one was missed or the worker failed, 2 there is no embedded
broker for this platform.
"""


@click.command("demo", help=HELP, short_help="See it work: broker, worker and a fleet with incidents.")
def command() -> None:
    """Runs the demo and judges it."""
    for library in ("aiokafka", "kafka"):
        hush(library)
    look = console()
    _introduce(DEMO, look)
    try:
        summary = asyncio.run(_perform(DEMO, look))
    except NoBroker as error:
        raise Wrong(str(error)) from error
    except Failed as error:
        raise click.ClickException(str(error)) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        look.print("\n[quiet]stopped; broker and worker are gone[/]")
        raise Exit(1) from None
    verdict = judge(summary.pages)
    show(summary, look)
    judged(verdict, look)
    if verdict.missed:
        raise Exit(1)


async def _perform(fleet: Fleet, look: Console) -> Summary:
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # where there are no signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Screen(fleet, look) as screen:
        return await perform(fleet, ACTS, screen)


class Screen:
    """The demo's audience: a person at a terminal."""

    def __init__(self, fleet: Fleet, look: Console) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:9}"),
            BarColumn(None),
            TextColumn("[time]{task.fields[at]}[/]"),
            TextColumn("[quiet]{task.fields[more]}[/]"),
        )
        self._look = look
        self._progress = Progress(*columns, console=look, transient=True, disable=not look.is_terminal)
        self._start = fleet.start
        length_s = (fleet.end - fleet.start).total_seconds()
        self._lanes = [
            self._progress.add_task(name, total=length_s, at="", more="") for name in ("published", "watched")
        ]
        self._coming = sorted(fleet.scripted, key=lambda each: each.start)

    def __enter__(self) -> Self:
        """Shows the bars."""
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *failure: object) -> None:
        """Takes the bars away, and tells what of the script brought no page about."""
        self._progress.stop()
        if kind is None:
            self._announce(END)

    def hears(self, announcement: str) -> None:
        """Prints it."""
        self._look.print(f"[fine]✓[/] {escape(announcement)}")

    def sees_published(self, at: datetime, events: int) -> None:
        """Moves the first bar, and says what the script has in store."""
        self._announce(at)
        self._move(self._lanes[0], at, f"{events:,} events")

    def sees_watched(self, at: datetime) -> None:
        """Moves the second bar."""
        self._move(self._lanes[1], at, "by the worker")

    def sees_message(self, message: Message) -> None:
        """Prints a page whole, an update in one line."""
        self._announce(message.time)
        if isinstance(message, Page):
            self._look.print(panel(message, built_in(message)), soft_wrap=True)
            self._look.print()
        else:
            self._look.print(
                f"  [quiet]↳ {message.reason} for {escape(message.to)}:[/] {escape(message.summary)}",
                soft_wrap=True,
            )

    def _announce(self, at: datetime) -> None:
        """Says what the script has in store, when its time has come."""
        while self._coming and self._coming[0].start <= at:
            each = self._coming.pop(0)
            self._look.rule(f"[heading]{each.start:%a %H:%M} script:[/] {escape(each.story)}", align="left")

    def _move(self, lane: TaskID, at: datetime, more: str) -> None:
        done_s = (at - self._start).total_seconds()
        self._progress.update(lane, completed=done_s, at=f"{at:%a %H:%M}", more=more)


def _introduce(fleet: Fleet, look: Console) -> None:
    teams = len({profile.team for profile in fleet.profiles})
    days = (fleet.end - fleet.start) / timedelta(days=1)
    look.rule("[heading]agent-oversight[/]")
    look.print(
        f"{len(fleet.profiles)} agents of {teams} teams, {days:.1f} days, {len(fleet.scripted)} scripted "
        "incidents; nothing about them is known beforehand."
    )


def judged(verdict: Verdict, look: Console) -> None:
    """Prints which incidents were found, after how long, and which pages were false."""
    look.print()
    made = table("scripted incident", "began", "first page", "#after", "to", "severity", title="found?")
    for found in verdict.found:
        made.add_row(*_row(found.scripted, found.page))
    look.print(made)
    look.print(f"\n{_mark(verdict.false)} false pages: {len(verdict.false)}")
    for page in verdict.false:
        look.print(
            f"  [time]{page.time:%a %H:%M}[/] {page.severity} {escape(page.to)} {escape(page.summary)}"
        )
    count, missed = len(verdict.found), len(verdict.missed)
    look.print(f"{_mark(verdict.missed)} scripted incidents found: {count - missed} of {count}")


def _row(scripted: Scripted, page: Page | None) -> Sequence[str]:
    began = f"{scripted.start:%a %H:%M}"
    name = scripted.kind.replace("_", " ")
    if page is None:
        return name, began, "[error]missed[/]", "", "", ""
    after = (page.time - scripted.start).total_seconds()
    minutes = f"{int(after // 60)} min {int(after % 60):02} s"
    severity = f"[{page.severity}]{page.severity}[/]"
    return name, began, f"{page.time:%a %H:%M:%S}", minutes, f"[person]{escape(page.to)}[/]", severity


def _mark(bad: Sequence[object]) -> str:
    return "[error]✗[/]" if bad else "[fine]✓[/]"
