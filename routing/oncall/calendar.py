"""Calendars of people (iCalendar): who is on call by what somebody else's program wrote.

All-day entries last from midnight to midnight in the schedule's zone, and so do times without a zone: they
are its wall clock.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.oncall.calendar_entries import followed
from routing.oncall.walltime import instant

EPOCH = datetime.fromtimestamp(0, UTC)
BLOCK = timedelta(days=32)
"""Entries are looked up by blocks of time, each kept once it was asked for."""
MARGIN = timedelta(days=2)
KEPT_BLOCKS = 64
MOST = 5_000
"""Entries in a block; further ones are passed over."""
FAULTS = (ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError)
"""What the readers of calendars raise on what is not well-formed."""
ABSENT = 'calendars need the extra "ical": pip install "agent-oversight[ical]"'
MAILTO = "mailto:"
_ADDRESS = re.compile(r"[^\s<>(),;:\"]+@[^\s<>(),;:\"]+")


class Person(Struct, frozen=True):
    """How a user is known in calendars. `names`: as their entries may have them."""

    user: str
    email: str = ""
    names: tuple[str, ...] = ()


class Entry(Struct, frozen=True, order=True):
    """One occurrence: [begin, end) in UTC. `users`: of this configuration; `said`: its heading."""

    begin: datetime
    end: datetime
    users: tuple[str, ...]
    said: str


class Calendar:
    """A calendar, read. `match`: people are told apart by e-mail address or by name. `find`: imports by name.

    Raises:
        ValueError: it is no iCalendar, or what reads it is not installed.
    """

    def __init__(
        self,
        text: str,
        place: ZoneInfo,
        people: Mapping[str, Person],
        match: Literal["email", "name"],
        find: Callable[[str], Any] = import_module,
    ) -> None:
        self._place = place
        self._by_email = {each.email.lower(): each.user for each in people.values() if each.email}
        self._by_name = {name.lower(): each.user for each in people.values() for name in each.names}
        names = sorted(self._by_name, key=lambda name: (-len(name), name))
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)") if names else None
        self._match = match
        self._query, self.unreadable = _read(text, find)
        self._blocks: dict[int, tuple[Entry, ...]] = {}

    def users(self, at: datetime) -> tuple[str, ...]:
        """Who is on call by it at an instant: by the beginning of their entries, each once."""
        held = (entry for entry in self._block(_number(at)) if entry.begin <= at < entry.end)
        return tuple(dict.fromkeys(user for entry in held for user in entry.users))

    def boundaries(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants in (start, end) at which its answer may change."""
        for entry in self.entries(start, end):
            yield from (edge for edge in (entry.begin, entry.end) if start < edge < end)

    def entries(self, start: datetime, end: datetime) -> Iterator[Entry]:
        """The entries that touch [start, end), some more than once."""
        for number in range(_number(start), _number(end) + 1):
            yield from (each for each in self._block(number) if each.begin < end and start < each.end)

    def strangers(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Headings of entries in [start, end) that name none of the users."""
        return tuple(dict.fromkeys(each.said for each in self.entries(start, end) if not each.users))

    def _block(self, number: int) -> tuple[Entry, ...]:
        found = self._blocks.get(number)
        if found is None:
            if len(self._blocks) >= KEPT_BLOCKS:
                self._blocks.clear()
            found = self._blocks[number] = self._occurring(number)
        return found

    def _occurring(self, number: int) -> tuple[Entry, ...]:
        begin = EPOCH + number * BLOCK
        try:
            found = self._query.between(begin - MARGIN, begin + BLOCK + MARGIN)[:MOST]
        except FAULTS:
            return ()
        entries = (self._entry(each) for each in found if str(each.get("STATUS", "")).upper() != "CANCELLED")
        return tuple(sorted(each for each in entries if each.begin < begin + BLOCK and begin < each.end))

    def _entry(self, event: Any) -> Entry:
        begin, end = self._moment(event.start), self._moment(event.end)
        said = str(event.get("SUMMARY", "")).strip()
        return Entry(begin, end, self._people(event, said), said)

    def _moment(self, shown: date) -> datetime:
        if not isinstance(shown, datetime):
            return instant(datetime.combine(shown, time()), self._place)
        return shown.astimezone(UTC) if shown.tzinfo else instant(shown, self._place)

    def _people(self, event: Any, said: str) -> tuple[str, ...]:
        """Attendees, else addresses in the heading, else the organizer; by name, heading or attendees."""
        guests = [each for each in _listed(event.get("ATTENDEE")) if _comes(each)]
        if self._match == "name":
            found = [self._by_name[name] for name in self._named(said)]
            found = found or [self._by_name[name] for each in guests for name in self._named(_name(each))]
        else:
            sources = ([_address(each) for each in guests], _ADDRESS.findall(said),
                       [_address(each) for each in _listed(event.get("ORGANIZER"))])  # fmt: skip
            known = ([self._by_email.get(each.lower()) for each in source] for source in sources)
            found = next((users for each in known if (users := [user for user in each if user])), [])
        return tuple(dict.fromkeys(found))

    def _named(self, text: str) -> list[str]:
        return self._names.findall(text.lower()) if self._names else []


def _read(text: str, find: Callable[[str], Any]) -> tuple[Any, int]:
    """What answers which entries occur when, and how many entries are passed over."""
    try:
        icalendar, recurring = find("icalendar"), find("recurring_ical_events")
    except ImportError as error:
        raise ValueError(ABSENT) from error
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except FAULTS as error:
        raise ValueError("no iCalendar: expected BEGIN:VCALENDAR and entries that end") from error
    events = list(calendar.walk("VEVENT"))
    sane = followed(events)
    calendar.subcomponents = [each for each in calendar.subcomponents if each.name != "VEVENT"] + sane
    try:
        return recurring.of(calendar, skip_bad_series=True), len(events) - len(sane)
    except FAULTS as error:
        raise ValueError(f"its entries contradict each other: {type(error).__name__}") from error


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _comes(guest: Any) -> bool:
    return str(guest.params.get("PARTSTAT", "")).upper() != "DECLINED"


def _address(guest: Any) -> str:
    text = str(guest)
    return text[len(MAILTO) :] if text.lower().startswith(MAILTO) else text


def _name(guest: Any) -> str:
    return str(guest.params.get("CN", ""))


def _number(at: datetime) -> int:
    return (at - EPOCH) // BLOCK
