"""Calendars of a configuration: the texts that stand beside its YAML, and the people in them."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from routing.addressing import shown
from routing.oncall.calendar import Calendar, Person
from routing.rules.document.document import Document
from routing.rules.document.people import UserPart
from routing.rules.document.scalars import is_calendar
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node
from schemas.cause import ConfigFile


class Rosters(Struct, frozen=True):
    """Calendars by schedule, as far as they are there, and what is wrong with them."""

    by_schedule: Mapping[str, Calendar] = {}
    faults: tuple[Fault, ...] = ()


def split(files: Sequence[ConfigFile]) -> tuple[list[ConfigFile], dict[str, str]]:
    """The rules of a configuration, and the texts of its calendars by name."""
    rules = [file for file in files if not is_calendar(file.name)]
    return rules, {file.name: file.text for file in files if is_calendar(file.name)}


def carried(files: tuple[ConfigFile, ...], before: Sequence[ConfigFile]) -> tuple[ConfigFile, ...]:
    """The files, and calendars of those before that they name but lack: these could not be fetched."""
    known = {file.name for file in files}
    return (
        *files,
        *(
            file
            for file in before
            if is_calendar(file.name)
            and file.name not in known
            and any(file.name in each.text for each in files)
        ),
    )


def rosters(document: Document, root: Node, texts: Mapping[str, str]) -> Rosters:
    """Reads the calendars that schedules name and that are there."""
    people = {
        name: Person(name, _email(part), tuple(each for each in (name, part.name) if each))
        for name, part in document.users.items()
    }
    found: dict[str, Calendar] = {}
    faults: list[Fault] = []
    for name, part in document.schedules.items():
        if part.ical is not None and part.ical in texts:
            try:
                found[name] = Calendar(texts[part.ical], part.timezone, people, part.match)
            except ValueError as error:
                place = root.nearest("schedules", name, "ical").place
                faults.append(place.fault(f"calendar {shown(part.ical)}: {error}"))
    return Rosters(found, tuple(faults))


def _email(part: UserPart) -> str:
    contact = part.contacts.get("email")
    return contact.to if contact else ""
