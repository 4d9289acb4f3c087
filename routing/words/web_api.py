"""Slack's Web API, as exchanges: what is asked, and what the answer means."""

from collections.abc import Generator, Mapping
from datetime import datetime
from string import ascii_letters, digits
from typing import Any

import msgspec

from routing.notifiers.notifier import Answer, Call
from routing.words.answers import no_address, not_now
from routing.words.wording import one_line
from schemas.outcome import Deferred, Outcome, Undeliverable

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
OK = 200
UNRESERVED = frozenset(ascii_letters + digits + "-._~")
Fields = Mapping[str, Any]
Exchange = Generator[Call, Answer, "Fields | Outcome"]


class WebApi:
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

    def share(self, picture: bytes, title: str, channel: str, ts: str) -> Exchange:
        """Puts a PNG into a thread: asks where to, sends it there, and says where it belongs."""
        asked = {"filename": "history.png", "length": str(len(picture))}
        fields = yield from self.read("files.getUploadURLExternal", asked)
        if isinstance(fields, Outcome):
            return fields
        url = str(fields.get("upload_url", ""))
        if no_address(url):
            return Undeliverable(reason="Slack files.getUploadURLExternal: no upload_url")
        answer = yield Call(method="POST", url=url, headers={"content-type": "image/png"}, body=picture)
        if answer.status != OK:
            return Undeliverable(reason=f"Slack upload: HTTP {answer.status}")
        file = {"id": str(fields.get("file_id", "")), "title": title}
        complete = {"files": [file], "channel_id": channel, "thread_ts": ts}
        return (yield from self.write("files.completeUploadExternal", complete))

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


def inner(fields: Fields, name: str) -> Fields:
    """A field that is an object; an empty one where it is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def listed(fields: Fields, name: str) -> list[Fields]:
    """The objects of a field that is a list of them."""
    value = fields.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _quoted(text: str) -> str:
    """Percent-encoded for a query (RFC 3986)."""
    return "".join(letter if letter in UNRESERVED else _percent(letter) for letter in text)


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode())
