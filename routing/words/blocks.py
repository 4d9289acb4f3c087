"""How a message looks in Slack: Block Kit within its limits, every word of others escaped."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from routing.content import Link, advice, links
from routing.notifiers.notifier import Rendered
from routing.words.deed_links import OF_MANY
from routing.words.wording import cut
from schemas.page import Message, Notice
from schemas.signal import DRILL_HEAD

BLOCKS = 50
HEADER = 150
SECTION = 3000
TEXT = 4000
MARKS = {"critical": "🔴", "error": "🟠", "warning": "🟡", "info": "🔵"}
BUTTONS = {
    "triggered": ("acknowledge", "snooze", "silence", "resolve", "false_alarm"),
    "acknowledged": ("snooze", "silence", "resolve", "false_alarm"),
    "resolved": ("useful", "false_alarm"),
}
"""What can be pressed; `routing.callbacks.slack` reads what comes of it."""
RULINGS = ("grant", "refuse")
"""What can be pressed where advice waits for a person."""
OFFERS = 3
CAPTION = 60
"""Characters of a caption: Slack takes 75, and shows about half on a phone."""
CAPTIONS = {"snooze": "Snooze 1 h", "silence": "Silence 1 h", "false_alarm": "False alarm"}


def blocks(message: Message, rendered: Rendered) -> list[dict[str, Any]]:
    """A header, the facts, what it is about, and buttons; at most 50 blocks."""
    known = links(message)
    foot = f"{message.incident} · to {message.to} · {message.reason}"
    built: list[Block] = [
        HeaderBlock(
            text=PlainTextObject(text=cut(f"{_mark(message)} {rendered.title}", HEADER), emoji=False)
        ),
        *_sections(rendered, known),
        ContextBlock(elements=[MarkdownTextObject(text=_safe(foot, SECTION), verbatim=True)]),
        *_buttons(message),
    ]
    return [block.to_dict() for block in built]


def plain(message: Message, rendered: Rendered) -> str:
    """The text for notifications and for readers that show no blocks."""
    return _safe(f"{_mark(message)} {rendered.title}", TEXT)


def comment(message: Message) -> str:
    """What somebody said last, for the thread; empty where the message is about something else."""
    said = [deed for deed in message.content.deeds if deed.did == "commented"]
    if message.reason != "commented" or not said:
        return ""
    drill = DRILL_HEAD if message.content.drill else ""
    return _safe(f"💬 {drill}{said[-1].by}: {said[-1].note}", TEXT)


def escaped(text: str) -> str:
    """Slack's three characters; nothing else can become a mention or a link.

    >>> escaped("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mark(message: Message) -> str:
    if isinstance(message, Notice):
        return "📟"
    return {"resolved": "✅", "acknowledged": "👀"}.get(message.content.status, MARKS[message.severity])


def _sections(rendered: Rendered, known: Sequence[Link]) -> Iterator[SectionBlock]:
    texts = [f"*{fact.label}*\n{fact.text}" for fact in rendered.facts] or [rendered.body]
    for text in texts:
        safe = _safe(text, SECTION)
        linked = _linked(safe, known)
        # Links take two more characters each; where that is too much, addresses stay as they are.
        fits = linked if len(linked) <= SECTION else safe
        yield SectionBlock(text=MarkdownTextObject(text=fits or " ", verbatim=True))


def _linked(safe: str, known: Sequence[Link]) -> str:
    """Addresses of the page itself become links; addresses in text of others do not."""
    addresses = {escaped(link.url): link for link in known if not set(link.url) & set("|<>")}
    if not addresses:
        return safe
    longest_first = sorted(addresses, key=lambda address: (-len(address), address))
    pattern = "|".join(re.escape(address) for address in longest_first)
    return re.sub(pattern, lambda found: f"<{found[0]}>", safe)


def _safe(text: str, limit: int) -> str:
    """Escaped, within the limit after escaping, never cut inside an entity."""
    safe = escaped(text)
    if len(safe) <= limit:
        return safe
    return re.sub(r"&[a-z]*$", "", safe[: limit - 1]) + "…"


def _buttons(message: Message) -> Iterator[ActionsBlock]:
    if isinstance(message, Notice):
        return
    for number, offer in enumerate(message.content.waiting[:OFFERS]):
        what = cut(advice(offer), CAPTION)
        value = f"{message.incident} {offer.decision}"
        rulings = [_button("grant", value, f"Grant: {what}"), _button("refuse", value)]
        yield ActionsBlock(block_id=f"oversight-advice-{number}", elements=rulings)
    storm = message.content.storm
    of_many = storm is not None and storm.told > 0
    names = OF_MANY.get(message.content.status, ()) if of_many else BUTTONS[message.content.status]
    if names:
        yield ActionsBlock(block_id="oversight", elements=[_button(name, message.incident) for name in names])


def _button(name: str, value: str, caption: str = "") -> ButtonElement:
    text = caption or CAPTIONS.get(name, name.capitalize())
    style = "primary" if name == "acknowledge" else None
    return ButtonElement(text=text, action_id=f"oversight.{name}", value=value, style=style)
