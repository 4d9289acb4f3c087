"""`/healthz`, `/readyz` and `/metrics` of a worker or a bridge, in the loop that does the work.

The two probes answer one word to anybody who reaches the address: kubelets have no token. Everything else,
and what the word stands for, is told to whoever has the token or, without any, to this machine alone.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import msgspec
from aiohttp import web
from yarl import URL

from streams.hosting.variables import Misconfigured
from streams.ingress.access import is_loopback
from streams.ingress.door import Limits, answering
from streams.watching.figures import CONTENT_TYPE, exposition
from streams.watching.health import Health
from streams.watching.listening import VARIABLE, Listening

LIMITS = Limits(most=64, within=timedelta(seconds=5), stop_within=timedelta(seconds=1))
SAID = {True: 200, False: 503}


def application(health: Health, tokens: tuple[str, ...]) -> web.Application:
    """The three routes."""

    def may_know(request: web.Request) -> bool:
        if not tokens:
            # A page in a browser can reach loopback, too, by a name of its own.
            return is_loopback(_named(request.host))
        said = request.headers.get("Authorization", "").removeprefix("Bearer ").encode("utf-8", "replace")
        return True in [hmac.compare_digest(said, each.encode()) for each in tokens]

    def told(request: web.Request, status: int) -> web.Response:
        report = health.report
        known: object = (
            report if may_know(request) else {"status": "ok" if status == SAID[True] else "not ok"}
        )
        return web.Response(status=status, body=msgspec.json.encode(known), content_type="application/json")

    async def healthz(request: web.Request) -> web.Response:
        return told(request, SAID[health.is_live])

    async def readyz(request: web.Request) -> web.Response:
        return told(request, SAID[health.is_ready])

    async def metrics(request: web.Request) -> web.Response:
        if not may_know(request):
            raise web.HTTPUnauthorized(text="expected the header Authorization: Bearer TOKEN\n")
        body = exposition(health.samples()).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    app = web.Application(client_max_size=1)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def telling(health: Health, listening: Listening | None, limits: Limits = LIMITS) -> AsyncIterator[str]:
    """Answers as long as the context lasts, at the address that it gives; nowhere, if it is not told where.

    Raises:
        Misconfigured: nobody can listen there.
    """
    if listening is None:
        yield ""
        return
    app = application(health, listening.tokens)
    async with AsyncExitStack() as stack:
        try:
            where = await stack.enter_async_context(answering(app, listening.host, listening.port, limits))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Misconfigured(f"{VARIABLE}: nobody can listen at {listening!r}: {reason}") from error
        yield where


def _named(host: str) -> str:
    """The name in a Host header; empty where it is none."""
    try:
        return URL(f"http://{host}").host or ""
    except ValueError:
        return ""
