"""Microsoft Teams, by the webhook of a workflow ("When a Teams webhook request is received").

Target: the workflow's address (`env:NAME`: whoever has it may post). A page is one Adaptive Card. Teams lets
nobody edit or answer it by webhook: an acknowledgement and a resolution are short cards of their own, a mere
update is not sent. How cards look is in `routing.words.cards`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from routing.notifiers.notifier import Answer, Call, Delivery, Rendered, Room, Secrets
from routing.words.answers import no_address, not_now
from routing.words.cards import ROOM, envelope
from routing.words.deed_links import deed_links
from routing.words.wording import one_line
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message

SUCCESS = range(200, 300)
FAILED = b"Webhook message delivery failed"
LIMITED = b"HTTP error 429"


class Teams:
    """Accepted is delivered; 408, 425, 429, 5xx and silence are for later; everything else is final."""

    kind: ClassVar[str] = "teams"
    options: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[Mapping[str, str]] = {"target": "https://flows.example/1"}
    room: ClassVar[Room] = Room(total=ROOM)
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """An address of the web."""
        del option
        return no_address(text)

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One POST; none for what can only be shown by an edit."""
        url = secrets(message.channel.target)
        if no_address(url):
            return Undeliverable(reason="the target of teams must be an http or https address")
        if message.reason in {"updated", "commented"}:
            return Delivered(reference=message.id)
        body = envelope(message, rendered, deed_links(message, secrets))
        answer = yield Call(method="POST", url=url, headers={"content-type": "application/json"}, body=body)
        return not_now(answer, now) or _meaning(answer, message.id)


def _meaning(answer: Answer, reference: str) -> Outcome:
    if answer.status not in SUCCESS:
        return Undeliverable(reason=f"HTTP {answer.status}")
    # Connectors, which some still have, answer 200 even to errors.
    if FAILED not in answer.body:
        return Delivered(reference=reference)
    if LIMITED in answer.body:
        return Deferred(reason="rate limited")
    return Undeliverable(reason=one_line(answer.body[:300].decode("utf-8", "replace"), 200))
