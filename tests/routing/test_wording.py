from datetime import timedelta
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.words.sparkline import WIDTH, sparkline
from routing.words.wording import counted, cut, duration, lines, measure, number, one_line, percent


@given(st.text(), st.integers(min_value=2, max_value=200))
def test_text_of_others_becomes_one_short_visible_line(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not any(category(letter) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for letter in line)


@given(st.text(), st.integers(min_value=2, max_value=200))
def test_several_lines_stay_within_the_limit_and_never_leave_two_blank_lines(text, limit):
    told = lines(text, limit)
    assert len(told) <= limit
    assert "\n\n\n" not in told
    assert not any(category(letter) in {"Cf", "Zl", "Zp"} for letter in told)


def test_a_direction_override_cannot_turn_a_line_around():
    assert one_line("safe\u202egnp.exe", 80) == "safegnp.exe"


@given(st.floats())
def test_every_number_can_be_read(value):
    assert len(number(value)) < 420
    assert "e" not in number(value).replace("-inf", "").replace("inf", "")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (12345.6, "12,346"),
        (999.4, "999"),
        (12.345, "12.3"),
        (0.5, "0.5"),
        (100.0, "100"),
        (-0.25, "-0.25"),
        (0.0, "0"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_have_three_digits(value, told):
    assert number(value) == told


def test_units_follow_numbers_and_shares_are_percent():
    assert measure(0.0421, "share") == "4.21 %"
    assert measure(12.0, "USD") == "12 USD"
    assert measure(12.0, "") == "12"
    assert percent(1.0) == "100 %"


def test_one_is_singular_and_thousands_are_parted():
    assert [counted(1, "user"), counted(0, "user"), counted(12345, "session")] == [
        "1 user",
        "0 users",
        "12,345 sessions",
    ]


@given(st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=1000)))
def test_a_span_is_told_in_at_most_two_units(span):
    assert len(duration(span).split()) in {2, 4}


def test_spans_name_their_largest_units():
    spans = [
        timedelta(days=2, hours=3, minutes=4),
        timedelta(days=1, seconds=5),
        timedelta(seconds=90),
        timedelta(),
    ]
    assert [duration(span) for span in spans] == ["2 d 3 h", "1 d", "1 min 30 s", "0 s"]


def test_what_is_cut_says_so():
    assert cut("abcdef", 5) == "abcd…"
    assert cut("abcde", 5) == "abcde"


@given(st.lists(st.floats()))
def test_a_sparkline_has_one_bar_for_each_of_the_last_values(values):
    assert len(sparkline(values)) == min(len(values), WIDTH)


def test_a_sparkline_rises_with_its_values():
    assert sparkline([1, 2, 4]) == "▁▃█"
    assert sparkline([float("nan"), float("inf")]) == "··"
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
