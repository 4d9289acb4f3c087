"""How a message looks as a letter: text and HTML, with the chart in it, byte for byte the same each time.

Letters of one incident form a thread: every page names the incident in `References`, and an update answers
its page (RFC 5322, 3.6.4) under the same subject, because some readers thread by that.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import cast

from msgspec import Struct

from routing.content import Link, links
from routing.notifiers.notifier import Fact, Rendered
from routing.words.chart import caption, chart
from routing.words.fitting import fitted
from routing.words.wording import one_line
from schemas.page import Message, Page

COLOURS = {"critical": "#b71c1c", "error": "#e65100", "warning": "#f9a825", "info": "#1565c0"}
CALM = "#2e7d32"
NO_ID = re.compile(r"[^A-Za-z0-9_.-]+")
ROOM = 20_000
"""Bytes of the facts' texts."""
PRESSED = (
    "display:inline-block;padding:8px 14px;margin:4px;background:#1565c0;color:#fff;text-decoration:none"
)
URGENT = frozenset({"critical", "error"})
FONT = "font-family:-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:14px"


class Thread(Struct, frozen=True):
    """What an update needs to answer its page: the reference of the page's delivery, as text."""

    page: str
    subject: str

    def __str__(self) -> str:
        return f"{self.page} {self.subject}"


def thread_of(message: Message, rendered: Rendered, domain: str) -> Thread:
    """The thread that a page begins, or that an update follows."""
    told = "" if isinstance(message, Page) else message.reference
    page, _, subject = told.partition(" ")
    first = message.id if isinstance(message, Page) else message.page
    return Thread(page or _id(first, domain), subject or rendered.title)


def letter(
    message: Message,
    rendered: Rendered,
    sender: str,
    recipients: tuple[str, ...],
    deeds: Sequence[Link] = (),
) -> bytes:
    """The whole letter, with CRLF. `deeds`: links that do something."""
    domain = sender.rpartition("@")[2]
    thread = thread_of(message, rendered, domain)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(_written(message))
    mail["Message-ID"] = _id(message.id, domain)
    incident = _id(message.incident, domain)
    if isinstance(message, Page):
        mail["Subject"] = thread.subject
        mail["References"] = incident
    else:
        mail["Subject"] = f"Re: {thread.subject}"
        mail["In-Reply-To"] = thread.page
        mail["References"] = f"{incident} {thread.page}"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Oversight-Incident"] = one_line(message.incident, 200)
    if message.severity in URGENT and message.content.status == "triggered":
        mail["Importance"] = "high"
    _fill(mail, message, rendered, deeds)
    return mail.as_bytes()


def _fill(mail: EmailMessage, message: Message, rendered: Rendered, deeds: Sequence[Link]) -> None:
    picture = _picture(message)
    name = f"chart.{message.id}@agent-oversight"
    shown = (
        f'<img src="cid:{escape(name)}" width="360" height="90" alt="{_caption(message)}">' if picture else ""
    )
    mail.set_content(_text(message, rendered, deeds), cte="quoted-printable")
    mail.add_alternative(
        _html(message, rendered, f"{_buttons(deeds)}{shown}"), subtype="html", cte="quoted-printable"
    )
    if picture:
        html = cast("EmailMessage", mail.get_payload(1))
        html.add_related(picture, "image", "png", cid=f"<{name}>", filename="history.png")
        html.set_boundary(f"={message.id}-related=")
    # Otherwise it would be drawn by lot.
    mail.set_boundary(f"={message.id}-parts=")


def _picture(message: Message) -> bytes:
    first = next(iter(message.content.signals), None)
    return chart(first, "alarm" if message.content.status == "triggered" else "calm") if first else b""


def _caption(message: Message) -> str:
    return escape(caption(message.content.signals[0]))


def _text(message: Message, rendered: Rendered, deeds: Sequence[Link]) -> str:
    doing = "".join(f"{each.name}: {each.url}\n" for each in deeds)
    return f"{rendered.title}\n\n{rendered.body}\n\n{doing}{_foot(message)}\n"


def _buttons(deeds: Sequence[Link]) -> str:
    shown = " ".join(
        f'<a href="{escape(each.url)}" style="{PRESSED}">{escape(each.name)}</a>' for each in deeds
    )
    return f"<p>{shown}</p>" if shown else ""


def _html(message: Message, rendered: Rendered, picture: str) -> str:
    calm = message.content.status != "triggered"
    colour = CALM if calm else COLOURS[message.severity]
    facts = rendered.facts or (Fact("", rendered.body),)
    rows = "".join(_row(fact) for fact in fitted(facts, ROOM))
    buttons = " · ".join(
        f'<a href="{escape(link.url)}" style="color:#1565c0">{escape(link.name)}</a>'
        for link in links(message)
    )
    return (
        f'<html><body style="margin:0;{FONT};color:#1c1e21">'
        f'<div dir="auto" style="background:{colour};color:#fff;padding:12px;font-weight:bold">'
        f"{escape(rendered.title)}</div>"
        f'<div style="padding:12px">{picture}'
        f'<table cellpadding="4" cellspacing="0" style="{FONT};border-collapse:collapse">{rows}</table>'
        f"<p>{buttons}</p>"
        f'<p style="color:#65676b;font-size:12px">{escape(_foot(message))}</p></div></body></html>\n'
    )


def _row(fact: Fact) -> str:
    label = f'<td valign="top" style="color:#65676b;white-space:nowrap">{escape(fact.label)}</td>'
    text = "<br>".join(escape(line) for line in fact.text.splitlines())
    return f'<tr>{label}<td dir="auto">{text}</td></tr>\n'


def _foot(message: Message) -> str:
    return f"{message.incident} · to {message.to} · {message.reason} · {message.id}"


def _written(message: Message) -> datetime:
    """When it was first asked for: an attempt that is repeated sends the same letter."""
    return (message.began or message.time) if isinstance(message, Page) else message.time


def _id(name: str, domain: str) -> str:
    """An id of ours as one of a letter: what a notice is about may be any words."""
    return f"<{NO_ID.sub('-', name)}@{domain}>"
