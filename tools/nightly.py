"""Runs the long forms of everything, one part after the other, and ends with a table of what came out.

    make nightly                               all parts
    make nightly PARTS="nights differential"   these alone; `rollout` means all that begin with `rollout-`
    make nightly PARTS=list                    which there are, and how long each takes

A part that fails, or hangs, stops no other. What each one prints is kept in build/nightly/PART.txt.
Exit code 0 when all went well, 1 when any failed, 2 for a part that there is none of, 130 when interrupted.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tools.night_parts import PARTS, ROOT, Part
from tools.night_runs import Heard, Outcome, run

KEPT = ROOT / "build" / "nightly"
SHOWN = 25
"""Last lines of a part that failed, shown at once."""
COLOURS = {"passed": "green", "measured": "cyan", "failed": "red", "stopped": "yellow"}
MINUTE_S, HOUR_S = 60, 3600
INTERRUPTED = 130
Runner = Callable[[Part, Path, Heard], Outcome]


def run_all(parts: Sequence[Part], folder: Path, console: Console, runner: Runner) -> list[Outcome]:
    """Runs parts in order; ends early when somebody stops one."""
    outcomes: list[Outcome] = []
    for at, part in enumerate(parts, start=1):
        head = f"[{at}/{len(parts)}] {part.name}: {part.says} (about {span(part.about)})"
        console.print(head, style="bold", markup=False, highlight=False)
        outcome = watched(part, folder, console, runner)
        outcomes.append(outcome)
        tell(outcome, console)
        if outcome.word == "stopped":
            break
    return outcomes


def watched(part: Part, folder: Path, console: Console, runner: Runner) -> Outcome:
    """Runs a part under a line with its time and its last words; where nobody looks, without."""
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        return runner(part, folder, lambda line: progress.update(task, description=line[:100]))


def tell(outcome: Outcome, console: Console) -> None:
    """How a part ended; of one that failed also its last lines."""
    if outcome.word == "failed":
        last = outcome.figures.read_text(encoding="utf-8").splitlines()[-SHOWN:]
        console.print("\n".join(f"    {line}" for line in last), markup=False, highlight=False)
    told = f"  {coloured(outcome.word)} in {span(outcome.took)}  {escape(outcome.closing)}"
    console.print(told, highlight=False)


def summary(outcomes: Sequence[Outcome]) -> Table:
    """The table at the end."""
    table = Table("part", "", title="make nightly")
    table.add_column("took", justify="right")
    table.add_column("last line", overflow="ellipsis", no_wrap=True, max_width=60)
    table.add_column("figures")
    for each in outcomes:
        figures = each.figures.relative_to(ROOT) if each.figures.is_relative_to(ROOT) else each.figures
        row = (coloured(each.word), span(each.took), escape(each.closing), escape(str(figures)))
        table.add_row(each.part.name, *row)
    return table


def listing(parts: Sequence[Part]) -> Table:
    """What there is."""
    table = Table("part", "what", title="parts of make nightly")
    table.add_column("about", justify="right")
    for part in parts:
        table.add_row(part.name, part.says, span(part.about))
    table.add_section()
    table.add_row("", "all", span(sum((part.about for part in parts), timedelta())))
    return table


def chosen(asked: Sequence[str], parts: Sequence[Part]) -> list[Part]:
    """Parts by name, or by what their names begin with, in their own order; all when none is asked for.

    Raises ValueError for a name that there is no part of.
    """
    names = [part.name for part in parts]
    for name in asked:
        if not any(means(name, each) for each in names):
            near = difflib.get_close_matches(name, names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"no part {name!r}{hint}; there are {', '.join(names)}")
    return [part for part in parts if not asked or any(means(name, part.name) for name in asked)]


def means(asked: str, name: str) -> bool:
    """Whether a part of this name is asked for."""
    return name == asked or name.startswith(f"{asked}-")


def coloured(word: str) -> str:
    """In the colour of what it means."""
    return f"[{COLOURS[word]}]{word}[/]"


def span(time: timedelta) -> str:
    """A length of time, in two units at most."""
    seconds = round(time.total_seconds())
    if seconds >= HOUR_S:
        return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S:02} min"
    minutes, rest = divmod(seconds, MINUTE_S)
    return " ".join(f"{count} {unit}" for count, unit in ((minutes, "min"), (rest, "s")) if count) or "0 s"


def main(asked: Sequence[str], parts: Sequence[Part], console: Console, runner: Runner = run) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(
        prog="nightly", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--list", action="store_true", help="which parts there are")
    parser.add_argument("--into", type=Path, default=KEPT, help="where what they print is kept")
    given = parser.parse_args(asked)
    if given.list or given.parts == ["list"]:
        console.print(listing(parts))
        return 0
    try:
        wanted = chosen(given.parts, parts)
    except ValueError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 2
    return concluded(wanted, run_all(wanted, given.into, console, runner), console)


def concluded(wanted: Sequence[Part], outcomes: Sequence[Outcome], console: Console) -> int:
    """Shows the table, and how to go on where something is left; the exit code."""
    console.print(summary(outcomes))
    good = {each.part.name for each in outcomes if each.word == each.part.good}
    left = [part.name for part in wanted if part.name not in good]
    if not left:
        return 0
    again = f'What is left: make nightly PARTS="{" ".join(left)}"'
    console.print(again, markup=False, highlight=False, soft_wrap=True)
    return INTERRUPTED if any(each.word == "stopped" for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], PARTS, Console(width=None if sys.stdout.isatty() else 150)))
