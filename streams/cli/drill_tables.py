"""What `oversight drill` shows: the scenarios, and what became of a drill."""

from msgspec import Struct
from rich.markup import escape

from detectors.registry import discover as detectors
from streams.cli.console import console, emit, table
from streams.drilling.progress import Result
from streams.drilling.scenarios import IMPOSSIBLE, SCENARIOS
from streams.drilling.stages import span


class Row(Struct, frozen=True):
    """A scenario, for machines."""

    name: str
    detector: str
    what: str
    lasts_s: float
    needs: str


def listed(form: str | None) -> None:
    """The scenarios, and what cannot be drilled."""
    kinds = detectors()
    rows = [
        Row(each.name, each.detector, each.what, each.lasts.total_seconds(), kinds[each.detector].warm_up)
        for each in SCENARIOS.values()
    ]
    if form == "json":
        emit(rows)
        return
    look = console()
    shown = table("scenario", "exercises", "what happens", "#takes up to", "its agent needs")
    for row in rows:
        shown.add_row(row.name, row.detector, row.what, span(row.lasts_s), row.needs)
    look.print(shown)
    for name, why in IMPOSSIBLE.items():
        look.print(f"\n[quiet]{name}: {why}[/]", soft_wrap=True)


def show(result: Result) -> None:
    """Stage by stage, who was paged, and where it broke."""
    look = console()
    look.print(f"[heading]DRILL {escape(result.drill)}[/] of {escape(result.agent)}\n")
    stages = table("stage", "#after", "")
    for each in result.stages:
        after = "[quiet]—[/]" if each.after_s is None else span(each.after_s)
        stages.add_row(each.stage, after, escape(each.what))
    look.print(stages)
    if result.paged:
        people = table("to", "channel", "#after", "severity", "why", "outcome")
        for page in result.paged:
            to = f"instead of {page.instead}" if page.instead else page.to
            row = (
                escape(page.channel),
                span(page.after_s),
                f"[{page.severity}]{page.severity}[/]",
                page.reason,
            )
            people.add_row(f"[person]{escape(to)}[/]", *row, escape(page.outcome))
        look.print()
        look.print(people)
    if result.broke_at:
        remedy = escape(result.remedy)
        look.print(
            f"\n[error]✗[/] it broke at the stage [heading]{result.broke_at}[/]: {remedy}", soft_wrap=True
        )
    else:
        look.print("\n[fine]✓[/] it passed")
