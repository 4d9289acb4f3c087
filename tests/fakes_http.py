"""Real HTTP servers on loopback that behave like Slack, PagerDuty and a webhook; failures are data.

A schedule is a list: `200` answers well, any other number answers with that status, `TooMany(3)` with 429 and
`Retry-After: 3`, `Timeout()` not at all, `Slow(2)` after two seconds, `Refusal("channel_not_found")` as Slack
does: 200 with an error, and `Cut()` after the work was done but before the answer. When the schedule has run
out, all is answered well.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from aiohttp import web

LOOPBACK = "127.0.0.1"
BOT = "xoxb-loopback-token"


@dataclass(frozen=True)
class TooMany:
    """429, with what `Retry-After` says."""

    retry_after: int | str = 1


@dataclass(frozen=True)
class Timeout:
    """The connection stays open and nothing comes."""


@dataclass(frozen=True)
class Cut:
    """The request takes effect, but the connection ends before the answer."""


@dataclass(frozen=True)
class Refusal:
    """200, `ok: false` and this error."""

    error: str


@dataclass(frozen=True)
class Slow:
    """Answered well, after so many seconds."""

    seconds: float


Step = int | TooMany | Timeout | Cut | Refusal | Slow


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        """The body as an object."""
        return msgspec.json.decode(self.body) if self.body else {}


class Sink:
    """A webhook that takes everything, unless its schedule says otherwise."""

    path = "/hook"
    success = 200

    def __init__(self, schedule: Sequence[Step] = ()) -> None:
        self.schedule = list(schedule)
        self.received: list[Received] = []
        self.url = ""
        self._closing = asyncio.Event()

    @property
    def bodies(self) -> list[dict]:
        """The JSON of every request, in order."""
        return [each.json for each in self.received]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Sink"]:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://{LOOPBACK}:{port}{self.path}"
        try:
            yield self
        finally:
            self._closing.set()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            request.method, request.path, dict(request.headers), dict(request.query), await request.read()
        )
        self.received.append(received)
        step = self.schedule.pop(0) if self.schedule else 200
        if isinstance(step, Slow):
            await asyncio.sleep(step.seconds)
            return self.accept(received)
        if isinstance(step, Timeout | Cut):
            return await self._unanswered(step, request, received)
        return self._answered(step, received)

    def _answered(self, step: int | TooMany | Refusal, received: Received) -> web.Response:
        match step:
            case 200:
                return self.accept(received)
            case TooMany(retry_after=after):
                return web.Response(status=429, headers={"Retry-After": str(after)})
            case Refusal(error=error):
                return web.json_response({"ok": False, "error": error})
            case int():
                return web.Response(status=step, text="<html>trouble</html>")

    async def _unanswered(
        self, step: Timeout | Cut, request: web.Request, received: Received
    ) -> web.Response:
        if isinstance(step, Cut):
            self.accept(received)
        else:
            await self._closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def accept(self, received: Received) -> web.Response:
        """What a request does when nothing goes wrong."""
        del received
        return web.Response(status=self.success, text="ok")


class PagerDuty(Sink):
    """Events API v2: one alert per dedup key."""

    path = "/v2/enqueue"
    routing_key = "R0UT1NGKEY"

    def __init__(self, schedule: Sequence[Step] = ()) -> None:
        super().__init__(schedule)
        self.alerts: dict[str, str] = {}

    def accept(self, received: Received) -> web.Response:
        event = received.json
        errors = self._errors(event)
        if errors:
            refusal = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            return web.json_response(refusal, status=400)
        key = event["dedup_key"]
        states = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
        self.alerts[key] = states[event["event_action"]]
        return web.json_response({"status": "success", "dedup_key": key}, status=202)

    def _errors(self, event: dict) -> list[str]:
        payload = event.get("payload", {})
        faults = {
            f"'routing_key' is invalid: {event.get('routing_key')}": event.get("routing_key")
            != self.routing_key,
            "'event_action' is invalid": event.get("event_action")
            not in {"trigger", "acknowledge", "resolve"},
            "'payload.summary' is missing or too long": not 0 < len(payload.get("summary", "")) <= 1024,
            "'payload.severity' is invalid": payload.get("severity")
            not in {"critical", "error", "warning", "info"},
            "'payload.source' is missing or blank": not payload.get("source"),
            "the event is larger than 512 kB": len(msgspec.json.encode(event)) > 512_000,
        }
        return [words for words, holds in faults.items() if holds]


class Slack(Sink):
    """The Web API with one workspace: channels, messages with metadata, threads."""

    path = "/api/"

    def __init__(self, schedule: Sequence[Step] = (), *, token: str = BOT) -> None:
        super().__init__(schedule)
        self.token = token
        self.channels = {"triage": "C0TRIAGE", "agents": "C0AGENTS"}
        self.messages: list[dict] = []
        self.files: dict[str, bytes] = {}
        self._clock = 1771760670

    @property
    def top(self) -> list[dict]:
        """Messages that are no replies."""
        return [message for message in self.messages if "thread_ts" not in message]

    @property
    def methods(self) -> list[str]:
        """Methods that were called, in order."""
        return [each.path.removeprefix(self.path) for each in self.received]

    def accept(self, received: Received) -> web.Response:
        if received.path.startswith("/upload/"):
            self.files[received.path.removeprefix("/upload/")] = received.body
            return web.Response(text=f"OK - {len(received.body)}")
        if received.headers.get("Authorization") != f"Bearer {self.token}":
            return _refused("invalid_auth")
        method = received.path.removeprefix(self.path)
        if method == "auth.test":
            return _answered(user="oversight", team="Example")
        known = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.list": self._list,
            "conversations.open": self._open,
            "files.getUploadURLExternal": self._ticket,
            "files.completeUploadExternal": self._shared,
        }
        if method not in known:
            return _refused("unknown_method")
        return known[method](received.json if received.method == "POST" else received.query)

    def _id(self, channel: str) -> str:
        if channel.startswith("U"):
            return f"D{channel}"
        ids = set(self.channels.values()) | {message["channel"] for message in self.messages}
        return channel if channel in ids else self.channels.get(channel.removeprefix("#"), "")

    def _post(self, said: dict) -> web.Response:
        channel = self._id(said["channel"])
        if not channel:
            return _refused("channel_not_found")
        if len(said.get("blocks", [])) > 50:
            return _refused("invalid_blocks")
        self._clock += 1
        message = {**said, "channel": channel, "ts": f"{self._clock}.000100"}
        self.messages.append(message)
        return _answered(channel=channel, ts=message["ts"])

    def _update(self, said: dict) -> web.Response:
        for message in self.messages:
            if (message["channel"], message["ts"]) == (said["channel"], said["ts"]):
                message.update(said)
                return _answered(channel=said["channel"], ts=said["ts"])
        return _refused("message_not_found")

    def _history(self, said: dict) -> web.Response:
        if said["channel"] not in set(self.channels.values()) and not said["channel"].startswith("D"):
            return _refused("channel_not_found")  # unlike chat.postMessage, it takes no names
        found = [message for message in self.top if message["channel"] == said["channel"]]
        recent = [message for message in found if float(message["ts"]) >= float(said.get("oldest", 0))]
        return _answered(messages=_shown(recent, said), has_more=False)

    def _replies(self, said: dict) -> web.Response:
        thread = [
            message for message in self.messages if said["ts"] in {message["ts"], message.get("thread_ts")}
        ]
        return _answered(messages=_shown(thread, said))

    def _list(self, said: dict) -> web.Response:
        """One channel a page, so that cursors are followed."""
        names = sorted(self.channels)
        place = int(said.get("cursor", "0=").removesuffix("="))
        following = f"{place + 1}=" if place + 1 < len(names) else ""
        name = names[place]
        channels = [{"id": self.channels[name], "name": name}]
        return _answered(channels=channels, response_metadata={"next_cursor": following})

    def _ticket(self, said: dict) -> web.Response:
        name = f"F{len(self.files)}-{said['length']}"
        return _answered(file_id=name, upload_url=f"{self.url.removesuffix('api/')}upload/{name}")

    def _shared(self, said: dict) -> web.Response:
        for file in said["files"]:
            if file["id"] not in self.files:
                return _refused("file_not_found")
            self.messages.append(
                {"channel": said["channel_id"], "thread_ts": said["thread_ts"], "ts": "0", "file": file["id"]}
            )
        return _answered(files=said["files"])

    def _open(self, said: dict) -> web.Response:
        return _answered(channel={"id": f"D{said['users']}"})


def _shown(messages: list[dict], said: dict) -> list[dict]:
    """Newest first; metadata only where it was asked for."""
    newest = sorted(messages, key=lambda message: message["ts"], reverse=True)[: int(said["limit"])]
    if said.get("include_all_metadata") == "true":
        return newest
    return [{name: message[name] for name in message if name != "metadata"} for message in newest]


def _answered(**fields) -> web.Response:
    return web.json_response({"ok": True, **fields})


def _refused(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})


class Teams(Sink):
    """A workflow that posts what it is sent to a channel: it knows cards, and no more than 28 KB of them."""

    path = "/workflows/1/triggers/manual/paths/invoke"
    success = 202

    def __init__(self, schedule: Sequence[Step] = ()) -> None:
        super().__init__(schedule)
        self.cards: list[dict] = []

    def accept(self, received: Received) -> web.Response:
        if len(received.body) > 28_000:
            return web.Response(status=413)
        if received.json.get("type") != "message":
            return web.Response(status=400)
        for attachment in received.json["attachments"]:
            if attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
                return web.Response(status=400)
            self.cards.append(attachment["content"])
        return web.Response(status=self.success)


class Opsgenie(Sink):
    """The Alert API: one alert per alias while it is open, counted when it comes again."""

    path = ""
    key = "0dd5bba1-genie-key"

    def __init__(self, schedule: Sequence[Step] = ()) -> None:
        super().__init__(schedule)
        self.alerts: dict[str, dict] = {}

    def accept(self, received: Received) -> web.Response:
        if received.headers.get("Authorization") != f"GenieKey {self.key}":
            return web.json_response({"message": "Could not authenticate", "took": 0.0}, status=401)
        said = received.json
        if not 0 < len(said.get("message", "x")) <= 130:
            return web.json_response({"message": "Request body is not processable."}, status=422)
        _, _, alias, action = (*received.path.strip("/").split("/"), "", "")[:4]
        if not alias:
            alert = self.alerts.get(said["alias"], {"count": 0, "status": "open"})
            closed = alert["status"] == "closed"
            kept = {"count": 1, "status": "open"} if closed else {"count": alert["count"] + 1}
            self.alerts[said["alias"]] = alert | said | kept
        elif received.query.get("identifierType") == "alias" and alias in self.alerts:
            states = {"acknowledge": "acknowledged", "close": "closed"}
            changed = {"status": states[action]} if action in states else {action: said[action]}
            self.alerts[alias] |= changed
        return web.json_response({"result": "Request will be processed", "requestId": "r"}, status=202)
