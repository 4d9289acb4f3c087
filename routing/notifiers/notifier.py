"""The protocol of a notifier.

A new channel is one new file in this package: a module whose name is the channel's kind, with one public
class of this shape. The host finds it by itself and does the IO.
"""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

import msgspec
from msgspec import Struct

from schemas.outcome import Outcome
from schemas.page import Message

Security = Literal["starttls", "tls", "none"]


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request. `body` is sent as it is; `headers` may hold secrets and are never logged.

    `known`: what became of the message before this call, which only tidies up; it counts where no time is
    left for the call.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    known: Outcome | None = None

    def __repr__(self) -> str:
        """Without address, headers and body: each may hold a secret, or words of others."""
        return f"Call({self.method}, {len(self.body)} bytes)"


class Print(Struct, frozen=True):
    """Text for the terminal, with the look it wants: `markup` is rich console markup."""

    markup: str


class Mail(Struct, frozen=True, kw_only=True):
    """One letter and the server that takes it. `content`: the whole letter, with CRLF.

    Without `username` nobody signs in. `security`: `starttls` and `tls` take nothing less.
    """

    server: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without names, words of others and secrets."""
        return f"Mail({len(self.recipients)} recipients, {len(self.content)} bytes)"


class Handover(Struct, frozen=True, kw_only=True):
    """Text for a service that the library apprise knows. `address`: apprise's own, with its secrets in it."""

    address: str
    title: str
    body: str
    tone: Literal["failure", "warning", "info", "success"]

    def __repr__(self) -> str:
        """Without address and words of others."""
        return f"Handover({len(self.body)} characters)"


class Answer(Struct, frozen=True, kw_only=True):
    """What came back. `status` 0: nothing did (`fault` says why: time-out, connection refused, …).

    `status` is HTTP's, or of a letter SMTP's last reply. Names of `headers` are in lower case.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    fault: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, or an empty one."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}


class Fact(Struct, frozen=True):
    """One thing a page says: a label of a word or two, and text of a line or a few."""

    label: str
    text: str


class Rendered(Struct, frozen=True, kw_only=True):
    """A message in words: a line for a lock screen, and a body of a few lines of plain text.

    `facts`: the body in parts, for channels that can set them apart; empty where a team's template worded it.
    """

    title: str
    body: str
    facts: tuple[Fact, ...] = ()


class Room(Struct, frozen=True, kw_only=True):
    """How much a channel shows; what is longer is cut. 0: as much as there is.

    `title`, `text`: characters of the title and of one fact or the body. `total`: bytes of all facts as JSON.
    """

    title: int = 0
    text: int = 0
    total: int = 0


Secrets = Callable[[str], str]
"""Resolves a target or option: `env:NAME` to the variable's value, anything else to itself.

Raises KeyError(NAME) where it is not set.
"""

Step = Call | Print | Mail | Handover
Delivery = Generator[Step, Answer, Outcome]


class Notifier(Protocol):
    """How one kind of channel is told."""

    kind: ClassVar[str]
    options: ClassVar[tuple[str, ...]]
    """What may be said beside the target, by name."""
    example: ClassVar[Mapping[str, str]]
    """A `target`, and what the channel cannot do without: by option, or by `env:NAME`."""
    room: ClassVar[Room]
    needs: ClassVar[Mapping[str, str]]
    """Options that it cannot do without, and the variable of the environment that stands in for each."""

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """What is wrong with a target, or an option, that is written out (not `env:NAME`); else empty."""
        ...

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One attempt: yields calls, is sent their answers, returns the outcome.

        At-least-once: an attempt above 1 looks first whether an earlier one got through, where the channel
        can tell.
        """
        ...
