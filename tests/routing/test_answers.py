from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.notifiers.notifier import Answer
from routing.words.answers import not_now, retry_at, setting
from schemas.outcome import Deferred
from tests.fakes import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", timedelta()),
        ("3", timedelta(seconds=3)),
        (" 30 ", timedelta(seconds=30)),
        ("999999999999", HOUR),
        ("Sun, 22 Feb 2026 11:45:30 GMT", timedelta(minutes=1)),
        ("Sun, 22 Feb 2026 11:45:30 -0000", timedelta(minutes=1)),
        ("Sun, 22 Feb 2026 11:00:00 GMT", timedelta()),
        ("Mon, 22 Feb 2027 11:00:00 GMT", HOUR),
    ],
)
def test_retry_after_is_seconds_or_a_date(said, wait):
    assert retry_at({"retry-after": said}, NOW) == NOW + wait


@pytest.mark.parametrize("said", ["", "soon", "-3", "1.5", "٣"])
def test_a_retry_after_that_makes_no_sense_is_ignored(said):
    assert retry_at({"retry-after": said}, NOW) is None


@given(st.text(max_size=40))
def test_whatever_the_header_says_the_wait_is_bounded(said):
    at = retry_at({"retry-after": said}, NOW)
    assert at is None or NOW <= at <= NOW + HOUR


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_what_may_work_later_is_deferred(status):
    assert isinstance(not_now(Answer(status=status), NOW), Deferred)


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 404, 410])
def test_what_is_final_is_not_deferred(status):
    assert not_now(Answer(status=status), NOW) is None


def test_no_answer_is_deferred_with_its_cause():
    assert not_now(Answer(status=0, fault="cannot connect"), NOW) == Deferred(reason="cannot connect")
    assert not_now(Answer(status=0), NOW) == Deferred(reason="no answer")


def test_a_setting_has_a_default():
    assert setting({"env:A": "a"}.__getitem__, "env:A", "b") == "a"
    assert setting({}.__getitem__, "env:A", "b") == "b"
