"""Pages that no channel should break on, and what each channel's limits are, as its makers write them."""

from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import msgspec

from routing.notifiers.notifier import Call, Handover, Mail, Print
from schemas.decision import Offer
from schemas.deed import Deed
from schemas.page import Content, ScorePart
from schemas.signal import Contributor, Sample
from tests.fakes import NOW, SIGNAL, content

LONG = "x" * 100_000
MARKUP = (
    "<!channel> <@U1> <at>all</at> *b* _i_ [x](http://evil.example) <b onclick=1>&amp; </td> `c` {{ 7*7 }}"
)
ODD = {
    "long": LONG,
    "emoji": "👩🏽‍🚒🔥" * 3_000,
    "bidirectional": "\u202eevil\u2066 שלום العربية " * 200,
    "lines": "a\r\nb\n\n\x00\x1b[31m\u2028c\x85" * 500,
    "markup": MARKUP * 20,
    "quotes": "\"'\\`${jndi:x}" * 500,
    "empty": "",
}


def _content(text: str) -> Content:
    samples = (Sample(event=text, time=NOW, text=text, trace=f"https://traces.example/{text[:2000]}"),) * 5
    signal = msgspec.structs.replace(
        SIGNAL,
        summary=text,
        unit=text,
        changes=(text,) * 9,
        samples=samples,
        contributors=(Contributor(dimension=text, value=text, share=0.5, lift=3.0),) * 9,
        reason=text,
    )
    return content(
        title=text,
        labels={"agent": text, **{f"{n}{text[:2000]}": text for n in range(100)}},
        signals=(signal,) * 9,
        score_parts=(ScorePart(why=text, points=1),) * 50,
        team=text,
        runbook=f"https://runbooks.example/{text}",
        dashboard=text,
        next_step=text,
        related=(text,) * 9,
        acknowledged_by=text,
        waiting=(Offer(decision="dec-0123456789abcdef0123", action="roll_back", subject={text: text}),) * 9,
        deeds=(Deed(at=NOW, by=text, did="commented", via=text, note=text),) * 50,
    )


MONSTER = {name: _content(text) for name, text in ODD.items()}


def said(step: Any) -> str:
    """What a step tells the world, but for the places that are made for secrets."""
    if isinstance(step, Print):
        return step.markup
    if isinstance(step, Handover):
        return step.title + step.body
    if isinstance(step, Mail):
        return step.content.decode() + step.sender + "".join(step.recipients)
    return step.body.decode() + step.url + step.headers.get("idempotency-key", "")


def over_the_limits(kind: str, step: Any) -> Iterator[str]:
    """What a channel's makers would refuse in a step."""
    yield from LIMITS[kind](step)


def _slack(step: Call) -> Iterator[str]:
    told = msgspec.json.decode(step.body) if step.body else {}
    blocks = told.get("blocks", [])
    if len(blocks) > 50:
        yield f"{len(blocks)} blocks"
    for block in blocks:
        text = block.get("text", {}).get("text", "x")
        if not 0 < len(text) <= {"header": 150, "section": 3000}.get(block["type"], 3000):
            yield f"{block['type']} of {len(text)} characters"
        if block.get("text", {}).get("type") == "mrkdwn" and ("<!" in text or "<@" in text):
            yield f"a mention in {block['type']}"
    if len(told.get("text", "")) > 4000 or "<!" in told.get("text", ""):
        yield "text"


def _pagerduty(step: Call) -> Iterator[str]:
    event = msgspec.json.decode(step.body)
    if len(step.body) > 512_000:
        yield f"{len(step.body)} bytes"
    if not 0 < len(event["payload"]["summary"]) <= 1024 or "\n" in event["payload"]["summary"]:
        yield "summary"
    if not event["payload"]["source"] or len(event["dedup_key"]) > 255:
        yield "source or dedup_key"


def _apprise(step: Handover) -> Iterator[str]:
    if not step.title or len(step.title) > 150 or len(step.body) > 3_200:
        yield "title or body"


def _email(step: Mail) -> Iterator[str]:
    if any(len(line) > 998 for line in step.content.split(b"\r\n")):
        yield "a line beyond 998 bytes (RFC 5322, 2.1.1)"
    if b"\n" in step.content.replace(b"\r\n", b"") or not step.content.isascii():
        yield "a line break without its carriage return, or a byte beyond ASCII"
    mail = message_from_bytes(step.content, policy=default)
    text, html = (part.get_content() for part in mail.walk() if part.get_content_maintype() == "text")
    if len(mail["subject"]) > 160 or not text.strip():
        yield "subject or text"
    if "onclick=" in html.replace("&lt;b onclick=", "") or "<at>" in html or len(step.content) > 200_000:
        yield "html"


def _teams(step: Call) -> Iterator[str]:
    if len(step.body) > 28_000:
        yield f"{len(step.body)} bytes"
    (attachment,) = msgspec.json.decode(step.body)["attachments"]
    card = attachment["content"]
    if len(card["actions"]) > 6:
        yield f"{len(card['actions'])} actions"
    kinds = {element["type"] for element in card["body"]}
    if "TextBlock" in kinds or "FactSet" in kinds:  # these read Markdown
        yield "a text that is read as Markdown"
    runs = [run for block in card["body"] for run in block.get("inlines", [])]
    if any(not run["text"] or "\n" in run["text"] for run in runs):
        yield "an empty or broken run"


def _opsgenie(step: Call) -> Iterator[str]:
    alert = msgspec.json.decode(step.body)
    limits = {
        "message": 130,
        "alias": 512,
        "description": 15_000,
        "entity": 512,
        "source": 100,
        "note": 25_000,
    }
    for name, limit in limits.items():
        if len(alert.get(name, "")) > limit or ("message" in alert and not alert["message"]):
            yield f"{name} of {len(alert[name])} characters"
    tags = alert.get("tags", [])
    if len(tags) > 20 or any(len(tag) > 50 or "," in tag for tag in tags):
        yield "tags"
    if sum(len(name) + len(text) for name, text in alert.get("details", {}).items()) > 8_000:
        yield "details"


def _webhook(step: Call) -> Iterator[str]:
    if len(step.body) > 1_000_000:
        yield f"{len(step.body)} bytes"


def _terminal(step: Print) -> Iterator[str]:
    if len(step.markup) > 60_000 or any(mark in step.markup for mark in ("\x00", "\x1b", "\u202e")):
        yield "what a terminal must not be sent"


LIMITS: dict[str, Callable[[Any], Iterator[str]]] = {
    "apprise": _apprise,
    "email": _email,
    "opsgenie": _opsgenie,
    "pagerduty": _pagerduty,
    "slack": _slack,
    "teams": _teams,
    "terminal": _terminal,
    "webhook": _webhook,
}
