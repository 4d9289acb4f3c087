"""The terminal of the worker: for the demo and for trying rules out."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from rich.markup import escape

from routing.notifiers.notifier import Delivery, Print, Rendered, Room, Secrets
from schemas.outcome import Delivered
from schemas.page import Message, Update

COLOURS = {
    "critical": "bold white on red",
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold cyan",
}
CALM = "bold green"
EDGE = "▌"
NOTHING = "\u200b"
"""A space of no width."""


class Terminal:
    """A panel of lines with a coloured edge. Printing cannot fail."""

    kind: ClassVar[str] = "terminal"
    options: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[Mapping[str, str]] = {"target": "ana"}
    room: ClassVar[Room] = Room()
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """Any name will do."""
        del text, option
        return ""

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One print; neither secrets nor the time are needed."""
        del secrets, now
        yield Print(panel(message, rendered))
        return Delivered(reference=message.id)


def panel(message: Message, rendered: Rendered) -> str:
    """Rich markup; every word of the message is escaped."""
    calm = message.content.status != "triggered"
    colour = CALM if calm else COLOURS[message.severity]
    what = "update" if isinstance(message, Update) else "page"
    foot = f"{what} to {message.to} · {message.reason} · {message.incident}"
    rows = [f"[{colour}]{_safe(rendered.title)}[/]", *_rows(rendered), f"[dim]{_safe(foot)}[/]"]
    edge = f"[{colour}]{EDGE}[/] "
    return "\n".join(edge + row for row in rows)


def _rows(rendered: Rendered) -> list[str]:
    if not rendered.facts:
        return [_safe(line) for line in rendered.body.splitlines()]
    rows: list[str] = []
    for fact in rendered.facts:
        first, *others = fact.text.splitlines()
        rows.append(f"[dim]{_safe(fact.label):<13}[/]{_safe(first)}")
        rows += [" " * 13 + _safe(other) for other in others]
    return rows


def _safe(text: str) -> str:
    """Escaped. A backslash before a bracket, also of the markup that follows, would be taken for ours."""
    safe = escape(text.replace("\\[", f"\\{NOTHING}["))
    return safe + NOTHING if safe.endswith("\\") else safe
