"""The look of the command line: colours, tables, progress, and what a wrong input looks like."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

THEME = Theme(
    {
        "critical": "bold white on red",
        "error": "bold red",
        "warning": "yellow",
        "info": "cyan",
        "fine": "green",
        "quiet": "dim",
        "person": "bold magenta",
        "time": "dim cyan",
        "heading": "bold",
    }
)
PIPED_COLUMNS = 140
"""Width where the output is no terminal: tables are not squeezed then."""


class Wrong(click.ClickException):
    """Wrong usage or input: one clear sentence, exit code 2."""

    exit_code = 2


def console(stream: IO[str] | None = None) -> Console:
    """A console on standard output, or on another stream."""
    where = sys.stdout if stream is None else stream
    width = None if where.isatty() else PIPED_COLUMNS
    return Console(file=where, theme=THEME, width=width, highlight=False, soft_wrap=False)


def table(*columns: str, title: str = "") -> Table:
    """A table in the house's look; numbers are right-aligned where the column's name begins with `#`."""
    made = Table(title=title or None, title_justify="left", title_style="heading", box=None, pad_edge=False)
    for name in columns:
        made.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left")
    return made


def emit(records: Iterable[object]) -> None:
    """One JSON record a line on standard output; each is complete as soon as it is there."""
    for record in records:
        click.echo(msgspec.json.encode(record))


class Rate(ProgressColumn):
    """How many a second, of what the task's field `count` counts."""

    def render(self, task: Task) -> Text:
        """As `12,345/s`."""
        elapsed_s = task.finished_time or task.elapsed
        count = task.fields.get("count", 0)
        return Text(f"{count / elapsed_s:,.0f}/s" if elapsed_s and count else "", style="quiet")


class Meter:
    """A progress bar: `advance` by bytes (or whatever the total counts), `count` what the rate is about."""

    def __init__(self, progress: Progress, label: str, total: float | None) -> None:
        self._progress = progress
        self._count = 0
        self._task = progress.add_task(label, total=total or None, count=0)

    def advance(self, amount: float) -> None:
        """So much more of the total is done."""
        self._progress.update(self._task, advance=amount, count=self._count)

    def reach(self, done: int, total: int) -> None:
        """So much is done, of a total that may have become known only now."""
        self._count = done
        self._progress.update(self._task, completed=done, total=total or None, count=done)

    def count(self) -> None:
        """One more was done, of what the rate is about."""
        self._count += 1


@contextmanager
def meter(label: str, total: float | None) -> Iterator[Meter]:
    """A progress bar on standard error, and only where that is a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    look = console(sys.stderr)
    with Progress(*columns, console=look, transient=True, disable=not look.is_terminal) as progress:
        yield Meter(progress, label, total)


def hush(library: str) -> None:
    """Keeps a library's log off the terminal: what a person must know, the commands say themselves."""
    log = logging.getLogger(library)
    log.addHandler(logging.NullHandler())
    log.propagate = False
