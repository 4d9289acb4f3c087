"""PagerDuty, Events API v2.

Target: the integration's routing key (usually `env:NAME`). The dedup key is the incident's id or, where
PagerDuty has an alert of the incident already, one of the page's own, so that it rings; the alert before it
is resolved then. A repeated attempt changes nothing. Option `url`, or `PAGERDUTY_EVENTS_URL`: another
address than PagerDuty's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from routing.content import links
from routing.notifiers.notifier import Answer, Call, Delivery, Rendered, Room, Secrets
from routing.words.alerts import replaced, under
from routing.words.answers import no_address, not_now, option
from routing.words.wording import cut, one_line
from schemas.outcome import Delivered, Outcome, Undeliverable
from schemas.page import Message, Update

ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
ACCEPTED = range(200, 300)
SUMMARY = 1024
WORD = 255
DETAIL = 3000
LABELS = 32
ACTIONS = {"triggered": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
SAID = frozenset({"acknowledged", "resolved"})
"""Updates that say what the alert is to be, whatever became of the incident since."""


class PagerDuty:
    """202 is delivered; 429, 5xx and silence are for later; 400 and other refusals are final."""

    kind: ClassVar[str] = "pagerduty"
    options: ClassVar[tuple[str, ...]] = ("url",)
    example: ClassVar[Mapping[str, str]] = {"target": "env:PD_ANA"}
    room: ClassVar[Room] = Room(title=SUMMARY, text=DETAIL)
    needs: ClassVar[Mapping[str, str]] = {}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """A key that is written out is found by its shape, as a secret."""
        return no_address(text) if option == "url" else ""

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """One event: trigger, acknowledge or resolve; none for what would only ring again."""
        if _would_ring(message):
            return Delivered(reference=under(message))
        url = option(message.channel, secrets, "url", ENQUEUE, variable="PAGERDUTY_EVENTS_URL")
        key = {"routing_key": secrets(message.channel.target)}
        answer = yield _call(url, key | occurrence(message, rendered))
        outcome: Outcome | None = not_now(answer, now)
        if outcome is None and answer.status in ACCEPTED:
            outcome = Delivered(reference=under(message))
            if before := replaced(message):
                # Whatever comes of it: this page is there, and the end of the incident resolves both.
                yield _call(url, key | {"event_action": "resolve", "dedup_key": before}, outcome)
        return outcome or Undeliverable(reason=_refusal(answer))


def _call(url: str, event: Mapping[str, Any], known: Outcome | None = None) -> Call:
    headers = {"content-type": "application/json", "user-agent": "agent-oversight"}
    return Call(method="POST", url=url, headers=headers, body=msgspec.json.encode(event), known=known)


def _would_ring(message: Message) -> bool:
    """Whether it is a mere edit of a storm's page: somebody may have resolved that alert there."""
    content = message.content
    of_many = content.storm is not None and content.storm.told > 0
    return isinstance(message, Update) and of_many and _action(message) == "trigger"


def _action(message: Message) -> str:
    is_said = isinstance(message, Update) and message.reason in SAID
    return ACTIONS[message.reason if is_said else message.content.status]


def occurrence(message: Message, rendered: Rendered) -> dict[str, Any]:
    """The event without its routing key. Its sizes are bounded, far below PagerDuty's 512 kB."""
    content = message.content
    known = links(message)
    event = {
        "event_action": _action(message),
        "dedup_key": under(message),
        "client": "agent-oversight",
        "links": [{"href": link.url, "text": link.name} for link in known],
        "payload": {
            "summary": cut(rendered.title, SUMMARY),
            "source": one_line(content.labels.get("agent", ""), WORD) or "agent-oversight",
            "severity": message.severity,
            "timestamp": content.since.isoformat(),
            "component": one_line(content.labels.get("agent", ""), WORD),
            "group": one_line(content.team, WORD),
            "class": one_line("/".join(_kind(content.labels)), WORD),
            "custom_details": _details(message, rendered),
        },
    }
    dashboard = next((link.url for link in known if link.name == "dashboard"), "")
    return event | ({"client_url": dashboard} if dashboard else {})


def _kind(labels: dict[str, str]) -> list[str]:
    return [labels[name] for name in ("detector", "finding") if name in labels]


def _details(message: Message, rendered: Rendered) -> dict[str, Any]:
    labels = message.content.labels
    facts = {fact.label: cut(fact.text, DETAIL) for fact in rendered.facts}
    return {
        **(facts or {"Message": cut(rendered.body, DETAIL)}),
        "labels": {one_line(name, WORD): one_line(labels[name], WORD) for name in sorted(labels)[:LABELS]},
        "page": message.id,
    }


def _refusal(answer: Answer) -> str:
    """PagerDuty says what it did not like: `{"message": …, "errors": […]}`."""
    said = answer.json()
    errors = said.get("errors")
    words = [
        str(said.get("message", "")),
        *(str(each) for each in (errors if isinstance(errors, list) else [])),
    ]
    return one_line(f"HTTP {answer.status} {'; '.join(word for word in words if word)}", WORD)
