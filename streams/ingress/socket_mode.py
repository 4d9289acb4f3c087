"""Slack's Socket Mode: what is pressed comes over a connection that we open, so that nobody must reach us.

Slack's own client does the connection: it asks for an address with the app token, answers pings, and connects
anew where it is told to. An envelope is acknowledged once what it says is written.
"""

import asyncio
from datetime import timedelta

import msgspec
import structlog
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from routing.callbacks.refused import Ignored, Refused
from routing.callbacks.slack import pressed
from streams.hosting.log import AppendFailed
from streams.ingress.desk import Desk

log = structlog.get_logger(__name__)
API = "https://slack.com/api/"
PING = timedelta(seconds=5)


async def listen(desk: Desk, api: str = API, ping: timedelta = PING) -> None:
    """Takes what is pressed, until it is cancelled; where Slack is away its client tries again.

    `api`: the address of Slack's Web API. `ping`: how often the connection is tried.
    """

    async def handle(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if await taken(desk, request):
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    web_client = AsyncWebClient(base_url=api.rstrip("/") + "/")
    client = SocketModeClient(
        app_token=desk.access.socket, web_client=web_client, ping_interval=ping.total_seconds()
    )
    client.socket_mode_request_listeners.append(handle)
    try:
        await client.connect()  # type: ignore[no-untyped-call] # Slack gives no types here
        log.info("slack.listening")
        await asyncio.Event().wait()
    finally:
        await client.close()  # type: ignore[no-untyped-call] # nor here


async def taken(desk: Desk, request: SocketModeRequest) -> bool:
    """Whether an envelope is dealt with: not, if it could not be written."""
    try:
        await desk.write(pressed(msgspec.json.encode(request.payload), desk.now()))
    except Ignored as ignored:
        desk.note("slack", "ignored", str(ignored))
    except Refused as refused:
        desk.note("slack", "refused", str(refused))
    except (AppendFailed, TimeoutError) as error:
        desk.note("slack", "failed", repr(error))
        return False
    return True
