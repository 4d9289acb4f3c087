"""Slack, by its Web API.

Target: a channel (`#name` or its id) or a user's id. Options: `token` (usually `env:NAME`, else
`SLACK_BOT_TOKEN`), `url` (else `SLACK_API_URL`, else Slack's own), `chart: thread` (a picture of the history
in the page's thread; the bot needs `files:write`). A page is one message that carries the page's id as
metadata; an attempt after the first looks for it before it sends again. An update edits that message; a
resolution or a comment also replies in its thread. How messages look is in `routing.words.blocks`.
"""

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from routing.notifiers.notifier import Answer, Call, Delivery, Rendered, Room, Secrets
from routing.words.answers import no_address, option
from routing.words.blocks import HEADER, SECTION, blocks, comment, plain
from routing.words.chart import caption, chart
from routing.words.web_api import Exchange, Fields, WebApi, inner, listed
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message, Page, Update

API = "https://slack.com/api/"
EVENT = "oversight_page"
ANSWERED = ("resolved", "commented")
BEFORE = timedelta(minutes=5)
"""Slack's clock and ours may differ by so much."""
LOOKED_AT = 100
CHANNEL_PAGES = 3
IN_THREAD = "thread"
USERS = ("U", "W")
IDS = ("C", "D", "G")


class Slack:
    """One message per page, edited from then on."""

    kind: ClassVar[str] = "slack"
    options: ClassVar[tuple[str, ...]] = ("chart", "token", "url")
    example: ClassVar[Mapping[str, str]] = {"target": "#triage", "env:SLACK_BOT_TOKEN": "xoxb"}
    room: ClassVar[Room] = Room(title=HEADER - 2, text=SECTION)
    needs: ClassVar[Mapping[str, str]] = {"token": "SLACK_BOT_TOKEN"}

    @staticmethod
    def fault(text: str, option: str = "") -> str:
        """A channel or a person is one word."""
        if option == "url":
            return no_address(text)
        if option:
            wrong = option == "chart" and text != IN_THREAD
            return f"expected {IN_THREAD}, found {text!r}" if wrong else ""
        one_word = text == "".join(text.split())
        return "" if one_word else f"expected a channel such as #triage, or the id of one, found {text!r}"

    def deliver(self, message: Message, rendered: Rendered, secrets: Secrets, now: datetime) -> Delivery:
        """Posts a page, or edits and answers one."""
        api = option(message.channel, secrets, "url", API, variable="SLACK_API_URL")
        web = WebApi(api, secrets(message.channel.options.get("token", f"env:{self.needs['token']}")), now)
        target = secrets(message.channel.target)
        if isinstance(message, Update):
            return (yield from _edit(web, message, rendered))
        outcome = yield from _post(web, message, rendered, target)
        if option(message.channel, secrets, "chart") and isinstance(outcome, Delivered):
            yield from _illustrate(web, message, outcome)
        return outcome


def _post(web: WebApi, page: Page, rendered: Rendered, target: str) -> Generator[Call, Answer, Outcome]:
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


def _illustrate(web: WebApi, page: Page, posted: Delivered) -> Generator[Call, Answer, None]:
    """The chart in the page's thread, once; no page is held up or lost for a picture."""
    channel, _, ts = posted.reference.partition(":")
    for signal in page.content.signals[:1] if page.attempt == 1 else ():
        if picture := chart(signal, "alarm"):
            yield from web.share(picture, caption(signal), channel, ts)


def _edit(web: WebApi, update: Update, rendered: Rendered) -> Generator[Call, Answer, Outcome]:
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
    if update.reason in ANSWERED:
        said = comment(update) or text
        answered = yield from _reply(web, update, channel, ts, said)
        if isinstance(answered, Outcome):
            return answered
    return Delivered(reference=update.reference)


def _reply(web: WebApi, update: Update, channel: str, ts: str, text: str) -> Exchange:
    """Says in the thread that it is over, or what somebody said, unless an earlier attempt did."""
    if update.attempt > 1:
        query = {"channel": channel, "ts": ts, "limit": str(LOOKED_AT), "include_all_metadata": "true"}
        thread = yield from web.read("conversations.replies", query)
        if isinstance(thread, Deferred):
            return thread
        if _found(thread, update.id):
            return {}
    reply = {"channel": channel, "thread_ts": ts, "text": text, "metadata": _metadata(update, update.id)}
    return (yield from web.write("chat.postMessage", reply))


def _earlier(web: WebApi, page: Page, target: str) -> Generator[Call, Answer, Outcome | None]:
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


def _conversation(web: WebApi, target: str) -> Generator[Call, Answer, str | Deferred]:
    """The id of the conversation that a target means, or nothing where Slack does not tell."""
    if target.startswith(USERS):
        fields = yield from web.write("conversations.open", {"users": target})
        return _id_of(fields, "channel")
    if target.startswith(IDS):
        return target
    return (yield from _by_name(web, target.removeprefix("#")))


def _by_name(web: WebApi, name: str) -> Generator[Call, Answer, str | Deferred]:
    query = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": "1000"}
    for _ in range(CHANNEL_PAGES):
        fields = yield from web.read("conversations.list", query)
        if isinstance(fields, Outcome):
            return fields if isinstance(fields, Deferred) else ""
        for channel in listed(fields, "channels"):
            if channel.get("name") == name:
                return str(channel.get("id", ""))
        cursor = str(inner(fields, "response_metadata").get("next_cursor", ""))
        if not cursor:
            return ""
        query["cursor"] = cursor
    return ""


def _id_of(fields: Fields | Outcome, name: str) -> str | Deferred:
    if isinstance(fields, Outcome):
        return fields if isinstance(fields, Deferred) else ""
    return str(inner(fields, name).get("id", ""))


def _found(fields: Fields | Outcome, wanted: str) -> str:
    """`ts` of the message that carries the id `wanted`, or nothing."""
    if isinstance(fields, Outcome):
        return ""
    for message in listed(fields, "messages"):
        metadata = inner(message, "metadata")
        if metadata.get("event_type") == EVENT and inner(metadata, "event_payload").get("page") == wanted:
            return str(message.get("ts", ""))
    return ""


def _metadata(message: Message, id_: str) -> Fields:
    return {"event_type": EVENT, "event_payload": {"page": id_, "incident": message.incident}}
