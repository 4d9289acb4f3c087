"""Slack, by its Web API.

Target: a channel (`#name` or its id) or a user's id. Options: `token` (usually `env:NAME`, else
`SLACK_BOT_TOKEN`), `url` (else `SLACK_API_URL`, else Slack's own). A page is one message that carries the
page's id as metadata; an attempt after the first looks for it before it sends again. An update edits that
message; a resolution also replies in its thread. How messages look is in `routing.words.blocks`.
"""

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from string import ascii_letters, digits
from typing import Any, ClassVar

import msgspec

from routing.notifiers.notifier import Answer, Call, Delivery, Rendered, Room, Secrets
from routing.words.answers import no_address, not_now, option
from routing.words.blocks import HEADER, SECTION, blocks, plain
from routing.words.wording import one_line
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message, Page, Update

API = "https://slack.com/api/"
EVENT = "oversight_page"
# Slack answers 200 even to errors; these pass, the others never will by themselves.
PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
BEFORE = timedelta(minutes=5)
"""Slack's clock and ours may differ by so much."""
LOOKED_AT = 100
CHANNEL_PAGES = 3
USERS = ("U", "W")
IDS = ("C", "D", "G")
UNRESERVED = frozenset(ascii_letters + digits + "-._~")
Fields = Mapping[str, Any]
Exchange = Generator[Call, Answer, "Fields | Outcome"]


class Slack:
    """One message per page, edited from then on."""

    kind: ClassVar[str] = "slack"
    options: ClassVar[tuple[str, ...]] = ("token", "url")
    example: ClassVar[Mapping[str, str]] = {"target": "#triage", "env:SLACK_BOT_TOKEN": "xoxb"}
    room: ClassVar[Room] = Room(title=HEADER - 2, text=SECTION)

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """A channel or a person is one word."""
        if option:
            return no_address(text) if option == "url" else ""
        one_word = text == "".join(text.split())
        return "" if one_word else f"expected a channel such as #triage, or the id of one, found {text!r}"

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """Posts a page, or edits and answers one."""
        api = option(message.channel, secrets, "url", API, variable="SLACK_API_URL")
        web = _Web(api, secrets(message.channel.options.get("token", "env:SLACK_BOT_TOKEN")), now)
        target = secrets(message.channel.target)
        if isinstance(message, Page):
            return (yield from _post(web, message, rendered, target))
        return (yield from _edit(web, message, rendered))


class _Web:
    """Slack's Web API with one token. A method gives its fields, or the outcome where it failed."""

    def __init__(self, api: str, token: str, now: datetime) -> None:
        self._api = api.rstrip("/") + "/"
        self._token = token
        self._now = now

    def write(self, method: str, body: Fields) -> Exchange:
        """A method that takes JSON."""
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json; charset=utf-8",
        }
        url = self._api + method
        answer = yield Call(method="POST", url=url, headers=headers, body=msgspec.json.encode(body))
        return self._meaning(method, answer)

    def read(self, method: str, query: Mapping[str, str]) -> Exchange:
        """A method that takes its arguments in the address."""
        asked = "&".join(f"{name}={_quoted(query[name])}" for name in query)
        headers = {"authorization": f"Bearer {self._token}"}
        answer = yield Call(method="GET", url=f"{self._api}{method}?{asked}", headers=headers)
        return self._meaning(method, answer)

    def _meaning(self, method: str, answer: Answer) -> Fields | Outcome:
        later = not_now(answer, self._now)
        if later is not None:
            return later
        fields = answer.json()
        if fields.get("ok") is True:
            return fields
        error = one_line(str(fields.get("error", f"HTTP {answer.status} without an answer")), 80)
        if error in PASSING:
            return Deferred(reason=f"Slack {method}: {error}")
        return Undeliverable(reason=f"Slack {method}: {error}")


def _post(web: _Web, page: Page, rendered: Rendered, target: str) -> Generator[Call, Answer, Outcome]:
    if page.attempt > 1:
        earlier = yield from _earlier(web, page, target)
        if earlier is not None:
            return earlier
    body = {
        "channel": target,
        "text": plain(page, rendered),
        "blocks": blocks(page, rendered),
        "metadata": _metadata(page, page.id),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    fields = yield from web.write("chat.postMessage", body)
    if isinstance(fields, Outcome):
        return fields
    return Delivered(reference=f"{fields.get('channel', target)}:{fields.get('ts', '')}")


def _edit(web: _Web, update: Update, rendered: Rendered) -> Generator[Call, Answer, Outcome]:
    channel, _, ts = update.reference.partition(":")
    if not ts:
        return Undeliverable(reason="the reference of the page must be channel:ts")
    text = plain(update, rendered)
    edited = {
        "channel": channel,
        "ts": ts,
        "text": text,
        "blocks": blocks(update, rendered),
        "metadata": _metadata(update, update.page),
    }
    fields = yield from web.write("chat.update", edited)
    if isinstance(fields, Outcome):
        return fields
    if update.reason == "resolved":
        answered = yield from _reply(web, update, channel, ts, text)
        if isinstance(answered, Outcome):
            return answered
    return Delivered(reference=update.reference)


def _reply(web: _Web, update: Update, channel: str, ts: str, text: str) -> Exchange:
    """Says in the thread that it is over, unless an earlier attempt did."""
    if update.attempt > 1:
        query = {"channel": channel, "ts": ts, "limit": str(LOOKED_AT), "include_all_metadata": "true"}
        thread = yield from web.read("conversations.replies", query)
        if isinstance(thread, Deferred):
            return thread
        if _found(thread, update.id):
            return {}
    reply = {"channel": channel, "thread_ts": ts, "text": text, "metadata": _metadata(update, update.id)}
    return (yield from web.write("chat.postMessage", reply))


def _earlier(web: _Web, page: Page, target: str) -> Generator[Call, Answer, Outcome | None]:
    """The delivery of an earlier attempt, None if there is none or it cannot be told."""
    channel = yield from _conversation(web, target)
    if isinstance(channel, Deferred) or not channel:
        return channel or None
    query = {
        "channel": channel,
        "oldest": f"{((page.began or page.time) - BEFORE).timestamp():.6f}",
        "limit": str(LOOKED_AT),
        "include_all_metadata": "true",
    }
    history = yield from web.read("conversations.history", query)
    if isinstance(history, Deferred):
        return history
    ts = _found(history, page.id)
    return Delivered(reference=f"{channel}:{ts}") if ts else None


def _conversation(web: _Web, target: str) -> Generator[Call, Answer, str | Deferred]:
    """The id of the conversation that a target means, or nothing where Slack does not tell."""
    if target.startswith(USERS):
        fields = yield from web.write("conversations.open", {"users": target})
        return _id_of(fields, "channel")
    if target.startswith(IDS):
        return target
    return (yield from _by_name(web, target.removeprefix("#")))


def _by_name(web: _Web, name: str) -> Generator[Call, Answer, str | Deferred]:
    query = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": "1000"}
    for _ in range(CHANNEL_PAGES):
        fields = yield from web.read("conversations.list", query)
        if isinstance(fields, Outcome):
            return fields if isinstance(fields, Deferred) else ""
        for channel in _objects(fields, "channels"):
            if channel.get("name") == name:
                return str(channel.get("id", ""))
        cursor = str(_object(fields, "response_metadata").get("next_cursor", ""))
        if not cursor:
            return ""
        query["cursor"] = cursor
    return ""


def _id_of(fields: Fields | Outcome, name: str) -> str | Deferred:
    if isinstance(fields, Outcome):
        return fields if isinstance(fields, Deferred) else ""
    return str(_object(fields, name).get("id", ""))


def _found(fields: Fields | Outcome, wanted: str) -> str:
    """`ts` of the message that carries the id `wanted`, or nothing."""
    if isinstance(fields, Outcome):
        return ""
    for message in _objects(fields, "messages"):
        metadata = _object(message, "metadata")
        if metadata.get("event_type") == EVENT and _object(metadata, "event_payload").get("page") == wanted:
            return str(message.get("ts", ""))
    return ""


def _metadata(message: Message, id_: str) -> Fields:
    return {"event_type": EVENT, "event_payload": {"page": id_, "incident": message.incident}}


def _object(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _objects(fields: Fields, name: str) -> list[Fields]:
    value = fields.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _quoted(text: str) -> str:
    """Percent-encoded for a query (RFC 3986)."""
    return "".join(letter if letter in UNRESERVED else _percent(letter) for letter in text)


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode())
