"""Counts and times in summaries."""

import pytest

from detectors.saying import clock, counted, out_of, span

MONDAY_S = 1767571200.0


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "no events"), (1, "1 event"), (1.4, "1 event"), (2, "2 events"), (12345, "12,345 events")],
)
def test_what_is_counted_is_one_of_it_or_several(count, said):
    assert counted(count, "event") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 second"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "120 minutes"),
        (7200, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_spans_are_said_in_the_largest_unit_of_which_there_are_two(seconds, said):
    assert span(seconds) == said


def test_some_of_so_many_are_said_by_the_number_of_all():
    assert (out_of(1, 1, "call"), out_of(1, 2, "call")) == ("1 of 1 call", "1 of 2 calls")


def test_times_of_another_day_have_their_date():
    assert clock(MONDAY_S, MONDAY_S + 86_399) == "00:00 UTC"
    assert clock(MONDAY_S, MONDAY_S + 86_400) == "2026-01-05 00:00 UTC"
