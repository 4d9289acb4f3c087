"""`oversight route --explain`: the way through the tree, the score, what mutes, who is told when, limits."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.markup import escape
from rich.tree import Tree

from routing.oncall.walltime import zone
from routing.policy import Policy
from routing.rules.explaining import Explained
from routing.rules.foreseen import Foreseen
from routing.rules.walking import Walked
from routing.words.wording import duration
from streams.cli.console import console, table

VERDICTS = {
    "takes it": "[fine]✓ takes it[/]",
    "leads on": "[fine]↓ leads on[/]",
    "does not match": "[quiet]✗ does not match[/]",
    "is not asked": "[quiet]· is not asked: a route above took it and does not continue[/]",
}


def print_whole(whole: Explained, policy: Policy) -> None:
    """Prints every step of the way."""
    look = console()
    look.print("\n[heading]the way through the tree[/]")
    look.print(_tree(whole.tree, None))
    look.print("\n[heading]the score[/]")
    for part in whole.answer.parts:
        look.print(f"  {part.points:+4d}  {escape(part.why)}", soft_wrap=True)
    if whole.answer.parts:
        look.print(f"  {whole.answer.score:4d}  {whole.answer.scored}")
    else:
        look.print("  [quiet]only findings (a label set with `detector`) are scored[/]")
    for name, lines, nothing in (
        ("hours", whole.hours, "no route that takes it has time intervals"),
        ("silences", whole.silences, "no planned silence matches it"),
        ("inhibition", whole.inhibition, "no rule has it as a target"),
    ):
        _print_lines(name, lines, nothing)
    _print_foreseen(whole, policy)
    _print_lines("limits", whole.limits, "nobody is paged")


def _print_lines(name: str, lines: Sequence[str], nothing: str) -> None:
    look = console()
    look.print(f"\n[heading]{name}[/]")
    for line in lines or (f"[quiet]{nothing}[/]",):
        look.print(f"  {escape(line) if lines else line}", soft_wrap=True)


def _tree(walked: Walked, above: Tree | None) -> Tree:
    label = f"{VERDICTS[walked.verdict]}  [heading]{escape(walked.receiver)}[/]"
    if walked.continues:
        label += " [quiet](continues)[/]"
    node = Tree(label, guide_style="quiet") if above is None else above.add(label)
    for each in walked.conditions:
        found = f'"{each.found}"' if each.found else "absent"
        sign = "[fine]✓[/]" if each.matches else "[error]✗[/]"
        node.add(f"{sign} {escape(each.matcher)} [quiet]found {escape(found)}[/]")
    for below in walked.routes:
        _tree(below, node)
    return node


def _print_foreseen(whole: Explained, policy: Policy) -> None:
    look = console()
    muted = " [warning](it is muted now: from the end of that on)[/]" if not whole.answer.told else ""
    look.print(f"\n[heading]who is told, while nobody answers[/]{muted}")
    made = table("#after", "when", "receiver", "step", "to", "over", "")
    for after, each in _after(whole.foreseen):
        step = f"{each.escalation} {each.step}" if each.step else ""
        made.add_row(
            after,
            _when(each, policy),
            escape(each.receiver),
            escape(step),
            f"[person]{escape(each.to)}[/]" if each.to else "[warning]nobody[/]",
            escape(", then ".join(each.channels)),
            f"[quiet]{escape(each.note)}[/]",
        )
    look.print(made)


def _after(found: Sequence[Foreseen]) -> Iterator[tuple[str, Foreseen]]:
    for each in found:
        passed = each.at - found[0].at
        yield duration(passed) if passed > timedelta(0) else "at once", each


def _when(each: Foreseen, policy: Policy) -> str:
    """In UTC, and of a person on their own clocks."""
    user = policy.users.get(each.to)
    said = f"{each.at:%a %H:%M} UTC"
    if user is None or user.timezone == "UTC":
        return said
    return f"{said} [quiet]({each.at.astimezone(zone(user.timezone)):%H:%M} {user.timezone})[/]"
