"""Rotations over daylight saving, month ends and skipped days, against literal lists and a stepping model."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.oncall.rotation import DAY, Layer, Period, Window
from routing.oncall.walltime import instant, wall, zone
from routing.rules.rota_faults import rota_faults
from routing.rules.yaml_tree import Node, Place
from routing.schedule import Gap, Override, Schedule, Shift, Swap, moment_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(text):
    return datetime.fromisoformat(text)


def layer(place, start, every, users="abc", *, only=(), name="base"):
    count, unit = every.split()
    return Layer(
        name, ZoneInfo(place), datetime.fromisoformat(start), Period(int(count), unit), tuple(users), only
    )


def schedule(*layers, overrides=(), swaps=(), place="UTC"):
    return Schedule(name="s", place=ZoneInfo(place), layers=layers, overrides=overrides, swaps=swaps)


def handoffs(rota, start, end):
    return [f"{shift.start:%m-%dT%H:%MZ} {shift.user}" for shift in rota.shifts(at(start), at(end))]


WEEKLY = schedule(layer("America/New_York", "2026-01-05T09:00", "1 week"))
DAYS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("instant", "user"),
    [
        ("2026-01-05T13:59:59", None),
        ("2026-01-05T14:00:00", "a"),
        ("2026-03-09T12:59:59", "c"),
        ("2026-03-09T13:00:00", "a"),
        ("2026-11-02T13:59:59", "a"),
        ("2026-11-02T14:00:00", "b"),
    ],
)
def test_a_week_changes_hands_at_nine_on_the_wall_in_summer_and_winter(instant, user):
    assert WEEKLY.on_call(at(instant)) == ((user,) if user else ())


def test_the_weeks_in_which_clocks_change_last_167_and_169_hours():
    lengths = {
        f"{s.start:%Y-%m-%d}": (s.end - s.start) / HOUR
        for s in WEEKLY.shifts(at("2026-01-05T14:00"), at("2026-12-01"))
    }
    assert lengths["2026-03-02"] == 167
    assert lengths["2026-10-26"] == 169


def test_a_handoff_in_the_skipped_hour_comes_at_the_first_instant_after_it():
    rota = schedule(layer("America/New_York", "2026-03-01T02:30", "1 day"))
    assert handoffs(rota, "2026-03-07T12:00", "2026-03-09T12:00") == [
        "03-07T12:00Z a", "03-08T07:00Z b", "03-09T06:30Z c",
    ]  # fmt: skip


def test_a_handoff_in_the_repeated_hour_comes_once_and_first():
    rota = schedule(layer("America/New_York", "2026-10-25T01:30", "1 day", DAYS))
    shifts = rota.shifts(at("2026-10-31T12:00"), at("2026-11-03T00:00"))
    assert [f"{shift.start:%m-%dT%H:%MZ}" for shift in shifts] == [
        "10-31T12:00Z",
        "11-01T05:30Z",
        "11-02T06:30Z",
    ]
    assert shifts[1].end - shifts[1].start == 25 * HOUR
    assert rota.on_call(at("2026-11-01T06:10")) == (shifts[1].user,)  # clocks show 01:10 for the second time


def test_a_gap_of_half_an_hour_is_no_whole_hour():
    assert instant(shown("2026-10-04T02:15"), ZoneInfo("Australia/Lord_Howe")) == at("2026-10-03T15:30")


def test_a_midnight_that_does_not_exist_is_the_days_first_instant():
    beirut = ZoneInfo("Asia/Beirut")
    first, second = instant(shown("2026-03-29T00:00"), beirut), instant(shown("2026-03-30T00:00"), beirut)
    assert first == at("2026-03-28T22:00")
    assert second - first == 23 * HOUR


@pytest.mark.parametrize(("day", "hours"), [("2026-03-07", 7), ("2026-10-31", 9), ("2026-06-06", 8)])
def test_a_night_over_a_change_of_clocks_is_shorter_or_longer_and_belongs_to_its_first_day(day, hours):
    night = Window((5,), timedelta(hours=22), timedelta(hours=6))
    begin, end = night.span(date.fromisoformat(day), NEW_YORK)
    assert end - begin == hours * HOUR
    assert night.span(date.fromisoformat(day) + DAY, NEW_YORK) is None


def test_a_month_from_the_31st_ends_on_the_last_day_and_does_not_stick_there():
    rota = schedule(layer("UTC", "2026-01-31T00:00", "1 month", DAYS))
    assert handoffs(rota, "2026-01-31", "2026-05-31") == [
        "01-31T00:00Z a", "02-28T00:00Z b", "03-31T00:00Z c", "04-30T00:00Z d",
    ]  # fmt: skip


def test_a_month_that_is_not_over_is_still_the_turn_of_its_first_day():
    rota = schedule(layer("UTC", "2026-01-31T00:00", "1 month", DAYS))
    assert rota.on_call(at("2026-02-27T23:59")) == ("a",)


def test_a_calendar_day_that_a_country_skipped_gives_strictly_increasing_handoffs():
    rota = schedule(layer("Pacific/Apia", "2011-12-01T09:00", "1 day", DAYS + "ABCDEFGH"))
    found = [shift.start for shift in rota.shifts(at("2011-12-29T19:00"), at("2011-12-31T18:00"))]
    assert found == [at("2011-12-29T19:00"), at("2011-12-30T10:00"), at("2011-12-30T19:00")]


def test_two_handoffs_at_one_instant_leave_no_empty_shift():
    rota = schedule(layer("Pacific/Apia", "2011-12-28T00:00", "1 day", DAYS))
    shifts = rota.shifts(at("2011-12-28T10:00"), at("2012-01-02T10:00"))
    assert all(shift.start < shift.end for shift in shifts)
    assert [shift.user for shift in shifts] == ["a", "b", "d", "e", "f"]


def test_hours_are_elapsed_time_and_days_are_not():
    hours = schedule(layer("America/New_York", "2026-03-07T12:00", "24 hour"))
    days = schedule(layer("America/New_York", "2026-03-07T12:00", "1 day"))
    assert handoffs(hours, "2026-03-07T17:00", "2026-03-09T00:00")[1] == "03-08T17:00Z b"
    assert handoffs(days, "2026-03-07T17:00", "2026-03-09T00:00")[1] == "03-08T16:00Z b"


def test_a_later_layer_wins_while_it_is_active_and_its_turns_count_days_off_too():
    weekdays = Window((0, 1, 2, 3, 4), timedelta(hours=22), timedelta(hours=6))
    rota = schedule(
        layer("Europe/London", "2026-01-05T09:00", "1 week"),
        layer("Europe/London", "2026-01-05T22:00", "1 day", "xy", only=(weekdays,), name="night"),
    )
    assert [
        (s.user, s.layer, f"{s.start:%a %H:%M}")
        for s in rota.shifts(at("2026-01-09T12:00"), at("2026-01-13T12:00"))
    ] == [
        ("a", "base", "Fri 12:00"),
        ("x", "night", "Fri 22:00"),
        ("a", "base", "Sat 06:00"),
        ("b", "base", "Mon 09:00"),
        ("y", "night", "Mon 22:00"),
        ("b", "base", "Tue 06:00"),
    ]


def test_the_latest_override_wins_for_a_half_open_time():
    rota = schedule(
        layer("UTC", "2026-01-01T00:00", "1 week"),
        overrides=(
            Override("p", at("2026-01-02T00:00"), at("2026-01-02T12:00")),
            Override("q", at("2026-01-02T06:00"), at("2026-01-02T09:00")),
        ),
    )
    assert handoffs(rota, "2026-01-01", "2026-01-03") == [
        "01-01T00:00Z a", "01-02T00:00Z p", "01-02T06:00Z q", "01-02T09:00Z p", "01-02T12:00Z a",
    ]  # fmt: skip
    assert rota.on_call(at("2026-01-02T12:00")) == ("a",)


def test_a_night_that_begins_on_a_holiday_is_left_to_the_layer_below():
    nights = Window((0, 1, 2, 3, 4), 22 * HOUR, 6 * HOUR, "GB")
    rota = schedule(
        layer("Europe/London", "2026-01-05T09:00", "1 week", "a"),
        layer("Europe/London", "2026-01-05T22:00", "1 day", "x", only=(nights,), name="night"),
    )
    # Christmas is a Friday, its substitute day the Monday; the night of the 24th reaches into it.
    shifts = rota.shifts(at("2026-12-23"), at("2026-12-31"))
    assert [f"{s.start:%a %d %H}" for s in shifts if s.user == "x"] == [
        "Wed 23 00", "Wed 23 22", "Thu 24 22", "Tue 29 22", "Wed 30 22",
    ]  # fmt: skip


def test_parts_of_a_country_have_holidays_of_their_own():
    day = Window(skips="GB-SCT")
    assert day.span(date(2026, 11, 30), LONDON) is None  # Saint Andrew's
    assert Window(skips="GB-ENG").span(date(2026, 11, 30), LONDON) is not None


def test_two_people_exchange_their_shifts_while_others_keep_theirs():
    rota = schedule(
        layer("UTC", "2026-01-01T00:00", "1 day"),
        swaps=(Swap(("a", "c"), at("2026-01-01T12:00"), at("2026-01-03T06:00")),),
    )
    shifts = rota.shifts(at("2026-01-01"), at("2026-01-04"))
    assert [(s.user, s.layer, f"{s.start:%dT%H}") for s in shifts] == [
        ("a", "base", "01T00"), ("c", "swap", "01T12"), ("b", "base", "02T00"),
        ("a", "swap", "03T00"), ("c", "base", "03T06"),
    ]  # fmt: skip


def test_swaps_follow_each_other_and_overrides_are_above_them():
    whole = (at("2026-01-01"), at("2026-01-02"))
    rota = schedule(
        layer("UTC", "2026-01-01T00:00", "1 day"),
        swaps=(Swap(("a", "b"), *whole), Swap(("b", "c"), *whole)),
        overrides=(Override("a", at("2026-01-01T20:00"), at("2026-01-01T21:00")),),
    )
    assert rota.on_call(at("2026-01-01T10:00")) == ("c",)
    assert rota.on_call(at("2026-01-01T20:30")) == ("a",)
    assert rota.on_call(at("2026-01-02T10:00")) == ("b",)


def test_the_next_change_is_the_next_other_person_and_not_the_next_turn():
    rota = schedule(layer("UTC", "2026-01-01T00:00", "1 day", "aab"))
    assert rota.next_change(at("2026-01-01T10:00"), at("2026-01-10")) == at("2026-01-03")
    assert rota.next_change(at("2026-01-01T10:00"), at("2026-01-03")) is None
    assert rota.next_change(at("2026-01-01T10:00"), at("2026-01-01T10:00")) is None


class Pair:
    """A calendar that has two people at once on each second day."""

    def users(self, moment):
        return ("x", "y") if moment.day % 2 else ()

    def boundaries(self, start, end):
        day = start.replace(hour=0, minute=0)
        while (day := day + DAY) < end:
            yield day


def test_a_calendar_is_above_the_layers_and_may_have_several_people_at_once():
    rota = Schedule(
        name="s",
        place=ZoneInfo("UTC"),
        layers=(layer("UTC", "2026-01-01T00:00", "1 week"),),
        swaps=(Swap(("y", "z"), at("2026-01-03T12:00"), at("2026-01-04T12:00")),),
        roster=Pair(),
    )
    assert rota.on_call(at("2026-01-01T10:00")) == ("x", "y")
    assert rota.on_call(at("2026-01-02T10:00")) == ("a",)
    shifts = rota.shifts(at("2026-01-01"), at("2026-01-04"))
    assert [(s.user, s.layer, f"{s.start:%dT%H}") for s in shifts] == [
        ("x", "calendar", "01T00"), ("y", "calendar", "01T00"), ("a", "base", "02T00"),
        ("y", "calendar", "03T00"), ("x", "calendar", "03T00"), ("z", "swap", "03T12"),
    ]  # fmt: skip


def test_two_people_of_a_calendar_at_once_are_told_to_who_checks():
    rota = Schedule(name="s", place=ZoneInfo("UTC"), overlaps="error", roster=Pair())
    found = list(rota_faults(rota, Node(Place("r.yml", 1, 1), {}), at("2026-01-01T12:00")))
    assert [each.level for each in found] == ["error"] * 3
    assert found[0].fault.message == (
        'schedule "s": x and y are on call at once '
        "from Thu 2026-01-01 12:00 to Fri 2026-01-02 00:00 UTC, 12 h (first 3 of 45 overlaps in 90 days)"
    )


def test_where_nobody_is_on_call_is_told():
    rota = schedule(
        layer("UTC", "2026-01-02T00:00", "1 day", "a", only=(Window(begin=8 * HOUR, end=20 * HOUR),))
    )
    assert rota.uncovered(at("2026-01-01T12:00"), at("2026-01-03T00:00")) == [
        Gap(at("2026-01-01T12:00"), at("2026-01-02T08:00")),
        Gap(at("2026-01-02T20:00"), at("2026-01-03T00:00")),
    ]
    assert rota.shifts(at("2026-01-01"), at("2026-01-03")) == [
        Shift("a", at("2026-01-02T08:00"), at("2026-01-02T20:00"), "base")
    ]


def test_an_empty_time_has_no_shifts():
    assert WEEKLY.shifts(at("2026-02-01"), at("2026-02-01")) == []
    assert WEEKLY.uncovered(at("2026-02-02"), at("2026-02-01")) == []


def test_times_in_other_zones_are_the_same_instants():
    local = datetime(2026, 11, 2, 9, tzinfo=NEW_YORK)
    assert WEEKLY.on_call(local) == ("b",)
    assert WEEKLY.shifts(local, local + DAY)[0].start == at("2026-11-02T14:00")


def test_an_override_may_carry_its_own_offset():
    assert moment_of(datetime.fromisoformat("2026-07-01T09:00"), LONDON) == at("2026-07-01T08:00")
    assert moment_of(datetime.fromisoformat("2026-07-01T09:00+02:00"), LONDON) == at("2026-07-01T07:00")


@pytest.mark.parametrize(
    "name", ["Mars/Base", "", "../etc/passwd", "Europe", "Europe/London\x00", "/etc/localtime"]
)
def test_a_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


def test_a_window_without_an_end_before_its_begin_holds_on_its_own_day():
    assert Window((3,), 9 * HOUR, 17 * HOUR).span(date(2026, 1, 1), LONDON) == (
        at("2026-01-01T09:00"),
        at("2026-01-01T17:00"),
    )
    all_day = Window((3,), 9 * HOUR, 9 * HOUR).span(date(2026, 1, 1), LONDON)
    assert all_day == (at("2026-01-01T09:00"), at("2026-01-02T09:00"))


# -- the stepping model: what clocks show, minute by minute ---------------------------------------------

CHANGES = {
    "UTC": shown("2026-02-27T00:00"),
    "America/New_York": shown("2026-03-07T00:00"),
    "Europe/London": shown("2026-10-24T00:00"),
    "Australia/Lord_Howe": shown("2026-10-03T00:00"),
    "Asia/Beirut": shown("2026-03-28T00:00"),
    "Pacific/Apia": shown("2011-12-28T00:00"),
    "Europe/Berlin": shown("2026-12-24T00:00"),
}
PLACES = tuple(CHANGES)
STEP = 1 if settings().max_examples > 1000 else 11
"""Minutes from one step to the next: each of them by night."""


def later(start, count, unit):
    if unit in ("day", "week"):
        return start + count * (DAY if unit == "day" else 7 * DAY)
    years, month = divmod(start.month - 1 + count, 12)
    day = min(start.day, monthrange(start.year + years, month + 1)[1])
    return start.replace(year=start.year + years, month=month + 1, day=day)


def has_come(shown, place, now):
    """Whether clocks there have shown a wall time by now: the first time it is shown, or is skipped over."""
    instants = (now - step * 30 * MINUTE for step in range(60))
    return wall(now, place) >= shown or any(wall(each, place) >= shown for each in instants)


def model_user(one, now):
    """The layer's user, by counting turns one after the other."""
    turn = None
    for number in range(2000):
        if one.every.unit == "hour":
            come = instant(one.start, one.place) + number * one.every.count * HOUR <= now
        else:
            come = has_come(later(one.start, number * one.every.count, one.every.unit), one.place, now)
        if not come:
            break
        turn = number
    active = not one.only or any(model_active(window, one.place, now) for window in one.only)
    return one.users[turn % len(one.users)] if turn is not None and active else None


def model_active(window, place, now):
    today = wall(now, place).date()
    for day in (today - 2 * DAY, today - DAY, today):
        midnight = datetime.combine(day, datetime.min.time())
        end = midnight + (window.end if window.end > window.begin else window.end + DAY)
        begun = has_come(midnight + window.begin, place, now)
        if (
            day.weekday() in window.days
            and day not in MODEL_HOLIDAYS.get(window.skips, ())
            and begun
            and not has_come(end, place, now)
        ):
            return True
    return False


MODEL_HOLIDAYS = {"DE": {date(2026, 10, 3), date(2026, 12, 25), date(2026, 12, 26)}}
HOURS_OF_DAY = st.integers(0, 24 * 60 - 1).map(lambda minutes: minutes * MINUTE)
WINDOWS = st.builds(
    Window,
    st.lists(st.integers(0, 6), min_size=1, unique=True).map(lambda days: tuple(sorted(days))),
    HOURS_OF_DAY,
    HOURS_OF_DAY,
    st.sampled_from(["", "DE"]),
)


@st.composite
def layers(draw, place):
    start = CHANGES[place] - draw(st.integers(0, 12)) * DAY + draw(HOURS_OF_DAY)
    period = draw(
        st.sampled_from([(1, "day"), (2, "day"), (1, "week"), (1, "month"), (7, "hour"), (24, "hour")])
    )
    only = tuple(draw(st.lists(WINDOWS, max_size=2)))
    return Layer(draw(st.sampled_from("mn")), ZoneInfo(place), start, Period(*period), ("a", "b", "c"), only)


@st.composite
def rotas(draw):
    place = draw(st.sampled_from(PLACES))
    first = CHANGES[place].replace(tzinfo=UTC)
    times = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=2)
    overrides = [Override("o", first + begin * HOUR, first + (begin + n) * HOUR) for begin, n in draw(times)]
    swaps = [Swap(("a", "b"), first + begin * HOUR, first + (begin + n) * HOUR) for begin, n in draw(times)]
    return Schedule(
        name="s",
        place=ZoneInfo(place),
        layers=tuple(draw(st.lists(layers(place), min_size=1, max_size=2))),
        overrides=tuple(overrides),
        swaps=tuple(swaps),
    )


def model_swapped(rota, user, now):
    """An even number of swaps that hold is none."""
    held = sum(each.start <= now < each.end for each in rota.swaps) % 2
    return {"a": "b", "b": "a"}.get(user, user) if held else user


@given(rotas(), st.integers(0, 60 * 72))
def test_whoever_the_clocks_say_is_on_call(rota, minutes):
    now = CHANGES[rota.place.key].replace(tzinfo=UTC) + minutes * MINUTE
    expected = [each.user for each in rota.overrides if each.start <= now < each.end][-1:]
    planned = [user for one in rota.layers if (user := model_user(one, now))][-1:]
    expected = expected or [model_swapped(rota, user, now) for user in planned]
    assert rota.on_call(now) == tuple(expected)


@given(rotas())
def test_shifts_are_what_stepping_through_the_minutes_gives(rota):
    start = CHANGES[rota.place.key].replace(tzinfo=UTC)
    end = start + 72 * HOUR
    shifts = rota.shifts(start, end)
    held = iter(shifts)
    shift = next(held, None)
    for minute in range(0, 72 * 60, STEP):
        now = start + minute * MINUTE
        while shift and shift.end <= now:
            shift = next(held, None)
        assert rota.on_call(now) == ((shift.user,) if shift and shift.start <= now else ())
    assert all(each.start < each.end for each in shifts)
    assert all(one.start < two.start for one, two in pairwise(shifts))
    pieces = sorted([*shifts, *rota.uncovered(start, end)], key=lambda each: each.start)
    assert [each.end for each in pieces[:-1]] == [each.start for each in pieces[1:]]
    assert (pieces[0].start, pieces[-1].end) == (start, end)
