"""By what it is proved who comes in: secrets from variables, or from files that variables name."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from msgspec import Struct

from streams.hosting.environment import Misconfigured

LEAST_TOKEN = 16
"""Characters of a token: what is shorter can be guessed."""


class Access(Struct, frozen=True, kw_only=True):
    """What proves who comes in.

    `api`: tokens of the HTTP API; without one it answers on loopback only. `slack`, `pagerduty`: secrets by
    which their requests are signed; without one they are not listened to. `socket`: Slack's app token.
    """

    api: tuple[str, ...] = ()
    slack: tuple[str, ...] = ()
    pagerduty: tuple[str, ...] = ()
    socket: str = ""

    def __repr__(self) -> str:
        """How many there are, never what they are."""
        return f"Access(api={len(self.api)}, slack={len(self.slack)}, pagerduty={len(self.pagerduty)})"


def read(variables: Mapping[str, str]) -> Access:
    """From OVERSIGHT_API_TOKEN, SLACK_SIGNING_SECRET, PAGERDUTY_WEBHOOK_SECRET and SLACK_APP_TOKEN.

    Several values are separated by commas, so that one can be replaced by another; with `_FILE` behind its
    name a variable names a file that holds the value.

    Raises:
        Misconfigured: a file cannot be read, or a token is too short.
    """
    tokens = _several(variables, "OVERSIGHT_API_TOKEN")
    if any(len(each) < LEAST_TOKEN for each in tokens):
        raise Misconfigured(f"OVERSIGHT_API_TOKEN is too short; expected at least {LEAST_TOKEN} characters")
    return Access(
        api=tokens,
        slack=_several(variables, "SLACK_SIGNING_SECRET"),
        pagerduty=_several(variables, "PAGERDUTY_WEBHOOK_SECRET"),
        socket=_value(variables, "SLACK_APP_TOKEN"),
    )


def bound(host: str, access: Access) -> str:
    """The host to listen on.

    Raises:
        Misconfigured: others could reach it, and no token keeps them out.
    """
    if not access.api and not is_loopback(host):
        raise Misconfigured(f"to listen on {host}, which others reach, OVERSIGHT_API_TOKEN must be set")
    return host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it.

    >>> [is_loopback(each) for each in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "pager.example")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _several(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in _value(variables, name).split(",") if each.strip())


def _value(variables: Mapping[str, str], name: str) -> str:
    path = variables.get(f"{name}_FILE", "")
    if not path:
        return variables.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{name}_FILE: {path} cannot be read: {type(error).__name__}") from error
