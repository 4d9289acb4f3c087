"""Schedules that follow somebody else's calendar."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.checking import check
from routing.configuration import calendars_in, examine, load
from routing.oncall.calendar import KEPT_BLOCKS, Calendar, Person
from routing.oncall.calendar_entries import MOST_ENTRIES, followed
from routing.oncall.calendar_text import slim, written
from routing.schedule import Schedule, Shift
from schemas.cause import ConfigFile, Configured
from schemas.identity import derived
from tests.routing.calendars import PEOPLE, calendar, ics, need_ical
from tests.routing.configs import LEAST
from tests.routing.scenario import ESCALATED, Scenario

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(found, start="2026-10-01", end="2026-12-31"):
    return list(dict.fromkeys((f"{e.begin:%m-%dT%H:%MZ}", (e.end - e.begin) / HOUR, e.users)
                              for e in found.entries(at(start), at(end))))  # fmt: skip


ANA = "ATTENDEE;CN=Ana:mailto:ana@example.com"


def test_an_all_day_entry_lasts_a_day_of_the_schedules_zone():
    found = calendar(f"DTSTART;VALUE=DATE:20261101\n{ANA}", zone="America/New_York")
    assert spans(found) == [("11-01T04:00Z", 25.0, ("ana",))]
    assert found.users(at("2026-11-01T03:59")) == ()
    assert found.users(at("2026-11-01T04:00")) == ("ana",)
    assert found.users(at("2026-11-02T04:59")) == ("ana",)
    assert found.users(at("2026-11-02T05:00")) == ()


def test_times_without_a_zone_are_the_schedules_wall_clock():
    found = calendar(f"DTSTART:20261101T090000\nDTEND:20261101T100000\n{ANA}", zone="America/New_York")
    assert spans(found) == [("11-01T14:00Z", 1.0, ("ana",))]


def test_a_weekly_entry_follows_the_clocks_of_its_own_zone():
    weekly = f"DTSTART;TZID=Europe/London:20261019T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2\n{ANA}"
    assert spans(calendar(weekly, zone="Asia/Tokyo")) == [
        ("10-19T08:00Z", 1.0, ("ana",)),
        ("10-26T09:00Z", 1.0, ("ana",)),
    ]


def test_an_entry_that_was_moved_or_cancelled_is_where_it_is_now():
    series = f"DTSTART:20261001T090000Z\nDTEND:20261001T100000Z\nRRULE:FREQ=DAILY;COUNT=3\n{ANA}"
    series += "\nEXDATE:20261003T090000Z"
    moved = f"DTSTART:20261002T150000Z\nDTEND:20261002T160000Z\nRECURRENCE-ID:20261002T090000Z\n{ANA}"
    gone = f"DTSTART:20261005T090000Z\nDTEND:20261005T100000Z\nSTATUS:CANCELLED\n{ANA}"
    text = ics(series, moved.replace("\n", "\nSEQUENCE:1\n", 1), gone).replace("UID:1", "UID:0")
    need_ical()
    found = Calendar(text, ZoneInfo("UTC"), PEOPLE, "email")
    assert spans(found) == [("10-01T09:00Z", 1.0, ("ana",)), ("10-02T15:00Z", 1.0, ("ana",))]


TIMES = "DTSTART:20261101T090000Z\nDTEND:20261101T100000Z\n"


@pytest.mark.parametrize(
    ("entry", "match", "users"),
    [
        ("ATTENDEE:MAILTO:ANA@example.com", "email", ("ana",)),
        ("ATTENDEE:x@y.z\nATTENDEE:mailto:bo@example.com\nATTENDEE:ana@example.com", "email", ("bo", "ana")),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.com\nSUMMARY:bo@example.com", "email", ("bo",)),
        ("SUMMARY:whoever\nORGANIZER:mailto:bo@example.com", "email", ("bo",)),
        ("SUMMARY:ana", "email", ()),
        ("SUMMARY:Ana", "name", ("ana",)),
        ("SUMMARY:On Call - ana lee - Primary", "name", ("ana",)),
        ("SUMMARY:Ana and Bo", "name", ("ana", "bo")),
        ("SUMMARY:banana\\, bob", "name", ()),
        ("SUMMARY:on call\nATTENDEE;CN=Chi:mailto:who@example.com", "name", ("chi",)),
        ("ATTENDEE:mailto:who@example.com", "name", ()),
    ],
)  # fmt: skip
def test_people_are_told_apart_by_address_or_by_name(entry, match, users):
    found = calendar(TIMES + entry, match=match)
    assert found.users(at("2026-11-01T09:30")) == users


def test_a_calendar_without_people_names_nobody():
    found = calendar(TIMES + "SUMMARY:Ana", match="name", people={})
    assert found.users(at("2026-11-01T09:30")) == ()
    assert found.strangers(at("2026-11-01"), at("2026-11-02")) == ("Ana",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no iCalendar"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "no iCalendar"),
        ("nonsense", "no iCalendar"),
    ],
)
def test_what_is_no_calendar_is_refused(text, why):
    need_ical()
    with pytest.raises(ValueError, match=why):
        Calendar(text, ZoneInfo("UTC"), PEOPLE, "email")


@pytest.mark.parametrize(
    "entry",
    [
        "DTSTART:soon",
        "DTEND:20261101T100000Z",
        TIMES + "DTSTART:20261102T090000Z",
        "DTSTART:00010101T000000Z\nDTEND:00010102T000000Z\nRRULE:FREQ=DAILY",
        "DTSTART;VALUE=DATE:99991231",
        "DTSTART:20261101T090000Z\nDTEND:20261031T100000Z",
        "DTSTART:20261101T090000Z\nDTEND;VALUE=DATE:20261102",
        "DTSTART:20261101T090000Z\nDTEND:20261102T090000",
        "DTSTART:20261101T090000Z\nDURATION:P9999W",
        TIMES + "RRULE:FREQ=SECONDLY",
        TIMES + "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,5,10,15,20,25,30,35,40,45,50,55",
        TIMES + "RRULE:FREQ=DAILY;INTERVAL=0",
        TIMES + "RRULE:FREQ=DAILY;COUNT=0",
        TIMES + "RRULE:COUNT=3",
        TIMES + "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY",
        TIMES + "SEQUENCE:x",
        TIMES + "RECURRENCE-ID:x",
    ],
)
def test_an_entry_that_cannot_be_followed_is_passed_over_and_counted(entry):
    found = calendar(f"{entry}\n{ANA}", "DTSTART;VALUE=DATE:20261101\nSUMMARY:bo@example.com")
    assert found.unreadable == 1
    assert found.users(at("2026-11-01T09:30")) == ("bo",)


NEVER_OR_TOO_DEAR = [
    "FREQ=HOURLY",
    "FREQ=MINUTELY",
    "FREQ=HOURLY;BYSETPOS=5",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYSETPOS=5",
    "FREQ=DAILY;BYYEARDAY=366",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
    "FREQ=WEEKLY;BYSETPOS=9",
    "FREQ=WEEKLY;BYDAY=MO;BYMONTH=0",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYMONTH=2,13;BYMONTHDAY=1",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
    "FREQ=MONTHLY;BYMONTHDAY=0",
    "FREQ=MONTHLY;BYDAY=6MO",
    "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=3",
    "FREQ=YEARLY;BYMONTH=2",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-30",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;BYWEEKNO=53",
    "FREQ=YEARLY;BYWEEKNO=1;BYDAY=2MO",
    "FREQ=YEARLY;BYYEARDAY=366",
    "FREQ=YEARLY;BYDAY=54MO",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=6MO",
]


@pytest.mark.parametrize("rule", NEVER_OR_TOO_DEAR)
def test_a_rule_that_may_never_hold_is_passed_over_and_counted(rule):
    found = calendar(f"DTSTART:20260130T090000Z\nDURATION:PT1H\nRRULE:{rule}\n{ANA}", TIMES + ANA)
    assert found.unreadable == 1
    assert found.users(at("2026-11-01T09:30")) == ("ana",)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;INTERVAL=30", ["1101", "1201"]),
        ("FREQ=WEEKLY;BYDAY=MO;BYMONTH=12", ["1207", "1214", "1221", "1228"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;COUNT=7", ["1028", "1101", "1111", "1115", "1125"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["1031"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["1113"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["1030", "1130"]),
        ("FREQ=MONTHLY;BYDAY=5SU;BYMONTH=11", ["1129"]),
        ("FREQ=YEARLY;BYMONTH=10,12;BYDAY=-1SU", ["1025", "1227"]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;UNTIL=20270101T000000Z", ["1224"]),
        ("FREQ=YEARLY;BYWEEKNO=45,46;BYDAY=MO", ["1102", "1109"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", []),
        ("FREQ=YEARLY;BYDAY=45MO", ["1109"]),
    ],
)  # fmt: skip
def test_rules_as_people_write_them_are_followed(rule, days):
    begun = {"FREQ=DAILY;INTERVAL=30": "1002", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;COUNT=7": "1014"}.get(
        rule, "0101"
    )
    found = calendar(f"DTSTART:2026{begun}T090000Z\nDURATION:PT1H\nRRULE:{rule}\n{ANA}")
    assert found.unreadable == 0
    entries = found.entries(at("2026-10-20"), at("2026-12-31"))
    assert list(dict.fromkeys(f"{each.begin:%m%d}" for each in entries)) == days


def test_a_calendar_is_followed_only_as_far_as_it_is_cheap():
    daily = f"DTSTART:19710101T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n{ANA}"
    found = calendar(*[daily] * 50, TIMES + ANA)
    assert found.unreadable == 46
    assert found.users(at("2026-11-01T09:30")) == ("ana",)
    ended = daily.replace("DAILY", "DAILY;COUNT=7")
    assert calendar(*[ended] * 50).unreadable == 0
    assert calendar(*[ended.replace("COUNT=7", "UNTIL=19710201T000000Z")] * 50).unreadable == 0


def test_a_calendar_has_no_more_entries_than_are_allowed():
    need_ical()
    (event,) = import_module("icalendar").Calendar.from_ical(ics(TIMES + ANA)).walk("VEVENT")
    assert len(followed([event] * (MOST_ENTRIES + 3))) == MOST_ENTRIES


def test_what_fails_when_it_is_asked_has_nobody():
    found = calendar(TIMES + ANA)

    class Fails:
        def between(self, *_):
            raise KeyError("DTSTART")

    found._query = Fails()
    assert found.users(at("2026-11-01T09:30")) == ()


def test_readers_that_fail_are_told_as_a_fault():
    need_ical()

    def find(name):
        if name == "icalendar":
            return import_module(name)
        return SimpleNamespace(of=lambda *_, **__: [].pop())

    with pytest.raises(ValueError, match="its entries contradict each other: IndexError"):
        Calendar(ics(TIMES + ANA), ZoneInfo("UTC"), PEOPLE, "email", find)


def test_without_the_extra_it_says_what_to_install():
    def find(name):
        raise ImportError(name)

    with pytest.raises(ValueError, match=r'pip install "agent-oversight\[ical\]"'):
        Calendar(ics(), ZoneInfo("UTC"), {}, "email", find)


def test_what_was_asked_for_is_kept_within_bounds():
    found = calendar(f"DTSTART:20200101T000000Z\nDTEND:20200101T010000Z\nRRULE:FREQ=DAILY\n{ANA}")
    for days in range(0, 32 * 70, 32):
        assert found.users(at("2020-01-01T00:30") + timedelta(days=days)) == ("ana",)
    assert len(found._blocks) <= KEPT_BLOCKS


# -- the text ----------------------------------------------------------------------------------------------


def test_what_changes_with_each_download_is_left_out():
    first = ics(
        TIMES + "SUMMARY:An\n a\nDESCRIPTION:secret\nX-Y:z\nBEGIN:VALARM\nSUMMARY:ring\nEND:VALARM",
        TIMES + ANA,
    )
    second = "\ufeff" + ics(TIMES + ANA, TIMES + "SUMMARY:Ana").replace("DTSTAMP:2026", "DTSTAMP:2027")
    second = second.replace("UID:0", "UID:x").replace("UID:1", "UID:0").replace("UID:x", "UID:1")
    assert slim(first) == slim(second.replace("\n", "\r\n"))
    assert "secret" not in slim(first)
    assert "ring" not in slim(first)


def test_zones_that_a_calendar_brings_stay():
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    text = ics(f"DTSTART;TZID=Own:20261101T090000\nDURATION:PT1H\n{ANA}", head=zone)
    need_ical()
    assert spans(Calendar(slim(text), ZoneInfo("UTC"), PEOPLE, "email")) == [("11-01T08:00Z", 1.0, ("ana",))]


@pytest.mark.parametrize(
    "text", ["", "\n \n", "x", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", "<html></html>", " folded"]
)
def test_half_a_calendar_is_refused(text):
    with pytest.raises(ValueError, match="no whole iCalendar"):
        slim(text)


def test_long_lines_are_folded_within_75_octets():
    user = 'Zoë, "the; second\\\n' + "ö" * 60
    shifts = [
        Shift(user, at("2026-11-01"), at("2026-11-02"), "base"),
        Shift("x", at("2026-11-02"), NOW, "base"),
    ]
    text = written([("s", shift) for shift in shifts], {user: "z@example.com"})
    assert text.count("ATTENDEE") == 1
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert 'SUMMARY:Zoë\\, "the\\; second\\\\\\n' in text.replace("\r\n ", "")


USERS = st.sampled_from(["ana", "bo"])


@given(
    st.lists(st.tuples(USERS, st.integers(0, 3000), st.integers(1, 3000)), max_size=8),
    st.sampled_from(["email", "name"]),
    st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]),
)
def test_what_is_exported_is_imported_as_the_same_shifts(times, match, zone):
    start = at("2026-09-28")
    planned = ics(*(
        f"DTSTART:{start + timedelta(minutes=30 * begin):%Y%m%dT%H%M%SZ}\n"
        f"DTEND:{start + timedelta(minutes=30 * (begin + length)):%Y%m%dT%H%M%SZ}\n"
        f"ATTENDEE:mailto:{user}@example.com"
        for user, begin, length in times
    ))  # fmt: skip
    need_ical()

    def rota(text, by):
        return Schedule(name="s", place=ZoneInfo(zone), roster=Calendar(text, ZoneInfo(zone), PEOPLE, by))

    end = start + timedelta(days=140)
    shifts = rota(planned, "email").shifts(start, end)
    emails = {"ana": "ana@example.com", "bo": "bo@example.com"}
    text = written([("s", shift) for shift in shifts], emails)
    assert rota(slim(text), match).shifts(start, end) == shifts
    assert rota(text, match).uncovered(start, end) == rota(planned, "email").uncovered(start, end)


# -- in a configuration ------------------------------------------------------------------------------------

RULES = LEAST + (
    "users: {ana: {email: ana@example.com}, bo: {name: Bo Li}}\n"
    "schedules:\n"
    "  s: {timezone: UTC, ical: 'env:ROTA', gaps: warning}\n"
    "  t: {timezone: UTC, ical: t.ics, match: name, overlaps: error}\n"
)


def files(**texts):
    named = {"ROTA": "env:ROTA", "t": "t.ics"}
    return (ConfigFile("1.yml", RULES), *(ConfigFile(named[name], text) for name, text in texts.items()))


def test_calendars_stand_among_the_files_of_a_configuration():
    assert calendars_in(files()) == ("env:ROTA", "t.ics")
    assert calendars_in([ConfigFile("1.yml", "schedules: {s: {ical: x.yml}, t: 1}\n")]) == ()
    assert calendars_in([ConfigFile("1.yml", "route: [\n")]) == ()
    need_ical()
    made = load(files(ROTA=ics(TIMES + ANA), t=ics(TIMES + "SUMMARY:bo li")))
    assert made.schedules["s"].on_call(at("2026-11-01T09:30")) == ("ana",)
    assert made.schedules["t"].on_call(at("2026-11-01T09:30")) == ("bo",)


def test_a_calendar_that_is_not_there_has_nobody():
    assert load(files()).schedules["s"].on_call(NOW) == ()
    assert [str(each) for each in check(files(), NOW).warnings] == [
        "1.yml:5:28: calendar env:ROTA is not at hand: nobody is on call by it",
        "1.yml:6:28: calendar t.ics is not at hand: nobody is on call by it",
    ]


def test_of_a_calendar_s_address_only_the_host_is_said():
    text = RULES.replace("env:ROTA", "https://cal.example/private-4711/rota.ics?key=4711")
    found = [str(each) for each in check([ConfigFile("1.yml", text)], NOW).warnings]
    assert found[0] == "1.yml:5:28: calendar https://cal.example/… is not at hand: nobody is on call by it"
    assert not any("4711" in each for each in found)


def test_a_calendar_that_cannot_be_read_is_a_fault_where_it_is_named():
    need_ical()
    assert [str(each) for each in examine(files(ROTA="no")).faults] == [
        "1.yml:5:28: calendar env:ROTA: no iCalendar: expected BEGIN:VCALENDAR and entries that end"
    ]


def test_such_a_fault_tells_of_an_address_scheme_and_host_only():
    need_ical()
    address = "https://x.example/private-token"
    told = examine(
        (ConfigFile("1.yml", RULES.replace("env:ROTA", address)), ConfigFile(address, "no"))
    ).faults
    (fault,) = map(str, told)
    assert fault.startswith("1.yml:5:28: calendar https://x.example/…: no iCalendar: expected BEGIN")


def test_gaps_overlaps_strangers_and_what_cannot_be_read_are_told():
    need_ical()
    day = "DTSTART;VALUE=DATE:202611%02d\nRRULE:FREQ=DAILY;COUNT=%d\nSUMMARY:%s"
    one = ics(f"DTSTART;VALUE=DATE:20261101\nRRULE:FREQ=DAILY;COUNT=30\n{ANA}", "DTSTART:x")
    two = ics(day % (1, 9, "ana"), day % (5, 1, "bo"), *(day % (2, 1, f"w{n}") for n in range(5)))
    found = check(files(ROTA=one, t=two), NOW)
    span = "from Tue 2026-12-01 00:00 to Sat 2027-01-30 00:00 UTC, 60 d"
    assert [str(each) for each in found.warnings] == [
        "1.yml:5:28: calendar env:ROTA: entries that cannot be read: 1",
        f'1.yml:5:46: schedule "s": nobody is on call {span}',
        *(f'1.yml:6:28: calendar t.ics: "w{n}" is no user by name (first 3 of 5)' for n in range(3)),
    ]
    (failed,) = found.failed
    assert str(failed) == (
        '1.yml:6:28: schedule "t": ana and bo are on call at once '
        "from Thu 2026-11-05 00:00 to Fri 2026-11-06 00:00 UTC, 1 d"
    )


def test_a_person_may_have_no_address_and_a_calendar_no_heading():
    assert calendar(TIMES, people={"x": Person("x")}).strangers(at("2026-11-01"), at("2026-11-02")) == ("",)


# -- in the router -----------------------------------------------------------------------------------------

ROUTED = (
    ESCALATED.replace("    layers:", "    ical: 'env:ROTA'\n    layers:").replace(
        "  bo: {", "  bo: {email: bo@example.com, "
    )
    + "limits: {pages_per_person: unlimited}\n"
)
BO_ALWAYS = "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY\nSUMMARY:Bo\nATTENDEE:mailto:bo@example.com"


def configured(t, *more, text=ROUTED):
    files = (ConfigFile("rules.yaml", text), *more)
    return t.write(Configured(at=t.now, digest=derived("cfg", *(each.text for each in files)), files=files))


def test_a_configuration_without_a_calendar_that_it_names_keeps_the_one_that_was_known():
    need_ical()
    t, text = Scenario(ROUTED), ROUTED
    configured(t, ConfigFile("env:ROTA", ics(BO_ALWAYS)), text=text)
    t.signal(agent="a")
    configured(t, text=text)
    t.restart()
    t.signal("s2", agent="b")
    configured(t, text=text + "# and changed")
    t.signal("s3", agent="c")
    configured(t, text=text.replace("ical: 'env:ROTA'", "gaps: ignore"))
    t.signal("s4", agent="d")
    configured(t, text=text)
    t.signal("s5", agent="e")
    assert [to for _, to, _ in t.told] == ["bo", "bo", "bo", "ana", "ana"]
