"""What a step would send, to look at: for who writes templates, and for tests of how channels look."""

import json
import re
from email import message_from_bytes
from email.policy import default
from typing import Any

from msgspec.structs import replace

from routing.notifiers.notifier import Answer, Call, Handover, Mail, Notifier, Print, Rendered, Step
from schemas.page import Channel, Message

PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
INSTEAD = "data:image/png;base64,…"


TAKEN = Answer(status=202, body=b'{"ok": true, "channel": "C0SAMPLE", "ts": "1772442845.000100"}')
MAIL_TAKEN = Answer(status=250)


def addressed(notifier: type[Notifier], message: Message) -> Message:
    """The message, to the channel's own example."""
    named = {name: text for name, text in notifier.example.items() if name in notifier.options}
    channel = Channel(kind=notifier.kind, target=notifier.example["target"], options=named)
    return replace(message, channel=channel)


def rehearsed(notifier: type[Notifier], message: Message, rendered: Rendered) -> tuple[list[Step], str]:
    """The steps of an attempt that goes well, and its reference; nothing is sent.

    Every variable that the channel needs has its own name in brackets as its value, or what the example says.
    """

    def resolved(reference: str) -> str:
        if not reference.startswith("env:") or reference in notifier.example:
            return notifier.example.get(reference, reference)
        if reference in notifier.example.values():
            return f"({reference.removeprefix('env:')})"
        raise KeyError(reference.removeprefix("env:"))

    steps: list[Step] = []
    delivery = notifier().deliver(addressed(notifier, message), rendered, resolved, message.time)
    try:
        step = next(delivery)
        while True:
            steps.append(step)
            step = delivery.send(MAIL_TAKEN if isinstance(step, Mail) else TAKEN)
    except StopIteration as end:
        return steps, getattr(end.value, "reference", "")


def shown(step: Step) -> str:
    """A step as text: a call with its JSON, a letter with its parts, or what is printed.

    Of pictures only that there is one: their bytes are for no eye.
    """
    if isinstance(step, Print):
        return f"{step.markup}\n"
    if isinstance(step, Handover):
        return f"APPRISE {step.address} ({step.tone})\n\n{step.title}\n\n{step.body}\n"
    return _letter(step) if isinstance(step, Mail) else _call(step)


def _call(step: Call) -> str:
    headers = "".join(f"{name}: {step.headers[name]}\n" for name in sorted(step.headers))
    body = f"\n{PICTURE.sub(INSTEAD, _pretty(json.loads(step.body)))}\n" if step.body else ""
    return f"{step.method} {step.url}\n{headers}{body}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _letter(step: Mail) -> str:
    mail = message_from_bytes(step.content, policy=default)
    told = [f"MAIL {step.server}:{step.port} ({step.security}) to {', '.join(step.recipients)}\n"]
    told += [f"{name}: {value}\n" for name, value in mail.items() if name != "Content-Type"]
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            told.append(f"\n[{part.get_content_type()}]\n{part.get_content()}")
        elif not part.is_multipart():
            told.append(f"\n[{part.get_content_type()}: {part.get_filename()}]\n")
    return "".join(told).replace("\r\n", "\n")
