from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.rules.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("250ms", 0.25), ("30s", 30), ("1h30m", 5400), ("1d", 86_400), ("1w", 604_800),
     ("1y", 31_536_000), ("1y2w3d4h5m6s7ms", 33_019_506.007)],
)  # fmt: skip
def test_durations_read_as_in_prometheus(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "90", "1.5h", "30m1h", "1h 30m", "-1s", "1H", "s", "1s1s", "٣s", "1s\n"]
)
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected a duration such as 30s"):
        parse_duration(text)


def test_durations_end_where_alertmanager_overflows():
    assert parse_duration("292y") < timedelta(days=293 * 365)
    with pytest.raises(ValueError, match="longer than 292 years"):
        parse_duration("293y")


@given(st.lists(st.integers(0, 999), min_size=7, max_size=7).filter(any))
def test_units_add_up_in_their_order(counts):
    units = {"y": 365 * 86_400, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
    counts[0] %= 200
    text = "".join(f"{count}{unit}" for count, unit in zip(counts, units, strict=True))
    total = sum(count * seconds for count, seconds in zip(counts, units.values(), strict=True))
    expected = timedelta(seconds=total)
    assert abs(parse_duration(text) - expected) < timedelta(milliseconds=1)
