"""The HTTP server: the API for incidents, and what Slack and PagerDuty call."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from uuid import uuid4

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from routing.callbacks import pagerduty, slack
from routing.callbacks.refused import Forged, Ignored, Refused
from routing.callbacks.requests import ACTIONS, AFTERWARDS, Delivery, cause, read
from routing.callbacks.signatures import prove_pagerduty, prove_slack
from schemas.cause import Hand
from schemas.identity import derived
from schemas.incident import Incident
from streams.hosting.log import AppendFailed
from streams.ingress.access import is_loopback
from streams.ingress.board import Unknown
from streams.ingress.desk import Desk
from streams.ingress.links import Links

LARGEST = 1_048_576
"""Bytes of a request: Slack sends the whole message along with the button."""
LARGEST_ASKED = 65_536
READ_WITHIN_S = 10.0
JSON = "application/json"


class Fault(Exception):  # noqa: N818 - what is wrong with a request
    """An answer that is no success. `at`: the place in the request."""

    def __init__(self, status: int, reason: str, at: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.at = at


class Server:
    """Answers at a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def application(self) -> web.Application:
        """The routes, each behind what proves who asks."""
        app = web.Application(client_max_size=LARGEST, middlewares=[self._answered])
        app.router.add_get("/health", self._health)
        app.router.add_get("/api/incidents", self._asked(self._list))
        app.router.add_get("/api/incidents/{incident}", self._asked(self._show))
        app.router.add_get("/api/counts", self._asked(self._counts))
        app.router.add_post("/api/silences", self._asked(self._silence))
        app.router.add_post("/api/incidents/{incident}/{action}", self._asked(self._act))
        if self._desk.access.slack:
            app.router.add_post("/slack/interactions", self._slack)
        if self._desk.access.pagerduty:
            app.router.add_post("/pagerduty/webhooks", self._pagerduty)
        if self._desk.access.links:
            Links(self._desk).add_to(app)
        return app

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every fault is told as JSON, with its place."""
        try:
            return await handler(request)
        except Fault as fault:
            return _error(fault.status, str(fault), fault.at)
        except web.HTTPException as other:
            return _error(other.status, other.reason)
        except (Refused, Forged, Ignored, AppendFailed, TimeoutError) as error:
            return self._not_taken(_way(request), error)

    def _not_taken(self, way: str, error: Exception) -> web.Response:
        """Counts what was not followed, and says so; what asks for nothing is fine."""
        told = {
            Refused: ("refused", 400, str(error)),
            Forged: ("forged", 401, str(error)),
            Ignored: ("ignored", 200, str(error)),
        }
        what, status, reason = told.get(type(error), ("failed", 503, "it could not be written: ask again"))
        self._desk.note(way, what, str(error))
        at = error.at if isinstance(error, Refused) else ""
        return web.Response() if what == "ignored" else _error(status, reason, at)

    def _asked(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
        """Lets a request through to the API, if it may."""

        async def let_through(request: web.Request) -> web.Response:
            self._prove(request)
            return await handler(request)

        return let_through

    def _prove(self, request: web.Request) -> None:
        """A token, where there are any; else the request must be meant for this very machine."""
        tokens = self._desk.access.api
        if not tokens:
            # A page in a browser can reach loopback, too: by a name of its own, or with a simple request.
            if not is_loopback(_named(request.host)):
                raise Forged("without a token only this machine is answered, by its loopback address")
            return
        said = request.headers.get("Authorization", "").removeprefix("Bearer ").encode("utf-8", "replace")
        matches = [hmac.compare_digest(said, each.encode()) for each in tokens]
        if not any(matches):
            raise Forged("expected the header Authorization: Bearer TOKEN")

    async def _health(self, request: web.Request) -> web.Response:
        del request
        is_ready = self._desk.board.caught_up.is_set()
        return _json({"status": "ok" if is_ready else "starting"}, 200 if is_ready else 503)

    async def _counts(self, request: web.Request) -> web.Response:
        del request
        return _json(dict(sorted(self._desk.counts.items())))

    async def _list(self, request: web.Request) -> web.Response:
        board = self._desk.board
        wanted = request.query.get("status", "open")
        if wanted not in {"open", "all"}:
            raise Refused("expected open or all", "?status")
        return _json({"incidents": board.open() if wanted == "open" else board.all()})

    async def _show(self, request: web.Request) -> web.Response:
        return _json(self._found(request))

    async def _act(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        if action not in ACTIONS:
            raise Fault(404, f"there is no action {action[:40]!r}; there are: {', '.join(ACTIONS)}", "path")
        incident = self._found(request)
        if action not in AFTERWARDS and self._desk.board.is_over(incident, action):
            raise Fault(409, f"incident {incident.id} is over", "path")
        return await self._follow(request, action, incident.id)

    async def _silence(self, request: web.Request) -> web.Response:
        return await self._follow(request, "silence", "")

    async def _follow(self, request: web.Request, action: str, incident: str) -> web.Response:
        if request.content_type != JSON:
            raise Fault(415, f"expected {JSON}", "Content-Type")
        body = await _body(request)
        if len(body) > LARGEST_ASKED:
            raise Fault(413, f"expected at most {LARGEST_ASKED:,} bytes")
        key = request.headers.get("Idempotency-Key") or uuid4().hex
        delivery = Delivery(
            id=derived("hand", "api", key, action, incident),
            incident=incident,
            now=self._desk.now(),
            via="api",
        )
        hand: Hand = cause(action, read(body), delivery)
        await self._desk.write([hand])
        return _json({"id": hand.id, "incident": incident, "action": action}, 202)

    async def _slack(self, request: web.Request) -> web.Response:
        """Slack takes an empty answer for done; on any other it tells whoever pressed that it failed."""
        body = await _body(request)
        headers, now = request.headers, self._desk.now()
        timestamp, signature = (
            headers.get(f"X-Slack-{each}", "") for each in ("Request-Timestamp", "Signature")
        )
        prove_slack(self._desk.access.slack, timestamp, signature, body, now)
        form = URL.build(query_string=body.decode("ascii", "replace"), encoded=True).query
        await self._desk.write(slack.pressed(form.get("payload", "").encode(), now))
        return web.Response()

    async def _pagerduty(self, request: web.Request) -> web.Response:
        body = await _body(request)
        prove_pagerduty(self._desk.access.pagerduty, request.headers.get("X-PagerDuty-Signature", ""), body)
        await self._desk.write([pagerduty.done(body, self._desk.now())])
        return web.Response()

    def _found(self, request: web.Request) -> Incident:
        try:
            return self._desk.board.find(request.match_info["incident"])
        except Unknown as unknown:
            raise Fault(404, str(unknown), "path") from unknown


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            return await request.read()
    except TimeoutError as error:
        raise Fault(408, f"the request did not come within {READ_WITHIN_S:g} s") from error


def _way(request: web.Request) -> str:
    """By which way it came."""
    return request.path.split("/")[1]


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type=JSON)


def _error(status: int, reason: str, at: str = "") -> web.Response:
    fault = {"message": reason} | ({"at": at} if at else {})
    return _json({"error": fault}, status)


def _named(host: str) -> str:
    """The name in a Host header; empty where it is none."""
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
