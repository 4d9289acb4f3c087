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
CLIENT_ERRORS = range(400, 500)
SERVER_ERRORS = range(500, 600)


def error_class(failure: Failure) -> ErrorClass:
    """The class the event gives or, absent, one by words in the error's type, then by its HTTP status.

    Words come first, as `insufficient_quota` arrives with status 429. What nothing is known of is not
    retryable: repeating it is not known to be safe.

    >>> error_class(Failure(type="insufficient_quota", http_status_code=429))
    'non_retryable'
    """
    return failure.class_ or known_class(failure.type, failure.http_status_code) or "non_retryable"


def known_class(kind: str, status: int | None = None) -> ErrorClass | None:
    """The class that a type's words or an HTTP status say, or None where nothing is known of them."""
    return _by_words(kind) or _by_status(kind, status)


def _by_words(kind: str) -> ErrorClass | None:
    word = kind.lower().replace("-", "_").replace(" ", "_")
    classes: tuple[tuple[ErrorClass, tuple[str, ...]], ...] = (
        ("escalation", ESCALATION),
        ("non_retryable", NON_RETRYABLE),
        ("retryable", RETRYABLE),
    )
    return next((name for name, parts in classes if any(part in word for part in parts)), None)


def _by_status(kind: str, status: int | None) -> ErrorClass | None:
    if status is None and kind.isascii() and kind.isdigit():
        status = int(kind[:3])
    if status in (TOO_MANY_REQUESTS, REQUEST_TIMEOUT) or status in SERVER_ERRORS:
        return "retryable"
    return "non_retryable" if status in CLIENT_ERRORS else None
