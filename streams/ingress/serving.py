"""Everything that takes what people do, in one process, until it is told to stop."""

import asyncio
import signal
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.ingress.access import Access
from streams.ingress.board import Board, follow
from streams.ingress.desk import Desk
from streams.ingress.door import Limits, answering
from streams.ingress.server import Server
from streams.ingress.socket_mode import API, listen

LIMITS = Limits(most=256, within=timedelta(seconds=30), stop_within=timedelta(seconds=3))


class Place(Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int


async def serve(connection: Mapping[str, Any], place: Place, access: Access, slack_api: str = API) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        KafkaError: no broker answers, or the topic of the incidents is not there.
        OSError: nobody can listen there.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    async with KafkaLog(dict(connection)) as kafka:
        desk = Desk(kafka, Board(), access, WallClock().now)
        async with answering(Server(desk).application(), place.host, place.port, LIMITS):
            await _until(stopped, connection, desk, slack_api)


async def _until(stopped: asyncio.Event, connection: Mapping[str, Any], desk: Desk, slack_api: str) -> None:
    """Follows the incidents, and Slack where it is asked for; the first fault of these ends it."""
    tasks = [asyncio.create_task(stopped.wait()), asyncio.create_task(follow(connection, desk.board))]
    if desk.access.socket:
        tasks.append(asyncio.create_task(listen(desk, slack_api)))
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in done:
        each.result()
