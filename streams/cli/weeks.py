"""Schedules as a calendar for the terminal: a week a row, a colour a person, gaps in red."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from operator import itemgetter

from rich.console import Console
from rich.text import Text

from routing.oncall.walltime import instant, wall
from routing.schedule import Gap, Schedule, Shift

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEK = 7
SLOTS = (24, 12, 8, 6, 4)
"""Cells a day, the most that fit; each divides the day into whole hours."""
MARGIN = 8
FEW_GAPS = 7
LINE, GAP, NOTHING = "─", "!", " "
COLOURS = ("blue", "green", "magenta", "cyan", "yellow", "bright_blue", "bright_green", "bright_magenta")
NOBODY = "bold white on red"
Cell = str | None
"""Who is on call in a slot: names, an empty text for a gap, or None outside of what was asked for."""


def show_weeks(schedule: Schedule, start: datetime, end: datetime, look: Console) -> None:
    """Prints the weeks that touch [start, end), and below them who has how many hours."""
    shifts, gaps = schedule.shifts(start, end), schedule.uncovered(start, end)
    styles = _styles(shifts)
    cells = next(each for each in SLOTS if WEEK * (each + 1) + MARGIN <= look.width or each == SLOTS[-1])
    look.print(f"[heading]{schedule.name}[/] ({schedule.place})")
    for monday in _mondays(schedule, start, end):
        look.print(_dates(monday, cells))
        look.print(_bar(_slots(schedule, monday, cells, start, end), styles))
    look.print()
    for line in _legend(schedule, shifts, gaps, styles):
        look.print(line)
    look.print()


def _styles(shifts: Sequence[Shift]) -> Mapping[str, str]:
    names = sorted({shift.user for shift in shifts})
    return {name: f"black on {COLOURS[at % len(COLOURS)]}" for at, name in enumerate(names)}


def _mondays(schedule: Schedule, start: datetime, end: datetime) -> Iterator[date]:
    first, last = (wall(each, schedule.place).date() for each in (start, end - timedelta.resolution))
    monday = first - first.weekday() * DAY
    while monday <= last:
        yield monday
        monday += WEEK * DAY


def _dates(monday: date, cells: int) -> Text:
    days = (monday + number * DAY for number in range(WEEK))
    names = (f"{day:%a %d}" if cells > SLOTS[-1] else f"{day:%d}" for day in days)
    return Text(
        f"{monday:%b %Y}".ljust(MARGIN + 1) + "".join(name.ljust(cells + 1) for name in names), "quiet"
    )


def _slots(
    schedule: Schedule, monday: date, cells: int, start: datetime, end: datetime
) -> Sequence[tuple[int, Cell]]:
    """Day of the week and who, slot by slot. A slot with any uncovered minute is a gap."""
    found: list[tuple[int, Cell]] = []
    for number in range(WEEK):
        midnight = datetime.combine(monday + number * DAY, time())
        edges = [instant(midnight + slot * (DAY // cells), schedule.place) for slot in range(cells + 1)]
        for begin, over in pairwise(edges):
            is_outside = over <= start or begin >= end
            found.append((number, None if is_outside else _who(schedule, max(begin, start), min(over, end))))
    return found


def _who(schedule: Schedule, begin: datetime, over: datetime) -> str:
    """The names in a slot; a slot that a change of clocks leaves empty has whoever it begins with."""
    pieces = list(schedule.pieces(begin, over)) or [(begin, over, schedule.held(begin))]
    held = pieces[0][2] if all(each for *_, each in pieces) else ()
    return "+".join(user for user, _ in held)


def _bar(slots: Sequence[tuple[int, Cell]], styles: Mapping[str, str]) -> Text:
    """One line; days stand apart by a space."""
    bar = Text(" " * MARGIN)
    for _, day in groupby(slots, key=itemgetter(0)):
        bar.append(" ")
        for who, run in groupby(who for _, who in day):
            bar.append(_cell(who, len(list(run))), style=_style(who, styles))
    return bar


def _cell(who: Cell, width: int) -> str:
    if who is None:
        return NOTHING * width
    if not who:
        return "nobody".ljust(width, GAP)[:width] if width > len("nobody") else GAP * width
    return who[:width].ljust(width, LINE)


def _style(who: Cell, styles: Mapping[str, str]) -> str:
    if who is None:
        return ""
    return styles.get(who.split("+")[0], "") if who else NOBODY


def _legend(
    schedule: Schedule, shifts: Sequence[Shift], gaps: Sequence[Gap], styles: Mapping[str, str]
) -> Iterator[Text]:
    for name, style in styles.items():
        hours = sum((shift.end - shift.start for shift in shifts if shift.user == name), timedelta()) / HOUR
        yield Text.assemble((f" {name} ", style), f" {hours:g} h")
    for gap in gaps[:FEW_GAPS]:
        begin, over = (
            f"{each.astimezone(schedule.place):%a %Y-%m-%d %H:%M}" for each in (gap.start, gap.end)
        )
        yield Text.assemble((" nobody ", NOBODY), f" {begin} to {over}, {(gap.end - gap.start) / HOUR:g} h")
    if len(gaps) > FEW_GAPS:
        yield Text(f" and {len(gaps) - FEW_GAPS} more such times", "quiet")
