"""Spans of time as a configuration writes them."""

from datetime import timedelta

import pytest

from detectors.durations import duration


@pytest.mark.parametrize(
    ("text", "span"),
    [("30d", timedelta(days=30)), ("1w2d", timedelta(days=9)), ("1h30m5s", timedelta(seconds=5405))],
)
def test_a_span_is_read(text, span):
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "30", "1.5h", "0s", "3d1w", None, 5, "1h\n"])
def test_what_is_no_span_is_refused_and_named(text):
    with pytest.raises(ValueError, match="is no span of time"):
        duration(text)
