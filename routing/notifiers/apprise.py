"""The long tail of services, by the library apprise (the extra `apprise`): Telegram, Matrix, ntfy and more.

Target: apprise's own address of a service (`env:NAME`, for it holds the secrets). Apprise says no more than
that it worked or not, so nothing can be edited, and a page whose answer was lost is sent twice: the text ends
with the page's id. An acknowledgement and a resolution are messages of their own, a mere update is not sent.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from routing.content import BODY, TITLE
from routing.notifiers.notifier import Delivery, Handover, Rendered, Room, Secrets
from routing.words.answers import not_now
from routing.words.wording import one_line
from schemas.outcome import Delivered, Undeliverable
from schemas.page import Message

UNSENT = frozenset({"updated", "commented"})
SENT = range(200, 300)
WORD = 200
TONES: Mapping[str, Literal["failure", "warning", "info"]] = {
    "critical": "failure",
    "error": "failure",
    "warning": "warning",
    "info": "info",
}


class Apprise:
    """What worked is delivered; what did not, or not in time, is for later; an unknown address is final."""

    kind: ClassVar[str] = "apprise"
    options: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[Mapping[str, str]] = {"target": "env:TELEGRAM"}
    room: ClassVar[Room] = Room(title=TITLE, text=BODY)
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """An address of apprise holds the secrets of its service."""
        del text, option
        return "an address of apprise holds secrets: write env:NAME, and put it into that variable"

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One handover; none for what can only be shown by an edit."""
        address = secrets(message.channel.target)
        if message.reason in UNSENT:
            return Delivered(reference=message.id)
        calm = message.content.status != "triggered"
        answer = yield Handover(
            address=address,
            title=rendered.title,
            body=f"{rendered.body}\n\n{message.incident} · to {message.to} · {message.reason} · {message.id}",
            tone="success" if calm else TONES[message.severity],
        )
        if answer.status in SENT:
            return Delivered(reference=message.id)
        said = one_line(answer.body.decode("utf-8", "replace"), WORD)
        return not_now(answer, now) or Undeliverable(reason=said or f"status {answer.status}")
