"""`oversight route`: where does a label set lead, who is on call, and why?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.markup import escape

from routing.policy import Policy
from routing.rules.explaining import Answer, Explained, explain, explain_whole
from routing.words.wording import one_line
from schemas.page import Severity
from streams.cli.console import Wrong, console, emit, table
from streams.cli.options import CONFIG, as_json
from streams.cli.route_explained import print_whole
from streams.cli.rules import INSTANT, policy_of
from streams.files import STDIN, Line, lines
from streams.hosting.clock import WallClock

HELP = """Tells which receivers take a label set, whom the first step of the escalation reaches, and why.

A label set with `detector` is a finding: `team` and `severity` are added as the worker would, unless they are
given. Any other is routed as it is. Nothing is sent.

\b
Examples:
  oversight route oversight.yml detector=error_rate finding=sessions agent=refund-agent env=prod
  oversight route oversight.yml severity=critical team=payments --at 2026-12-25T03:00:00Z
  oversight route oversight.yml severity=critical --json
  oversight route oversight.yml detector=latency agent=a --explain --firing 'detector=dependency agent=a'
  cat labelsets.jsonl | oversight route oversight.yml --stdin --json

`--stdin` reads one JSON object of labels a line; with `--json` it answers one line each, in the same order:
`{"receivers": […], "on_call": […], "severity": …}`.
"""

LONGEST = 200
_labels = msgspec.json.Decoder(dict[str, str])


class Led(Struct, frozen=True):
    """Where one label set leads, for machines."""

    receivers: Sequence[str]
    told: Sequence[str]
    on_call: Sequence[str]
    severity: Severity
    score: int
    labels: Mapping[str, str]
    routes: Sequence[str]
    why: Sequence[str]


@click.command("route", help=HELP, short_help="Where does a label set lead, and why?")
@CONFIG
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
@click.option("--at", type=INSTANT, help="At this time; now, if nothing is said.")
@click.option("--stdin", "source", flag_value="stdin", help="Label sets from standard input, one a line.")
@as_json(help="One JSON object a label set.")
@click.option(
    "--explain",
    "depth",
    flag_value="whole",
    help="Also each step of the way, who is told when, and which limits there are.",
)
@click.option(
    "--firing", "beside", multiple=True, metavar="'LABEL=VALUE …'", help="What fires beside it; repeatable."
)
def command(
    *, config: Path, labels: tuple[str, ...], at: datetime | None, source: str | None, form: str | None,
    depth: str | None, beside: tuple[str, ...],
) -> None:  # fmt: skip
    """Prints where label sets lead."""
    if source and labels:
        raise click.UsageError("labels come from standard input or from the command line, not from both")
    policy, now = policy_of(config), at or WallClock().now()
    firing = [_given(each.split()) for each in beside]
    sets = _read(lines([STDIN])) if source else [_given(labels)]
    if depth is not None:
        _explain((explain_whole(policy, each, now, firing) for each in sets), policy, form)
    elif form == "json":
        emit(_led(explain(policy, each, now, firing)) for each in sets)
    else:
        for each in sets:
            _print(explain(policy, each, now, firing), policy)


def _explain(found: Iterable[Explained], policy: Policy, form: str | None) -> None:
    if form == "json":
        emit(found)
        return
    for whole in found:
        _print(whole.answer, policy)
        print_whole(whole, policy)


def _given(labels: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for label in labels:
        name, sign, value = label.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{label!r} is no label: expected name=value")
        if pairs.setdefault(name, value) != value:
            raise click.UsageError(f"label {name!r} is given twice: {pairs[name]!r} and {value!r}")
    return pairs


def _read(sets: Iterable[Line]) -> Iterator[dict[str, str]]:
    for each in sets:
        try:
            yield _labels.decode(each.value)
        except msgspec.DecodeError as error:
            raise Wrong(f"{each}: expected a JSON object of labels: {error}") from error


def _led(answer: Answer) -> Led:
    return Led(**{name: getattr(answer, name) for name in Led.__struct_fields__})


def _print(answer: Answer, policy: Policy) -> None:
    made = table("", "")
    made.show_header = False
    labels = " ".join(f"{name}={one_line(value, LONGEST)}" for name, value in answer.labels.items())
    made.add_row("[heading]labels[/]", escape(labels))
    made.add_row("[heading]severity[/]", _severity(answer))
    made.add_row("[heading]receivers[/]", escape(", ".join(answer.receivers)))
    if answer.told != answer.receivers:
        told = escape(", ".join(answer.told))
        made.add_row("[heading]told now[/]", told or "[warning]nobody: it is muted[/]")
    people = [f"[person]{escape(name)}[/]{_zone(name, policy)}" for name in answer.on_call]
    made.add_row("[heading]on call[/]", ", ".join(people) or "[quiet]nobody[/]")
    for number, why in enumerate(answer.why):
        made.add_row("" if number else "[heading]why[/]", escape(why))
    console().print(made)


def _severity(answer: Answer) -> str:
    """What routes see, and what it comes of: only findings are scored."""
    given = answer.labels.get("severity", "")
    if "detector" not in answer.labels:
        return f"{escape(given)} [quiet]as labelled: no detector's finding[/]" if given else "[quiet]none[/]"
    if answer.severity == answer.scored:
        return f"[{answer.severity}]{answer.severity}[/] (score {answer.score})"
    return f"{escape(given)} [quiet]as labelled; its score, {answer.score}, says {answer.scored}[/]"


def _zone(name: str, policy: Policy) -> str:
    user = policy.users.get(name)
    return f" [quiet]({user.timezone})[/]" if user else ""
