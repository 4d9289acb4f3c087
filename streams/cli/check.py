"""`oversight check`: is a configuration right, before anybody trusts it?"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from click.exceptions import Exit
from msgspec import Struct, structs
from rich.markup import escape

from detectors.registry import discover
from detectors.settings import Settings
from routing.checking import Report, check
from routing.rules.faults import Fault
from schemas.cause import ConfigFile
from streams.calendars import configuration
from streams.cli.console import Wrong, console, emit
from streams.cli.options import CONFIG, as_json
from streams.cli.rules import INSTANT
from streams.delivering.long_tail import REMEDY, is_absent, is_needed
from streams.delivering.secrets import unset
from streams.files import Unreadable
from streams.hosting.clock import WallClock
from streams.hosting.following import too_large, unfollowed
from streams.hosting.settings import read_settings

HELP = """Checks a configuration (a file, or a directory of them) and runs its own `tests:`.

Each fault is one line, `file:line:column: message`, so that editors can jump to it. Warnings do not fail:
variables of the environment (`env:NAME`) that are not set here, matchers that are read in two ways, receivers
that tell nobody, what can never match or is over. What is only kept for Alertmanager is told, too. A running
worker makes the same check before it follows a change.

\b
Examples:
  oversight check oversight.yml
  oversight check conf.d/
  oversight check oversight.yml --json
  oversight check oversight.yml --at 2026-12-24T09:00:00Z
  oversight check oversight.yml --detectors

Exit codes: 0 it holds, 1 it has faults or a test fails, 2 it cannot be read.
"""


class Place(Struct, frozen=True):
    """A fault or a warning, for machines."""

    level: str
    file: str
    line: int
    column: int
    message: str


@click.command("check", help=HELP, short_help="Check a configuration and run its own tests.")
@CONFIG
@click.option(
    "--at", type=INSTANT, help="As of this time: who is on call, what is over; now, if nothing is said."
)
@as_json(help="Faults and warnings, one JSON object a line.")
@click.option(
    "--detectors",
    "also",
    flag_value="detectors",
    help="Also which detectors are on, how seldom each errs, and what it must have seen before it speaks.",
)
def command(*, config: Path, at: datetime | None, form: str | None, also: str | None) -> None:
    """Prints faults and warnings."""
    try:
        files = configuration(config, os.environ).files
        report = _checked(files, at or WallClock().now())
    except Unreadable as error:
        raise Wrong(str(error)) from error
    warnings = [*report.warnings, *unset(report.variables, os.environ)]
    if report.policy and is_needed(report.policy) and is_absent():
        warnings.append(Fault(str(config), 0, 0, REMEDY))
    if form == "json":
        emit([*_places("error", report.failed), *_places("warning", warnings)])
    else:
        _print(report, warnings)
    if report.failed:
        raise Exit(1)
    if also is not None and form != "json":
        _detectors(read_settings(files))


def _checked(files: Sequence[ConfigFile], at: datetime) -> Report:
    """With what no detector could follow among the faults."""
    report = check(files, at)
    report = structs.replace(report, faults=(*report.faults, *too_large(files)))
    if report.policy is None or report.root is None:
        return report
    return structs.replace(report, faults=(*report.faults, *unfollowed(report.policy, report.root)))


def _places(level: str, faults: Sequence[Fault]) -> Sequence[Place]:
    return [Place(level, each.file, each.line, each.column, each.message) for each in faults]


def _print(report: Report, warnings: Sequence[Fault]) -> None:
    look = console()
    for fault in report.failed:
        look.print(f"[error]{escape(str(fault))}[/]", soft_wrap=True)
    for warning in warnings:
        look.print(f"[warning]{escape(str(warning))}[/] (warning)", soft_wrap=True)
    for part in report.not_yet:
        look.print(f"[quiet]not acted on yet: {escape(str(part))}[/]", soft_wrap=True)
    for part in report.left_out:
        look.print(f"[quiet]{escape(str(part))}[/]", soft_wrap=True)
    if report.failed:
        count = len(report.failed)
        look.print(f"[error]✗[/] {count} fault{'s' if count > 1 else ''}")
    else:
        tests = len(report.tests)
        look.print(f"[fine]✓[/] it holds; {tests} test{'' if tests == 1 else 's'} of its own passed")


def _detectors(settings: Settings) -> None:
    """Which are on, each with its warm-up: until then it is silent, and that is no good sign.

    And how often a quiet agent may be told of falsely, in expectation.
    """
    look = console()
    for name, kind in discover().items():
        if settings.on(name):
            budget = f"one false finding in {kind.quiet_arl_days:,.0f} days at most"
            look.print(f"[fine]on[/]  {name}; {budget}; warm-up: {escape(kind.warm_up)}", soft_wrap=True)
        else:
            look.print(f"[quiet]off {name}[/]", soft_wrap=True)
