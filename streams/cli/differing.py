"""What differs between two runs, in the terminal: the pages, and what it means for each person."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from streams.cli.console import table
from streams.comparison import Difference, Load, Paged


def tell_difference(difference: Difference, loads: Sequence[Load], look: Console) -> None:
    """One line a page (`-` gone, `+` new, `~` moved), in order of time, their numbers, a table of people."""
    lines = [
        *((page.time, "-", "error", _page(page)) for page in difference.gone),
        *((page.time, "+", "fine", _page(page)) for page in difference.new),
        *((page.time, "~", "warning", _moved(page, to)) for page, to in difference.moved),
    ]
    for time, sign, style, text in sorted(lines):
        look.print(f"[{style}]{sign}[/] [time]{_clock(time)}[/] {text}", soft_wrap=True)
    counts = (len(difference.gone), len(difference.new), len(difference.moved))
    look.print("\n[error]{:,} gone[/], [fine]{:,} new[/], [warning]{:,} moved[/]".format(*counts))
    people = table(
        "pages to", "#before", "#now", "#most in an hour before", "#now", title="What it means for people"
    )
    for each in loads:
        style = "error" if each.now > each.before else "fine" if each.now < each.before else ""
        now = f"[{style}]{each.now:,}[/]" if style else f"{each.now:,}"
        people.add_row(
            escape(each.to), f"{each.before:,}", now, f"{each.hour_before:,}", f"{each.hour_now:,}"
        )
    look.print()
    look.print(people)


def _page(page: Paged) -> str:
    return f"{page.severity} [person]{escape(page.to)}[/] {escape(page.summary)}"


def _moved(page: Paged, to: Paged) -> str:
    """What changed of it alone."""
    severity = page.severity if page.severity == to.severity else f"{page.severity} → {to.severity}"
    who = page.to if page.to == to.to else f"{page.to} → {to.to}"
    if page.channel != to.channel:
        who += f" ({page.channel} → {to.channel})"
    when = "" if page.time == to.time else f" [time](now at {_clock(to.time)})[/]"
    return f"{severity} [person]{escape(who)}[/] {escape(page.summary)}{when}"


def _clock(time: str) -> str:
    """As the list of pages tells it."""
    return f"{datetime.fromisoformat(time):%m-%d %H:%M:%S}"
