"""iCalendar as text: slimmed to what schedules need, so that equal shifts are equal bytes; and written."""

from collections.abc import Iterable, Iterator, Mapping

from routing.schedule import Shift
from schemas.identity import derived

FOLD = 75
"""Octets of a line (RFC 5545, section 3.1)."""
BEGIN, END = "BEGIN:VCALENDAR", "END:VCALENDAR"
PARTS = ("VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT")
SAID = frozenset(
    {
        "BEGIN", "END", "VERSION", "X-WR-TIMEZONE", "TZID", "TZOFFSETFROM", "TZOFFSETTO", "UID", "DTSTART",
        "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS", "SUMMARY",
        "ATTENDEE", "ORGANIZER",
    }
)  # fmt: skip


def slim(text: str) -> str:
    """A calendar without what schedules do not need: descriptions, places, alarms, when it was fetched.

    Entries are in order of their text, for servers that give them in another order each time.

    Raises:
        ValueError: it is no iCalendar, or not the whole of one.
    """
    lines = list(_unfolded(text))
    if [line.upper() for line in (lines[:1] + lines[-1:])] != [BEGIN, END]:
        raise ValueError(f"no whole iCalendar: expected {BEGIN} … {END}")
    events: list[str] = []
    others: list[str] = []
    current, passed_over = others, 0
    for line in lines[1:-1]:
        name, part = _name(line), line.partition(":")[2].strip().upper()
        if passed_over or (name == "BEGIN" and part not in PARTS):
            passed_over += (name == "BEGIN") - (name == "END")
            continue
        if (name, part) == ("BEGIN", "VEVENT"):
            current = []
        if name in SAID:
            current.append(line)
        if (name, part) == ("END", "VEVENT"):
            events.append("\n".join(current))
            current = others
    return "\n".join([BEGIN, *others, *sorted(events), END, ""])


def written(shifts: Iterable[tuple[str, Shift]], emails: Mapping[str, str]) -> str:
    """Shifts with their schedules as a calendar to subscribe to; times in UTC. `emails`: of who has one."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//agent-oversight//on call//EN"]
    for schedule, shift in shifts:
        start, end = f"{shift.start:%Y%m%dT%H%M%SZ}", f"{shift.end:%Y%m%dT%H%M%SZ}"
        name = derived("shift", schedule, shift.user, shift.layer, start)
        lines += ["BEGIN:VEVENT", f"UID:{name}@agent-oversight", f"DTSTAMP:{start}", f"DTSTART:{start}"]
        lines += [
            f"DTEND:{end}",
            f"SUMMARY:{_escaped(shift.user)}",
            f"CATEGORIES:{_escaped(schedule)},{_escaped(shift.layer)}",
        ]
        if email := emails.get(shift.user):
            lines.append(f'ATTENDEE;CN="{_quoted(shift.user)}":mailto:{_quoted(email)}')
        lines.append("END:VEVENT")
    return "".join(f"{each}\r\n" for line in [*lines, "END:VCALENDAR"] for each in _folded(line))


def _unfolded(text: str) -> Iterator[str]:
    """Logical lines: one that begins with white space goes on the one before."""
    held: list[str] = []
    for line in text.lstrip("\ufeff").splitlines():
        if line[:1] in (" ", "\t") and held:
            held.append(line[1:])
        else:
            if held:
                yield "".join(held)
            held = [line] if line.strip() else []
    if held:
        yield "".join(held)


def _name(line: str) -> str:
    """The name of a property."""
    return line.replace(":", ";").split(";", 1)[0].upper()


def _folded(line: str) -> Iterator[str]:
    """Physical lines of at most 75 octets, never cut inside a character."""
    piece, size = "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > FOLD:
            yield piece
            piece, size = " ", 1
        piece, size = piece + letter, size + octets
    yield piece


def _escaped(text: str) -> str:
    r"""Text of RFC 5545.

    >>> _escaped("a,b;c\\d\ne")
    'a\\,b\\;c\\\\d\\ne'
    """
    for letter, written_as in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r", ""), ("\n", "\\n")):
        text = text.replace(letter, written_as)
    return text


def _quoted(text: str) -> str:
    """A parameter's value: it may hold no quote and no control character."""
    return "".join(letter for letter in text if letter != '"' and letter >= " ")
