"""The door of an HTTP server: nobody holds it open, and no crowd takes all the descriptors of the process.

A connection is for one request and lives only so long, whatever is half sent or not read by then. Where as
many are open as may be, the eldest gives way, not the newest: a probe is answered whatever crowd waits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

from aiohttp import web
from msgspec import Struct


class Limits(Struct, frozen=True):
    """`most`: connections at once. `within`: the life of each. `stop_within`: how long the end waits."""

    most: int
    within: timedelta
    stop_within: timedelta


class Door(asyncio.Protocol):
    """Where a connection comes in; made anew for each by `Doors`."""

    def __init__(self, enter: Callable[[asyncio.Transport], None]) -> None:
        self._enter = enter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets it through to what answers."""
        self._enter(cast("asyncio.Transport", transport))


class Doors:
    """Makes a door for each connection, and knows which are open."""

    def __init__(self, answers: Callable[[], asyncio.Protocol], limits: Limits) -> None:
        self._answers = answers
        self._limits = limits
        self._open: list[asyncio.Transport] = []

    def __call__(self) -> Door:
        """For the next connection."""
        return Door(self._enter)

    def _enter(self, transport: asyncio.Transport) -> None:
        self._open = [each for each in self._open if not each.is_closing()]
        if len(self._open) >= self._limits.most:
            self._open.pop(0).abort()
        self._open.append(transport)
        asyncio.get_running_loop().call_later(self._limits.within.total_seconds(), transport.abort)
        answer = self._answers()
        transport.set_protocol(answer)
        answer.connection_made(transport)


@asynccontextmanager
async def answering(app: web.Application, host: str, port: int, limits: Limits) -> AsyncIterator[str]:
    """Answers as long as the context lasts, at the address that it gives.

    Raises:
        OSError: nobody can listen there.
    """
    app.on_response_prepare.append(_is_the_last)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=limits.stop_within.total_seconds())
    await runner.setup()
    try:
        doors = Doors(cast("Callable[[], asyncio.Protocol]", runner.server), limits)
        server = await asyncio.get_running_loop().create_server(doors, host, port)
        try:
            yield "http://{}:{}".format(*server.sockets[0].getsockname())
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _is_the_last(_: web.Request, response: web.StreamResponse) -> None:
    """Who asks again comes again: a connection that is ended is not one on which the next request waits."""
    response.headers["Connection"] = "close"
    response.force_close()
