import pytest

from routing.rules.intervals import (
    MinuteRange,
    Range,
    parse_days_of_month,
    parse_months,
    parse_time,
    parse_times,
    parse_weekdays,
    parse_years,
)


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00", 0), ("09:05", 545), ("23:59", 1439), ("24:00", 1440)]
)
def test_times_are_minutes_since_midnight(text, minutes):
    assert parse_time(text) == minutes


@pytest.mark.parametrize("text", ["9:00", "24:01", "25:00", "12:60", "12", "", "12:00\n"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="expected a time such as 09:00"):
        parse_time(text)


def test_a_range_of_times_may_not_wrap_midnight_or_be_empty():
    assert parse_times("22:00", "24:00") == MinuteRange(1320, 1440)
    for begin, end in (("22:00", "06:00"), ("09:00", "09:00")):
        with pytest.raises(ValueError, match="may not wrap midnight"):
            parse_times(begin, end)


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_weekdays, "monday", Range(1, 1)),
        (parse_weekdays, "Tuesday:FRIDAY", Range(2, 5)),
        (parse_weekdays, "sunday:monday", Range(0, 1)),
        (parse_months, "march", Range(3, 3)),
        (parse_months, "1:3", Range(1, 3)),
        (parse_months, "january:12", Range(1, 12)),
        (parse_months, "13", Range(13, 13)),
        (parse_years, "2026:2028", Range(2026, 2028)),
        (parse_days_of_month, "15", Range(15, 15)),
        (parse_days_of_month, "-3:-1", Range(-3, -1)),
        (parse_days_of_month, "1:-1", Range(1, -1)),
        (parse_days_of_month, "31:-1", Range(31, -1)),
    ],
)
def test_ranges_read_as_in_alertmanager(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("parse", "text", "reason"),
    [
        (parse_weekdays, "mon", "expected a weekday"),
        (parse_weekdays, "1", "expected a weekday"),
        (parse_weekdays, "friday:monday", "ends before it begins"),
        (parse_weekdays, "saturday:sunday", "ends before it begins"),
        (parse_weekdays, "monday:tuesday:friday", "expected a weekday"),
        (parse_months, "0", "expected a month"),
        (parse_months, "december:january", "ends before it begins"),
        (parse_years, "-1", "expected a year"),
        (parse_days_of_month, "0", "expected a day of the month"),
        (parse_days_of_month, "32", "expected a day of the month"),
        (parse_days_of_month, "x", "expected a day of the month"),
        (parse_days_of_month, "-3:5", "begins with a negative day"),
        (parse_days_of_month, "-1:-3", "ends before it begins"),
        (parse_days_of_month, "20:-25", "ends before it begins"),
    ],
)
def test_ranges_that_alertmanager_refuses_are_refused(parse, text, reason):
    with pytest.raises(ValueError, match=reason):
        parse(text)
