"""Opsgenie, and what speaks its Alert API: Jira Service Management, and alert hubs that are compatible.

Target: the integration's API key (`env:NAME`). The alias is the incident's id or, where Opsgenie has an
alert of the incident already, one of the page's own, so that it rings; the alert before it is closed then. A
repeated attempt is counted by Opsgenie and wakes nobody. Options: `url`, or `OPSGENIE_API_URL`: another
address than Opsgenie's own, such as https://api.eu.opsgenie.com; `responders`: who is notified where the
integration does not say it, such as `team:payments, user:ana@example.com`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from routing.content import links
from routing.notifiers.notifier import Answer, Call, Delivery, Fact, Rendered, Room, Secrets
from routing.words.alerts import replaced, under
from routing.words.answers import no_address, not_now, option
from routing.words.fitting import fitted
from routing.words.wording import cut, one_line
from schemas.outcome import Delivered, Outcome, Undeliverable
from schemas.page import Message, Page, Update
from schemas.signal import DRILL_HEAD

API = "https://api.opsgenie.com"
ACCEPTED = range(200, 300)
MESSAGE = 130
DESCRIPTION = 15_000
ENTITY = 512
SOURCE = 100
TAGS = 20
TAG = 50
DETAILS = 6_000
"""Bytes of the details' texts, within the 8,000 characters that all of them may take."""
NOTE = 3_000
WORD = 255
PRIORITIES = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
PARTIES = {"team": "name", "user": "username", "schedule": "name", "escalation": "name"}
"""Kinds of responders, and the field that names one."""
AUTHOR = {"source": "agent-oversight"}
Step = tuple[str, str, dict[str, Any]]


class Opsgenie:
    """202 is delivered; 429, 5xx and silence are for later; 401, 422 and other refusals are final."""

    kind: ClassVar[str] = "opsgenie"
    options: ClassVar[tuple[str, ...]] = ("responders", "url")
    example: ClassVar[Mapping[str, str]] = {"target": "env:OPSGENIE_KEY"}
    room: ClassVar[Room] = Room(title=MESSAGE, text=DESCRIPTION, total=DETAILS)
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """A key is a secret."""
        if option:
            return no_address(text) if option == "url" else ""
        return "an API key is a secret: write env:NAME, and put it into that variable"

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One call, or three to bring an alert up to date."""
        api = option(message.channel, secrets, "url", API, variable="OPSGENIE_API_URL").rstrip("/")
        responders = option(message.channel, secrets, "responders")
        headers = {
            "authorization": f"GenieKey {secrets(message.channel.target)}",
            "content-type": "application/json",
            "user-agent": "agent-oversight",
        }
        for method, path, body in _steps(message, rendered, responders):
            encoded = msgspec.json.encode(body)
            answer = yield Call(method=method, url=f"{api}/v2/alerts{path}", headers=headers, body=encoded)
            outcome = _failure(answer, now)
            if outcome is not None:
                return outcome
        taken = Delivered(reference=under(message))
        if before := replaced(message):
            # Whatever comes of it: this page is there, and the end of the incident closes both.
            said = msgspec.json.encode(AUTHOR | {"note": f"Replaced by {under(message)}"})
            url = f"{api}/v2/alerts{_at(before, 'close')}"
            yield Call(method="POST", url=url, headers=headers, body=said, known=taken)
        return taken


def _failure(answer: Answer, now: datetime) -> Outcome | None:
    if answer.status in ACCEPTED:
        return None
    said = one_line(str(answer.json().get("message", "")), WORD)
    return not_now(answer, now) or Undeliverable(reason=f"HTTP {answer.status} {said}".rstrip())


def _steps(message: Message, rendered: Rendered, responders: str) -> Iterator[Step]:
    if isinstance(message, Page):
        yield "POST", "", _alert(message, rendered, responders)
        return
    alias = under(message)
    if message.reason == "updated":
        yield "PUT", _at(alias, "priority"), {"priority": PRIORITIES[message.severity]}
        yield "PUT", _at(alias, "message"), {"message": cut(rendered.title, MESSAGE)}
        yield "PUT", _at(alias, "description"), {"description": cut(rendered.body, DESCRIPTION)}
        return
    action = {"acknowledged": "acknowledge", "resolved": "close", "commented": "notes"}[message.reason]
    yield "POST", _at(alias, action), AUTHOR | {"note": cut(_note(message, rendered), NOTE)}


def _at(alias: str, part: str) -> str:
    return f"/{alias}/{part}?identifierType=alias"


def _note(message: Update, rendered: Rendered) -> str:
    """What somebody said last, or what happened."""
    said = [deed for deed in message.content.deeds if deed.did == "commented"]
    if message.reason != "commented" or not said:
        return rendered.title
    drill = DRILL_HEAD if message.content.drill else ""
    return f"{drill}{said[-1].by}: {said[-1].note}"


def _alert(message: Page, rendered: Rendered, responders: str) -> dict[str, Any]:
    content = message.content
    agent = content.labels.get("agent", "")
    alert = {
        "message": cut(rendered.title, MESSAGE),
        "alias": under(message),
        "description": cut(rendered.body, DESCRIPTION),
        "priority": PRIORITIES[message.severity],
        "entity": one_line(agent, ENTITY),
        "source": cut("agent-oversight", SOURCE),
        "tags": _tags(message),
        "details": _details(message, rendered),
    }
    named = [_responder(each) for each in responders.split(",") if each.strip()]
    return alert | ({"responders": named} if named else {})


def _tags(message: Message) -> list[str]:
    """`name:value` for each label; a comma would make two of it."""
    labels = message.content.labels
    told = [one_line(f"{name}:{labels[name]}", TAG).replace(",", " ") for name in sorted(labels)]
    return [message.severity, *told][:TAGS]


def _details(message: Message, rendered: Rendered) -> dict[str, str]:
    """The facts by name, links first, for rules of the receiver; all within its limit."""
    known = {link.name: Fact(link.name, link.url) for link in reversed(links(message))}
    ids = (Fact("incident", message.incident), Fact("page", message.id))
    named = [*ids, *known.values(), *(fact for fact in rendered.facts if fact.label.lower() not in known)]
    return {fact.label: fact.text for fact in fitted(named, DETAILS)}


def _responder(text: str) -> dict[str, str]:
    """`team:payments`; a name alone is a team."""
    kind, sign, name = text.strip().partition(":")
    if not sign or kind not in PARTIES:
        kind, name = "team", text.strip()
    return {"type": kind, PARTIES[kind]: name.strip()}
