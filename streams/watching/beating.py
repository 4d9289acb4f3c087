"""Signs of life for whoever watches from outside: a file that is touched, an address that is called.

Both come from the hosts' own turns. The file says what /healthz says. The address, of a dead-man's switch,
is called only while work progresses and, of the pipeline, by the worker in which probes come out, while they
do: where nobody hears a beat, nobody may be watching the agents.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import structlog

from streams.hosting.addresses import is_address
from streams.hosting.variables import Misconfigured, value
from streams.watching import names
from streams.watching.health import Health

log = structlog.get_logger(__name__)
VARIABLE = "OVERSIGHT_HEARTBEAT_URL"
TOUCHED_EVERY = timedelta(seconds=5)
CALLED_EVERY = timedelta(seconds=60)
WITHIN_S = 10.0


async def touching(path: Path, health: Health, every: timedelta = TOUCHED_EVERY) -> None:
    """Touches the file while the worker is live, until it is cancelled."""
    while True:
        if health.is_live:
            path.touch()  # noqa: ASYNC240 - a local file: microseconds
        await asyncio.sleep(every.total_seconds())


class Progress:
    """Whether work progressed since it was asked last: nothing stands still, is blocked or waits.

    A worker that stands by, without a partition, hears nothing of the brokers: those that have some tell.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._behind: dict[tuple[str, int], int] = {}
        """What was behind when it was asked last, and how far it was."""

    def lacks(self) -> str:
        """What does not progress; empty where all does."""
        health = self._health
        if not health.is_live:
            return "a host hangs"
        if not health.is_ready:
            return "not ready"
        if not any(each.owned for each in health.conditions):
            return "stands by, without a partition"
        behind = {
            (each.topic, number): each.reached[number]
            for each in health.conditions
            for number, lag in sorted(each.lag.items())
            if lag
        }
        stuck = [place for place, at in behind.items() if self._behind.get(place) == at]
        self._behind = behind
        return ", ".join(f"{topic}/{number} stands still" for topic, number in stuck)


async def calling(url: str, health: Health, every: timedelta = CALLED_EVERY) -> None:
    """Calls the address while work progresses, until it is cancelled. It is a secret: no log has it."""
    progress = Progress(health)
    async with httpx.AsyncClient(timeout=WITHIN_S) as http:
        while True:
            await asyncio.sleep(every.total_seconds())
            probes = health.probes
            if probes is not None and not probes.comes_here():
                health.figures.count(names.HEARTBEATS, "left")
                continue
            lack = progress.lacks() or ("" if probes is None else probes.lacks())
            if lack:
                log.warning("heartbeat.withheld", why=lack)
            health.figures.count(names.HEARTBEATS, "withheld" if lack else await _called(http, url))


async def _called(http: httpx.AsyncClient, url: str) -> str:
    """What became of a call; whatever goes wrong, the next one is tried."""
    try:
        answer = await http.post(url)
    except Exception as error:  # noqa: BLE001 - a name that cannot be looked up raises more than HTTPError
        log.warning("heartbeat.failed", error=type(error).__name__)
        return "failed"
    if answer.is_error:
        log.warning("heartbeat.failed", status=answer.status_code)
        return "failed"
    return "taken"


def address(variables: Mapping[str, str]) -> str:
    """From OVERSIGHT_HEARTBEAT_URL (_FILE); empty: nobody listens for us.

    Raises:
        Misconfigured: it cannot be called.
    """
    url = value(variables, VARIABLE)
    if not url:
        return ""
    if not is_address(url):
        raise Misconfigured(
            f"{VARIABLE} is no address; expected https://…, where a dead-man's switch listens"
        )
    return url
