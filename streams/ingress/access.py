"""By what it is proved who comes in: secrets from variables, or from files that variables name."""

from collections.abc import Mapping
from ipaddress import ip_address

from msgspec import Struct

from routing.callbacks.links import LEAST_SECRET
from streams.hosting.variables import Misconfigured, value

LEAST_TOKEN = 16
"""Characters of a token: what is shorter can be guessed."""


class Access(Struct, frozen=True, kw_only=True):
    """What proves who comes in.

    `api`: tokens of the HTTP API; without one it answers on loopback only. `slack`, `pagerduty`: secrets by
    which their requests are signed; without one they are not listened to. `socket`: Slack's app token.
    `links`: secrets by which links in letters and cards are signed.
    """

    api: tuple[str, ...] = ()
    slack: tuple[str, ...] = ()
    pagerduty: tuple[str, ...] = ()
    socket: str = ""
    links: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """How many there are, never what they are."""
        return f"Access(api={len(self.api)}, slack={len(self.slack)}, pagerduty={len(self.pagerduty)})"


def read(variables: Mapping[str, str]) -> Access:
    """From OVERSIGHT_API_TOKEN, OVERSIGHT_LINK_SECRET, SLACK_…_SECRET, PAGERDUTY_…_SECRET, SLACK_APP_TOKEN.

    Several values are separated by commas, so that one can be replaced by another; with `_FILE` behind its
    name a variable names a file that holds the value.

    Raises:
        Misconfigured: a file cannot be read, or a token is too short.
    """
    return Access(
        api=_long(variables, "OVERSIGHT_API_TOKEN", LEAST_TOKEN),
        links=_long(variables, "OVERSIGHT_LINK_SECRET", LEAST_SECRET),
        slack=_several(variables, "SLACK_SIGNING_SECRET"),
        pagerduty=_several(variables, "PAGERDUTY_WEBHOOK_SECRET"),
        socket=value(variables, "SLACK_APP_TOKEN"),
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


def _long(variables: Mapping[str, str], name: str, least: int) -> tuple[str, ...]:
    found = _several(variables, name)
    if any(len(each) < least for each in found):
        raise Misconfigured(f"{name} is too short; expected at least {least} characters")
    return found


def _several(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in value(variables, name).split(",") if each.strip())
