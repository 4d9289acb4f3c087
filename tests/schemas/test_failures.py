"""The class of a failure that does not say its own."""

import pytest

from schemas.event import Failure
from schemas.failures import error_class


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("timeout", None, "retryable"),
        ("ConnectTimeout", None, "retryable"),
        ("rate_limit_exceeded", 429, "retryable"),
        ("RateLimitError", None, "retryable"),
        ("connection refused", None, "retryable"),
        ("503", None, "retryable"),
        ("429", None, "retryable"),
        ("_OTHER", 502, "retryable"),
        ("_OTHER", 408, "retryable"),
        ("insufficient_quota", 429, "non_retryable"),
        ("permission-denied", None, "non_retryable"),
        ("validation error", 500, "non_retryable"),
        ("404", None, "non_retryable"),
        ("_OTHER", 422, "non_retryable"),
        ("_OTHER", None, "non_retryable"),
        ("guardrail_blocked", None, "escalation"),
        ("handoff_to_human", None, "escalation"),
        ("approval_required", 403, "escalation"),
    ],
)
def test_words_tell_first_and_then_the_status(kind, status, expected):
    assert error_class(Failure(type=kind, http_status_code=status)) == expected


def test_what_the_event_says_itself_wins():
    assert error_class(Failure(type="timeout", class_="escalation")) == "escalation"
