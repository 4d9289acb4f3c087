"""Everything that tells of a process's health, as long as it works."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from streams.hosting.variables import Hidden
from streams.watching.beating import address, calling
from streams.watching.health import Health
from streams.watching.listening import Listening, read
from streams.watching.server import telling


class Ears(Struct, frozen=True):
    """Who is told: `listening`, where others ask; `switch`, the address of a dead-man's switch, or empty."""

    listening: Listening | None = None
    switch: Hidden = Hidden("")


def ears(variables: Mapping[str, str]) -> Ears:
    """From OVERSIGHT_LISTEN, OVERSIGHT_METRICS_TOKEN and OVERSIGHT_HEARTBEAT_URL.

    Raises:
        Misconfigured: one of them cannot be.
    """
    return Ears(read(variables), Hidden(address(variables)))


@asynccontextmanager
async def watched(health: Health, who: Ears) -> AsyncIterator[str]:
    """Tells as long as the context lasts; gives the address where it answers, or nothing.

    Raises:
        Misconfigured: nobody can listen there.
    """
    async with telling(health, who.listening) as where:
        beat = asyncio.create_task(calling(who.switch.told(), health)) if who.switch else None
        try:
            yield where
        finally:
            if beat is not None:
                beat.cancel()
