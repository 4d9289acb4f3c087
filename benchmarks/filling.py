"""Fills a fresh broker with the simulated fleet."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import islice

from schemas.wire import encode
from streams.demonstration.fleet import fleet
from streams.files import Line
from streams.history import spread
from streams.hosting.topics import EVENTS, create_topics
from streams.publication import publisher

PARTITIONS = 4
RATE_PER_S = 20_000.0
"""Events per second of event time: about what a worker at its limit sees."""


async def fill(bootstrap: str, events: int, agents: int, rate_per_s: float = RATE_PER_S) -> None:
    """Makes the topics and publishes so many events; the bulk of the time goes into making them."""
    played = fleet(agents, 1, rate_per_s, duration=timedelta(seconds=2 * events / rate_per_s + 60))
    await fill_with(bootstrap, (encode(event) for event in islice(played.events(), events)))


async def fill_with(bootstrap: str, lines: Iterable[bytes]) -> None:
    """Makes the topics, where they are not there, and publishes these events."""
    await create_topics(bootstrap, PARTITIONS)
    async with publisher({"bootstrap_servers": bootstrap}, EVENTS) as appender:
        await appender.publish(spread(map(Line, lines), PARTITIONS))
