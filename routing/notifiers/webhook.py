"""Any HTTP endpoint: a signed POST of the whole message as JSON.

Target: the URL (usually `env:NAME`). Options: `secret` (usually `env:NAME`) signs each request:
`X-Oversight-Signature: t=SECONDS,v1=HEX`, HEX being HMAC-SHA256 with the secret over `SECONDS.BODY`. The
receiver tells a repeated page by `Idempotency-Key`, the id of the page or update. Texts beyond 4,000
characters and labels beyond 100 are cut; where that is still more than 1 MB, texts beyond 200.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from routing.notifiers.notifier import Call, Delivery, Rendered, Room, Secrets
from routing.words.answers import no_address, not_now
from routing.words.wording import cut
from schemas.outcome import Delivered, Outcome, Undeliverable
from schemas.page import Message

SUCCESS = range(200, 300)
VERSION = 1
"""Of the document; fields are added without a new one."""
LIMIT = 1_000_000
"""Bytes: what many servers take at most. Beyond, all texts are made short."""
TEXT = 4000
SHORT = 200
NAME = 255
MOST = 100


class Webhook:
    """2xx is delivered; 408, 425, 429, 5xx and silence are for later; everything else is final."""

    kind: ClassVar[str] = "webhook"
    options: ClassVar[tuple[str, ...]] = ("secret",)
    example: ClassVar[Mapping[str, str]] = {"target": "https://hooks.example/1", "secret": "env:HOOK_SECRET"}
    room: ClassVar[Room] = Room(title=TEXT, text=TEXT)
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """An address of the web; a secret that is written out is found by its name."""
        return "" if option else no_address(text)

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One POST."""
        url = secrets(message.channel.target)
        if no_address(url):
            return Undeliverable(reason="the target of a webhook must be an http or https address")
        body = document(message, rendered)
        headers = {
            "content-type": "application/json",
            "idempotency-key": message.id,
            "user-agent": "agent-oversight",
        }
        if "secret" in message.channel.options:
            key = secrets(message.channel.options["secret"])
            headers["x-oversight-signature"] = signature(key, body, int(now.timestamp()))
        answer = yield Call(method="POST", url=url, headers=headers, body=body)
        outcome: Outcome | None = not_now(answer, now)
        if outcome is None and answer.status in SUCCESS:
            outcome = Delivered(reference=message.id)
        return outcome or Undeliverable(reason=f"HTTP {answer.status}")


def document(message: Message, rendered: Rendered) -> bytes:
    """`{"version": 1, "message": …, "rendered": {"title", "body", "facts"}}`; of a drill `"drill": true`.

    Without the channel: its options may hold secrets.
    """
    told: dict[str, Any] = msgspec.to_builtins(message)
    del told["channel"]
    told["content"].pop("template", None)
    words = msgspec.to_builtins(rendered)
    drill = {"drill": True} if message.content.drill else {}
    whole = {"version": VERSION, **drill, "message": told, "rendered": words}
    body = msgspec.json.encode(_bounded(whole, TEXT))
    return body if len(body) <= LIMIT else msgspec.json.encode(_bounded(whole, SHORT))


def _bounded(value: Any, text: int) -> Any:
    """The same, with no text longer than `text` and no collection that grows without end."""
    if isinstance(value, str):
        return cut(value, text)
    if isinstance(value, dict):
        names = list(value) if len(value) <= MOST else sorted(value)[:MOST]
        return {cut(name, NAME): _bounded(value[name], text) for name in names}
    return [_bounded(each, text) for each in value[:MOST]] if isinstance(value, list | tuple) else value


def signature(secret: str, body: bytes, time_s: int) -> str:
    """The value of `X-Oversight-Signature` for a body sent at `time_s` (POSIX seconds)."""
    digest = hmac.new(secret.encode(), f"{time_s}.".encode() + body, sha256).hexdigest()
    return f"t={time_s},v1={digest}"
