"""Whose fault a failed call is: the dependency's, or that of who asked it."""

from typing import Literal

from detectors.error_rate import LAST_ATTEMPT
from schemas.event import Failure
from schemas.failures import TOO_MANY_REQUESTS, error_class

LIMITS = ("rate_limit", "ratelimit", "too_many_requests", "throttl")
ACCESS = (
    "unauthorized",
    "authentication",
    "api_key",
    "apikey",
    "credential",
    "certificate",
    "quota",
    "billing",
)
ACCESS_STATUS = (401, 402)

Blame = Literal["limited", "down", "refused", "request", "person"]
"""`limited`: slow down; `down`: it does not work; `refused`: nobody of this agent gets in; `request`: it
answered, and found the request wrong; `person`: the call went to a person instead.
"""


def blame(failure: Failure) -> Blame:
    """Whose fault it is, by the type's words, the status and the class.

    >>> blame(Failure(type="503")), blame(Failure(type="user_not_found"))
    ('down', 'request')
    """
    word = failure.type.lower().replace("-", "_").replace(" ", "_")
    if any(part in word for part in ACCESS) or failure.http_status_code in ACCESS_STATUS:
        return "refused"
    if any(part in word for part in LIMITS) or failure.http_status_code == TOO_MANY_REQUESTS:
        return "down" if _is_lost(failure) else "limited"
    kind = error_class(failure)
    if kind == "escalation":
        return "person"
    return "down" if kind == "retryable" else "request"


def _is_lost(failure: Failure) -> bool:
    """Whether the event says that no retry follows."""
    if failure.final is not None:
        return failure.final
    return failure.attempt is not None and failure.attempt >= LAST_ATTEMPT
