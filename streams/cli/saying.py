"""What a person says on the command line becomes a cause, and is written."""

import asyncio
from uuid import uuid4

import msgspec
from aiokafka.errors import KafkaError

from routing.callbacks.refused import Refused
from routing.callbacks.requests import Delivery, Request, cause
from schemas.cause import Hand
from schemas.identity import derived
from schemas.wire import encode
from streams.cli.console import Wrong, hush
from streams.cli.options import connected
from streams.hosting.clock import WallClock
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.topics import CAUSES
from streams.publication import Unreachable, reach


def say(bootstrap: str, by: str, action: str, request: Request | None = None, incident: str = "") -> Hand:
    """Writes what somebody does; `action` as in the HTTP API, `incident` whole, if it is about one.

    Raises:
        Wrong: it cannot be, or could not be written.
    """
    now = WallClock().now()
    delivery = Delivery(id=derived("hand", "cli", uuid4().hex), incident=incident, now=now, via="cli")
    try:
        hand = cause(action, msgspec.structs.replace(request or Request(), by=by), delivery)
    except Refused as refused:
        raise Wrong(f"{refused.at.removeprefix('$.')}: {refused}") from refused
    write(bootstrap, hand)
    return hand


def write(bootstrap: str, hand: Hand) -> None:
    """Writes a cause of somebody's.

    Raises:
        Wrong: it could not be written.
    """
    hush("aiokafka")
    try:
        asyncio.run(_written(bootstrap, hand))
    except (AppendFailed, Unreachable, KafkaError) as failed:
        raise Wrong(f"it could not be written: {failed}") from failed


async def _written(bootstrap: str, hand: Hand) -> None:
    connection = connected(bootstrap)
    await reach(connection)
    async with KafkaLog(connection) as kafka:
        await kafka.append(CAUSES, 0, [Outgoing(hand.incident.encode(), encode(hand))])
