"""How exceptions are classed: by what the agent says of them, by the pipeline's table, by Python's kinds."""

import asyncio

import pytest

from agent_oversight.failures import error_class, failure_of
from schemas.failures import known_class


class Response:
    def __init__(self, status, **headers):
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class DeclinedError(Exception):
    pass


class CardDeclinedError(DeclinedError):
    pass


class APIStatusError(Exception):
    def __init__(self, response):
        super().__init__(f"status {response.status_code}")
        self.response = response


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), "retryable"),
        (type("Slow", (TimeoutError,), {})(), "retryable"),
        (ConnectionResetError(), "retryable"),
        (type("RateLimitError", (Exception,), {})(), "retryable"),
        (type("InsufficientQuota", (Exception,), {})(), "non_retryable"),
        (type("GuardrailTripwireTriggered", (Exception,), {})(), "escalation"),
        (PermissionError(), "non_retryable"),
        (KeyError("a"), "non_retryable"),
        (APIStatusError(Response(503)), "retryable"),
        (APIStatusError(Response(429)), "retryable"),
        (APIStatusError(Response(404)), "non_retryable"),
        (APIStatusError(Response(200)), None),
        (DeclinedError(), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_a_failure_has_its_class(error, expected):
    assert failure_of(error, {}).get("class") == expected


def test_what_the_agent_says_of_its_own_exceptions_goes_first_the_nearest_of_all():
    classes = {DeclinedError: "non_retryable", CardDeclinedError: "escalation", TimeoutError: None}
    assert failure_of(DeclinedError(), classes)["class"] == "non_retryable"
    assert failure_of(CardDeclinedError(), classes)["class"] == "escalation"
    assert "class" not in failure_of(TimeoutError(), classes), "left to the rules"
    assert "class" not in failure_of(TimeoutError(), {Exception: None})


def test_status_and_pause_are_told_where_clients_of_providers_have_them():
    failure = failure_of(APIStatusError(Response(429, retry_after="7")), {})
    assert (failure["http_status_code"], failure["retry_after"]) == (429, 7.0)
    for said in ("Wed, 21 Oct 2026 07:28:00 GMT", "-1", "inf"):
        assert "retry_after" not in failure_of(APIStatusError(Response(429, retry_after=said)), {})


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_what_was_cancelled_is_no_fault_of_a_known_class(error):
    assert failure_of(error, {}) == {"type": "cancelled"}


def test_an_exception_that_cannot_be_looked_at_is_told_by_its_type():
    class HostileError(Exception):
        @property
        def response(self):
            raise RuntimeError

    assert failure_of(HostileError(), {}) == {"type": "HostileError"}


def test_a_long_message_is_cut():
    assert len(failure_of(Exception("x" * 1000), {})["message"]) == 512


@pytest.mark.parametrize("status", [None, 200, 400, 404, 408, 429, 500, 503, 599])
@pytest.mark.parametrize(
    "kind",
    ["429", "503", "504 gateway", "RateLimitError", "insufficient_quota", "handoff", "ReadTimeout",
     "bad_request",
     "content-filter", "server error", "Odd", "404", "200", ""],
)  # fmt: skip
def test_the_table_is_the_pipelines(kind, status):
    assert error_class(kind, status) == known_class(kind, status)
