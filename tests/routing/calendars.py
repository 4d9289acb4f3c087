"""Calendars as other programs write them, and what reads them, where it is installed."""

import os
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import pytest

from routing.oncall.calendar import Calendar, Person

ABSENT = 'THE EXTRA "ical" IS ABSENT: this was NOT tested'
PEOPLE = {
    "ana": Person("ana", "Ana@Example.com", ("ana", "Ana Lee")),
    "bo": Person("bo", "bo@example.com", ("bo",)),
    "chi": Person("chi", "", ("chi",)),
}


def need_ical():
    """Skips loudly where what reads calendars is not installed; in continuous integration it fails."""
    if find_spec("recurring_ical_events") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)


def ics(*events, head=""):
    """A calendar of entries, each the lines between BEGIN:VEVENT and END:VEVENT."""
    blocks = "".join(
        f"BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20260101T000000Z\n{each}\nEND:VEVENT\n"
        for number, each in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{head}{blocks}END:VCALENDAR\n"


def calendar(*events, zone="UTC", match="email", people=None):
    need_ical()
    return Calendar(ics(*events), ZoneInfo(zone), PEOPLE if people is None else people, match)
