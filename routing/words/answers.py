"""What channels agree on: what an HTTP answer means for a page, and what an address looks like."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from routing.notifiers.notifier import Answer, Secrets
from schemas.outcome import Deferred
from schemas.page import Channel

AGAIN = frozenset({408, 425, 429})
TOO_MANY = 429
SERVER_FAULT = 500
# Longer than any channel asks for in earnest: a page must not be put off to next year by a bad header.
LONGEST_WAIT = timedelta(hours=1)


def not_now(answer: Answer, now: datetime) -> Deferred | None:
    """Deferred for no answer, 408, 425, 429 and 5xx (with the time of `Retry-After`); None for the rest."""
    if answer.status == 0:
        return Deferred(reason=answer.fault or "no answer")
    if answer.status not in AGAIN and answer.status < SERVER_FAULT:
        return None
    reason = "rate limited" if answer.status == TOO_MANY else f"HTTP {answer.status}"
    return Deferred(reason=reason, retry_at=retry_at(answer.headers, now))


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When `Retry-After` (seconds or an HTTP date) allows another attempt, at most an hour from `now`."""
    said = headers.get("retry-after", "").strip()
    if not said:
        return None
    if said.isdecimal() and said.isascii():
        wait = timedelta(seconds=min(int(said[:9]), LONGEST_WAIT.total_seconds()))
        return now + wait
    try:
        date = parsedate_to_datetime(said)
    except ValueError:
        return None
    # A date without a zone ("-0000") is UTC by RFC 5322.
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(aware, now), now + LONGEST_WAIT)


def setting(secrets: Secrets, reference: str, default: str) -> str:
    """A setting from the environment, or the default where the variable is not set."""
    try:
        return secrets(reference)
    except KeyError:
        return default


def option(channel: Channel, secrets: Secrets, name: str, default: str = "", *, variable: str = "") -> str:
    """A channel's option; else what `variable` of the environment says; else the default."""
    if name in channel.options:
        return secrets(channel.options[name])
    return setting(secrets, f"env:{variable}", default) if variable else default


def no_address(target: str) -> str:
    """What keeps a target from being an address of the web, or an empty string.

    >>> no_address("https://hooks.example/1"), no_address("hooks.example")
    ('', "expected an address that begins with https:// or http://, found 'hooks.example'")
    """
    whole = target == "".join(target.split())
    if whole and target.startswith(("http://", "https://")):
        return ""
    return f"expected an address that begins with https:// or http://, found {target!r}"
