"""Where metrics and health are told, and to whom."""

from collections.abc import Mapping

from msgspec import Struct

from streams.hosting.variables import Misconfigured, value
from streams.ingress.access import LEAST_TOKEN, is_loopback

VARIABLE = "OVERSIGHT_LISTEN"
TOKEN = "OVERSIGHT_METRICS_TOKEN"  # noqa: S105 - a variable's name


class Listening(Struct, frozen=True):
    """Where to listen. `tokens`: any of them opens everything; none: only this machine is answered."""

    host: str
    port: int
    tokens: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """How many tokens there are, never what they are."""
        return f"Listening({self.host}:{self.port}, {len(self.tokens)} tokens)"


def read(variables: Mapping[str, str]) -> Listening | None:
    """From OVERSIGHT_LISTEN, `host:port` or a port of this machine, and OVERSIGHT_METRICS_TOKEN (_FILE).

    Raises:
        Misconfigured: it is no place, or others reach it and no token keeps them out.
    """
    said = variables.get(VARIABLE, "").strip()
    if not said:
        return None
    host, colon, port = said.rpartition(":")
    host = host.strip("[]") if colon else "127.0.0.1"
    if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the last port
        raise Misconfigured(f"{VARIABLE} is {said!r}; expected host:port, or a port of this machine")
    tokens = tuple(each.strip() for each in value(variables, TOKEN).split(",") if each.strip())
    if any(len(each) < LEAST_TOKEN for each in tokens):
        raise Misconfigured(f"{TOKEN} is too short; expected at least {LEAST_TOKEN} characters")
    if not tokens and not is_loopback(host):
        raise Misconfigured(f"to listen on {host}, which others reach, {TOKEN} must be set")
    return Listening(host, int(port), tokens)
