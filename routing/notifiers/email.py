"""E-mail, by SMTP.

Target: an address, or several with commas between. Options, each else from the environment: `server`
(`SMTP_SERVER`: `host` or `host:port`), `from` (`SMTP_FROM`), `username` and `password` (`SMTP_USERNAME`,
`SMTP_PASSWORD`: without a name nobody signs in), `security` (`SMTP_SECURITY`: `starttls`, unless it says
`tls` or `none`). The Message-ID is derived from the page's id, so a repeated attempt is the same letter. How
letters look is in `routing.words.letters`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, cast

from routing.notifiers.notifier import Answer, Delivery, Mail, Rendered, Room, Secrets, Security
from routing.words.answers import option
from routing.words.deed_links import deed_links
from routing.words.letters import ROOM, letter, thread_of
from routing.words.wording import one_line
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message

PORTS: Mapping[str, int] = {"starttls": 587, "tls": 465, "none": 25}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}\Z")
SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?\Z")
TAKEN = range(200, 300)
LATER = range(400, 500)
WORD = 200


class Email:
    """2xx is delivered; 4xx and silence are for later; 5xx is final."""

    kind: ClassVar[str] = "email"
    options: ClassVar[tuple[str, ...]] = ("from", "password", "security", "server", "username")
    example: ClassVar[Mapping[str, str]] = {
        "target": "oncall@example.com",
        "env:SMTP_FROM": "oversight@example.com",
        "env:SMTP_SERVER": "smtp.example.com",
    }
    room: ClassVar[Room] = Room(total=ROOM)
    needs: ClassVar[Mapping[str, str]] = {"from": "SMTP_FROM", "server": "SMTP_SERVER"}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """Addresses, a server, a kind of security; anything else is taken as it is."""
        if option in ("", "from"):
            wrong = [each for each in _addresses(text) if not ADDRESS.match(each)]
            return f"expected an address such as oncall@example.com, found {wrong[0]!r}" if wrong else ""
        if option == "security" and text not in PORTS:
            return f"expected one of {', '.join(PORTS)}; found {text!r}"
        if option == "server" and not SERVER.match(text):
            return f"expected a server such as smtp.example.com:587, found {text!r}"
        return ""

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One letter; when it was asked for is said in it, so the time of the attempt is not needed."""
        del now
        channel = message.channel
        named = {"": secrets(channel.target)}
        named |= {
            name: secrets(channel.options.get(name, f"env:SMTP_{name.upper()}"))
            for name in ("from", "server")
        }
        named["security"] = option(channel, secrets, "security", "starttls", variable="SMTP_SECURITY")
        faults = [fault for name, text in named.items() if (fault := self.fault(text, name))]
        if faults:
            return Undeliverable(reason=one_line("; ".join(faults), WORD))
        host, port = cast("re.Match[str]", SERVER.match(named["server"])).groups()
        recipients = _addresses(named[""])
        answer = yield Mail(
            server=host.strip("[]"),
            port=int(port or PORTS[named["security"]]),
            security=cast("Security", named["security"]),
            sender=named["from"],
            recipients=recipients,
            content=letter(message, rendered, named["from"], recipients, deed_links(message, secrets)),
            username=option(channel, secrets, "username", variable="SMTP_USERNAME"),
            password=option(channel, secrets, "password", variable="SMTP_PASSWORD"),
        )
        thread = thread_of(message, rendered, named["from"].rpartition("@")[2])
        return _meaning(answer, str(thread))


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(","))


def _meaning(answer: Answer, reference: str) -> Outcome:
    if answer.status in TAKEN:
        return Delivered(reference=reference)
    if answer.status == 0:
        return Deferred(reason=answer.fault or "no answer")
    said = one_line(f"SMTP {answer.status} {answer.body.decode('utf-8', 'replace')}", WORD)
    return Deferred(reason=said) if answer.status in LATER else Undeliverable(reason=said)
