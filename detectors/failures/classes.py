"""How a failure is handled, where the event does not say: retried, given up, or handed to a person."""

from schemas.event import ErrorClass, Failure

ESCALATION = ("guardrail", "approval", "handoff", "human", "escalat", "content_filter")
NON_RETRYABLE = (
    "quota", "billing", "permission", "forbidden", "unauthorized", "authentication", "valid", "not_found",
    "bad_request", "unprocessable", "schema", "context_length", "max_steps",
)  # fmt: skip
RETRYABLE = (
    "timeout", "timed_out", "deadline", "rate_limit", "ratelimit", "too_many_requests", "throttl", "overload",
    "unavailable", "connect", "connreset", "network", "temporar", "internal", "server_error", "gateway",
)  # fmt: skip
TOO_MANY_REQUESTS = 429
REQUEST_TIMEOUT = 408
SERVER_ERRORS = range(500, 600)


def error_class(failure: Failure) -> ErrorClass:
    """The class the event gives or, absent, one by words in the error's type, then by its HTTP status.

    Words come first, as `insufficient_quota` arrives with status 429. What nothing is known of is not
    retryable: repeating it is not known to be safe.

    >>> error_class(Failure(type="insufficient_quota", http_status_code=429))
    'non_retryable'
    """
    return failure.class_ or _by_words(failure.type) or _by_status(failure)


def _by_words(kind: str) -> ErrorClass | None:
    word = kind.lower().replace("-", "_").replace(" ", "_")
    classes: tuple[tuple[ErrorClass, tuple[str, ...]], ...] = (
        ("escalation", ESCALATION),
        ("non_retryable", NON_RETRYABLE),
        ("retryable", RETRYABLE),
    )
    return next((name for name, parts in classes if any(part in word for part in parts)), None)


def _by_status(failure: Failure) -> ErrorClass:
    status = failure.http_status_code
    if status is None and failure.type.isascii() and failure.type.isdigit():
        status = int(failure.type[:3])
    if status in (TOO_MANY_REQUESTS, REQUEST_TIMEOUT) or status in SERVER_ERRORS:
        return "retryable"
    return "non_retryable"
