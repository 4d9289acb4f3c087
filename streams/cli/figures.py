"""The figures of a run, as tables."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from routing.words.wording import counted
from streams.cli.console import table
from streams.demonstration.summary import HOUR_S, Profile, Summary

BARS = "▁▂▃▄▅▆▇█"
SPANS = 72


def show(summary: Summary, look: Console) -> None:
    """Totals, signals by kind, pages by person, and both over time."""
    look.print()
    look.print(_totals(summary))
    if summary.signals:
        look.print(_counted("signals", summary.signals))
    if summary.pages:
        look.print(_counted("pages to", summary.people()))
    if summary.events:
        _over_time(summary.profile(SPANS), look)
    if summary.ahead:
        look.print(
            f"\n[warning]{summary.ahead:,} events are dated ahead of now[/]: as of the time before them"
        )
    show_malformed(summary, look)


def _totals(summary: Summary) -> Table:
    totals = table(
        "#causes" if summary.causes else "#events",
        "#signals",
        "#incidents",
        "#pages",
        "#people",
        "#advice",
        "#malformed",
    )
    figures = (
        summary.causes or summary.events,
        summary.signals.total(),
        len(summary.incidents),
        len(summary.pages),
        len(summary.people()),
        summary.advice.total(),
        summary.malformed,
    )
    totals.add_row(*(f"{figure:,}" for figure in figures))
    return totals


def _counted(title: str, counts: Mapping[str, int]) -> Table:
    made = table(title, "#")
    for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        made.add_row(escape(name), f"{count:,}")
    return made


def _over_time(profile: Profile, look: Console) -> None:
    since = datetime.fromtimestamp(profile.first * HOUR_S, UTC)
    until = since + timedelta(hours=profile.hours * len(profile.events))
    look.print(
        f"\n[quiet]{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, {profile.hours} h a column[/]"
    )
    look.print(f"events [info]{bars(profile.events)}[/]")
    look.print(f"pages  [error]{bars(profile.pages)}[/]")


def bars(counts: Sequence[int]) -> str:
    """One character a count, its height by share of the highest; nothing is a dot.

    >>> bars([0, 1, 8])
    '·▁█'
    """
    top = max(counts, default=0)
    return "".join(BARS[-(-count * len(BARS) // top) - 1] if count else "·" for count in counts)


def show_malformed(summary: Summary, look: Console) -> None:
    """How many lines could not be taken, and some of them; nothing where all could."""
    if not summary.malformed:
        return
    look.print(
        f"\n[warning]{counted(summary.malformed, 'line')} could not be taken[/] (dead letters), such as"
    )
    for letter in summary.examples:
        look.print(f"  {escape(str(letter.line))}: {escape(letter.reason)}", soft_wrap=True)
