"""`oversight oncall`: who is on call, at an instant or over a time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from routing.oncall.calendar_text import written
from routing.policy import Policy
from routing.schedule import Gap, Schedule, Shift, schedules_in
from streams.cli.console import Wrong, console, emit, table
from streams.cli.options import CONFIG, as_json
from streams.cli.rules import INSTANT, policy_of
from streams.cli.weeks import show_weeks
from streams.hosting.clock import WallClock

HELP = """Tells who is on call: at one instant, or shift by shift.

TIME is RFC 3339 (`2026-03-30T08:00:00Z`, `2026-03-30T09:00+01:00`) or a date; without an offset it is UTC.
Without a SCHEDULE all of them are shown; without a time it is now. Tables show the schedule's own wall clock,
`--json` gives UTC. `--calendar` shows weeks as rows and people as colours, from now on if no time is said;
where nobody is on call it is red.

\b
Examples:
  oversight oncall oversight.yml
  oversight oncall oversight.yml payments --at 2026-12-24T23:00+01:00
  oversight oncall conf.d/ payments --from 2026-12-01 --to 2027-01-01
  oversight oncall oversight.yml payments --from 2026-12-01 --to 2027-01-01 --json
  oversight oncall oversight.yml payments --calendar
  oversight oncall oversight.yml payments --from 2026-12-01 --to 2027-03-01 --ical > payments.ics
"""
SPAN = timedelta(days=28)
REACH = timedelta(days=100)
"""How far around an instant its shift's edges are looked for."""


LONGEST = timedelta(days=3660)
"""Of a time to be shown: shifts are counted one by one."""


class Row(Struct, frozen=True):
    """One shift: [start, end) in UTC."""

    user: str
    start: datetime
    end: datetime
    layer: str
    schedule: str


@click.command("oncall", help=HELP, short_help="Who is on call, now or then.")
@CONFIG
@click.argument("schedule", required=False)
@click.option("--at", type=INSTANT, help="An instant; now, if nothing is said.")
@click.option("--from", "start", type=INSTANT, help="The beginning of a time.")
@click.option("--to", "end", type=INSTANT, help="Its end, not included; 28 days later, if nothing is said.")
@as_json(help="The shifts as one JSON list.")
@click.option("--ical", "form", flag_value="ical", help="The shifts as an iCalendar to subscribe to.")
@click.option("--calendar", "form", flag_value="calendar", help="Weeks as rows, people as colours.")
def command(
    *,
    config: Path,
    schedule: str | None,
    at: datetime | None,
    start: datetime | None,
    end: datetime | None,
    form: str | None,
) -> None:
    """Prints who is on call."""
    if at and (start or end):
        raise click.UsageError("--at is one instant: give it alone, or --from and --to")
    if end and not start:
        raise click.UsageError("--to needs --from")
    if at and form in ("calendar", "ical"):
        raise click.UsageError(f"--{form} shows a time: give --from and --to, or nothing")
    policy, now = policy_of(config), WallClock().now()
    schedules = _chosen(policy, schedule)
    if start is None and form not in ("calendar", "ical"):
        _instant(schedules, at or now, form)
    else:
        begin = start or now.replace(minute=0, second=0, microsecond=0)
        over = end or begin + SPAN
        if not begin < over <= begin + LONGEST:
            raise click.UsageError("--to must be after --from, and at most ten years after it")
        if form == "ical":
            _export(schedules, policy, begin, over)
        else:
            _span(schedules, begin, over, form)


def _export(schedules: Mapping[str, Schedule], policy: Policy, start: datetime, end: datetime) -> None:
    emails = {name: user.contacts["email"] for name, user in policy.users.items() if "email" in user.contacts}
    shifts = [(name, shift) for name, schedule in schedules.items() for shift in schedule.shifts(start, end)]
    click.echo(written(shifts, emails), nl=False)


def _chosen(policy: Policy, name: str | None) -> Mapping[str, Schedule]:
    """The schedules that are asked for; those of other people's making have no shifts."""
    known = schedules_in(policy.schedules)
    if name is None:
        return known
    if name not in known:
        raise Wrong(f"no schedule {name!r}; there are: {', '.join(known) or 'none'}")
    return {name: known[name]}


def _instant(schedules: Mapping[str, Schedule], at: datetime, form: str | None) -> None:
    held = {name: _held(schedule, at) for name, schedule in schedules.items()}
    if form == "json":
        emit([[_row(name, shift) for name, found in held.items() for shift in found]])
        return
    made = table("schedule", "on call", "until", "layer")
    for name, found in held.items():
        for shift in found:
            until = _wall(shift.end, schedules[name])
            made.add_row(escape(name), f"[person]{escape(shift.user)}[/]", until, escape(shift.layer))
        if not found:
            over = schedules[name].next_change(at, at + REACH)
            made.add_row(escape(name), "[error]nobody[/]", _wall(over, schedules[name]) if over else "", "")
    console().print(made)


def _held(schedule: Schedule, at: datetime) -> list[Shift]:
    """The shifts at an instant, with their true edges as far as they are near; of each who is on call."""
    return [shift for shift in schedule.shifts(at - REACH, at + REACH) if shift.start <= at < shift.end]


def _span(schedules: Mapping[str, Schedule], start: datetime, end: datetime, form: str | None) -> None:
    if form == "json":
        emit([[_row(name, each) for name, found in schedules.items() for each in found.shifts(start, end)]])
        return
    look = console()
    for name, schedule in schedules.items():
        if form == "calendar":
            show_weeks(schedule, start, end, look)
        else:
            _print(name, schedule, start, end, look)


def _print(name: str, schedule: Schedule, start: datetime, end: datetime, look: Console) -> None:
    made = table("from", "until", "#hours", "on call", "layer", title=f"{name} ({schedule.place})")
    pieces: list[Shift | Gap] = [*schedule.shifts(start, end), *schedule.uncovered(start, end)]
    for piece in sorted(pieces, key=lambda each: each.start):
        hours = f"{(piece.end - piece.start) / timedelta(hours=1):g}"
        who, layer = (
            ("[error]nobody[/]", "") if isinstance(piece, Gap) else (_who(piece), escape(piece.layer))
        )
        made.add_row(_wall(piece.start, schedule), _wall(piece.end, schedule), hours, who, layer)
    look.print(made)
    look.print()


def _who(shift: Shift) -> str:
    return f"[person]{escape(shift.user)}[/]"


def _row(schedule: str, shift: Shift) -> Row:
    return Row(shift.user, shift.start.astimezone(UTC), shift.end.astimezone(UTC), shift.layer, schedule)


def _wall(instant: datetime, schedule: Schedule) -> str:
    return f"{instant.astimezone(schedule.place):%a %Y-%m-%d %H:%M}"
