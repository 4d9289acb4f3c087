"""What an exception is in the words of the contract: its type, how it is handled, its HTTP status.

The table is the pipeline's own, which a test holds it to; Python's own kinds of exceptions come on top.
"""

from collections.abc import Mapping
from typing import Any

from agent_oversight.words import ErrorClass, Failure

ESCALATION = ("guardrail", "approval", "handoff", "human", "escalat", "content_filter")
NON_RETRYABLE = (
    "quota", "billing", "permission", "forbidden", "unauthorized", "authentication", "valid", "not_found",
    "bad_request", "unprocessable", "schema", "context_length", "max_steps",
)  # fmt: skip
RETRYABLE = (
    "timeout", "timed_out", "deadline", "rate_limit", "ratelimit", "too_many_requests", "throttl", "overload",
    "unavailable", "connect", "connreset", "network", "temporar", "internal", "server_error", "gateway",
)  # fmt: skip
AGAIN = (408, 429)
CLIENT_ERRORS = range(400, 500)
SERVER_ERRORS = range(500, 600)
CANCELLED = ("CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit")
KINDS: Mapping[type[BaseException], ErrorClass] = {
    TimeoutError: "retryable",
    ConnectionError: "retryable",
    PermissionError: "non_retryable",
    ValueError: "non_retryable",
    TypeError: "non_retryable",
    LookupError: "non_retryable",
}
NAMED = {kind.__name__: known for kind, known in KINDS.items()}
MOST_OF_A_MESSAGE = 512

Classes = Mapping[type[BaseException], ErrorClass | None]
"""What an agent says of its own exceptions; None leaves it to the rules of the pipeline (`errors:`)."""


def failure_of(error: BaseException, classes: Classes) -> Failure:
    """The `error` of an event; never raises, whatever the exception is like."""
    kind = type(error).__name__
    if kind in CANCELLED:
        return {"type": "cancelled"}
    found: Failure = {"type": kind}
    try:
        _details(error, classes, found)
    except Exception:  # noqa: BLE001 - an exception's own attributes may do anything
        return found
    return found


def _details(error: BaseException, classes: Classes, found: Failure) -> None:
    status = _status(error)
    if status is not None:
        found["http_status_code"] = status
    known = (
        _own(error, classes)
        if any(isinstance(error, each) for each in classes)
        else (error_class(found["type"], status) or _own(error, KINDS))
    )
    if known is not None:
        found["class"] = known
    if (after_s := _retry_after(error)) is not None:
        found["retry_after"] = after_s
    if message := str(error)[:MOST_OF_A_MESSAGE]:
        found["message"] = message


def _own(error: BaseException, classes: Classes) -> ErrorClass | None:
    """What is said of the nearest of an exception's classes."""
    return next((classes[each] for each in type(error).__mro__ if each in classes), None)


def failure_named(kind: str, status: int | None = None, message: str | None = None) -> Failure:
    """The `error` of an event where only the name of an exception is known.

    >>> failure_named("builtins.ValueError")
    {'type': 'ValueError', 'class': 'non_retryable'}
    """
    name = kind.rpartition(".")[2]
    found: Failure = {"type": name}
    if (known := error_class(name, status) or NAMED.get(name)) is not None:
        found["class"] = known
    if status is not None:
        found["http_status_code"] = status
    if message:
        found["message"] = message[:MOST_OF_A_MESSAGE]
    return found


def error_class(kind: str, status: int | None = None) -> ErrorClass | None:
    """The class that a type's words or an HTTP status say, or None where nothing is known of them.

    >>> error_class("insufficient_quota", 429)
    'non_retryable'
    """
    word = kind.lower().replace("-", "_").replace(" ", "_")
    classes: tuple[tuple[ErrorClass, tuple[str, ...]], ...] = (
        ("escalation", ESCALATION),
        ("non_retryable", NON_RETRYABLE),
        ("retryable", RETRYABLE),
    )
    said = next((name for name, parts in classes if any(part in word for part in parts)), None)
    if said is not None:
        return said
    if status is None and kind.isascii() and kind.isdigit():
        status = int(kind[:3])
    if status in AGAIN or status in SERVER_ERRORS:
        return "retryable"
    return "non_retryable" if status in CLIENT_ERRORS else None


def _status(error: BaseException) -> int | None:
    """The HTTP status, where the clients of providers put it."""
    response: Any = getattr(error, "response", None)
    for holder in (error, response):
        for name in ("status_code", "status", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600:  # noqa: PLR2004 - HTTP
                return status
    return None


def _retry_after(error: BaseException) -> float | None:
    """Seconds that the server asked to wait; a date there is passed over."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None)
    said = headers.get("retry-after") if headers is not None else None
    try:
        after_s = float(said)  # type: ignore[arg-type] # None, or whatever a server wrote
    except (TypeError, ValueError):
        return None
    return after_s if 0 <= after_s < float("inf") else None
