"""How a message looks in Microsoft Teams: an Adaptive Card whose texts are never read as Markdown."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from routing.content import Link, links
from routing.notifiers.notifier import Fact, Rendered
from routing.words.chart import caption, chart
from routing.words.fitting import fitted, weight
from schemas.page import Message, Page

LIMIT = 20_000
"""Bytes. Microsoft writes 28 KB for a message; 413 has been seen from 21 kB on."""
ROOM = 6_000
"""Bytes of the facts' texts; around them: lines, the chart, the title twice, five links."""
LINES = 40
ACTIONS = 6
"""Buttons of a card: Teams shows no more."""
ADDRESS = 1_000
"""Bytes of an address; beyond, it is no button."""
PICTURE = 3_600
"""Characters of a chart; one that is drawn of 120 random values has 1,700."""
FEW = 4
STYLES = {"critical": "attention", "error": "attention", "warning": "warning", "info": "accent"}
Element = dict[str, Any]


def envelope(message: Message, rendered: Rendered, deeds: Sequence[Link] = ()) -> bytes:
    """The message that a workflow posts, as JSON. `deeds`: links that do something."""
    facts = rendered.facts or (Fact("", rendered.body),)
    # A card cannot be edited: what follows the page is another, and a short one.
    shown = facts if isinstance(message, Page) else facts[:FEW]
    card = _card(message, rendered.title, fitted(shown, ROOM), deeds)
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card}
    return msgspec.json.encode({"type": "message", "attachments": [attachment]})


def _card(message: Message, title: str, facts: Sequence[Fact], deeds: Sequence[Link]) -> Element:
    calm = message.content.status != "triggered"
    style = "good" if calm else STYLES[message.severity]
    head = {"type": "Container", "style": style, "bleed": True, "items": [_block(_run(title, "bolder"))]}
    again = f" · attempt {message.attempt}, it may have come before" if message.attempt > 1 else ""
    foot = f"{message.incident} · to {message.to} · {message.reason} · {message.id}{again}"
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": title,
        "body": [
            head,
            *_rows(facts),
            *_picture(message),
            _block(_run(foot) | {"isSubtle": True, "size": "small"}),
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": link.name, "url": link.url}
            for link in _buttons(message, deeds)
        ],
    }


def _buttons(message: Message, deeds: Sequence[Link]) -> list[Link]:
    """At most six; where something can be done, traces come last."""
    known = [link for link in (*deeds, *links(message)) if weight(link.url) <= ADDRESS]
    return sorted(known, key=lambda link: bool(deeds) and link.name == "trace")[:ACTIONS]


def _picture(message: Message) -> Iterator[Element]:
    """The chart of a page, within the message itself."""
    for signal in message.content.signals[:1] if isinstance(message, Page) else ():
        encoded = b64encode(chart(signal, "alarm")).decode()
        if 0 < len(encoded) <= PICTURE:
            yield {
                "type": "Image",
                "url": f"data:image/png;base64,{encoded}",
                "altText": caption(signal),
                "size": "stretch",
            }


def _rows(facts: Sequence[Fact]) -> Iterator[Element]:
    """A block for each line, for a line break in a run is not shown everywhere."""
    left = LINES
    for fact in facts:
        first, *others = fact.text.splitlines() or [""]
        shown, rest = others[: max(left, 0)], others[max(left, 0) :]
        label = [_run(f"{fact.label}: ", "bolder")] if fact.label else []
        yield _block(*label, _run(first))
        for line in [*shown, *([" ".join(rest)] if rest else [])]:
            yield _block(_run(line or " ")) | {"spacing": "none"}
        left -= len(shown) + 1


def _block(*runs: Element) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, stress: str = "") -> Element:
    """Text as it is: a run knows no Markdown, and so neither links nor mentions."""
    run = {"type": "TextRun", "text": text or " "}
    return run | ({"weight": stress} if stress else {})
