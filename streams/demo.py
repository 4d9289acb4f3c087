"""The demo: an embedded broker, the production worker as a process of its own, and a simulated fleet.

Event time is the clock: days of history pass in seconds, so that baselines are learnt and not preset.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from schemas.page import Message
from schemas.wire import encode, moment
from streams.embedded import running
from streams.files import Line
from streams.fleet import Fleet
from streams.history import Step, plan
from streams.onlooker import Onlooker
from streams.publication import publisher
from streams.stage import Stage
from streams.summary import Summary
from streams.topics import EVENTS, create

PARTITIONS = 2
STOPPED_WITHIN = timedelta(seconds=15)
STALLED_LOOKS = 300
"""Looks in a row without any progress, of a fifth of a second each, after which the worker is given up."""
LAST_BYTES = 4000
EVERY = 1000


class Failed(Exception):  # noqa: N818 - says what became of the demo
    """The worker stopped or stands still; the message holds the end of its log."""


class Audience(Protocol):
    """Who watches the demo."""

    def hears(self, announcement: str) -> None:
        """Something is set up."""
        ...

    def sees_published(self, at: datetime, events: int) -> None:
        """So many events have been published, up to this event time."""
        ...

    def sees_watched(self, at: datetime) -> None:
        """The worker has looked at everything up to this event time."""
        ...

    def sees_message(self, message: Message) -> None:
        """A page or an update is on its way."""
        ...


def configuration() -> str:
    """What the demo follows, as YAML."""
    return files("streams").joinpath("demo.yml").read_text("utf-8")


async def perform(fleet: Fleet, audience: Audience) -> Summary:
    """Runs everything and returns the figures, once the worker has looked at every event and told everybody.

    Raises:
        NoBroker: there is no embedded broker for this platform.
        Failed: the worker stopped, or stands still.
    """
    with running() as bootstrap, TemporaryDirectory(prefix="oversight-demo-") as directory:
        audience.hears(f"an embedded Kafka broker listens at {bootstrap}")
        await create({"bootstrap_servers": bootstrap}, partitions=PARTITIONS)
        async with _worker(bootstrap, Path(directory)) as worker:
            audience.hears(f"a worker runs as process {worker.pid}: `oversight worker`, as in production")
            return await _watch(fleet, bootstrap, audience, worker)


async def _watch(fleet: Fleet, bootstrap: str, audience: Audience, worker: "Worker") -> Summary:
    """Publishes and looks on side by side, as long as the worker runs."""
    stage = Stage(PARTITIONS, audience.sees_watched, audience.sees_message)
    async with Onlooker(bootstrap) as onlooker:
        show = asyncio.gather(_publish(fleet, bootstrap, stage, audience), _look(onlooker, stage))
        guard = asyncio.ensure_future(worker.guard())
        try:
            done, _ = await asyncio.wait({show, guard}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            show.cancel()
            guard.cancel()
            await asyncio.gather(show, guard, return_exceptions=True)
    return stage.summary


async def _publish(fleet: Fleet, bootstrap: str, stage: Stage, audience: Audience) -> None:
    async with publisher(bootstrap, EVENTS) as appender:
        await appender.publish(_told(_steps(fleet, appender.partitions), stage, audience))
    stage.all_published()


def _steps(fleet: Fleet, partitions: int) -> Iterator[Step]:
    return plan((Line(encode(event)) for event in fleet.events()), partitions)


def _told(steps: Iterator[Step], stage: Stage, audience: Audience) -> Iterator[Step]:
    """Counts steps on their way, and tells the audience now and then."""
    for step in steps:
        stage.published(step)
        if step.at_s is not None and stage.summary.events % EVERY == 0:
            audience.sees_published(moment(step.at_s), stage.summary.events)
        yield step


async def _look(onlooker: Onlooker, stage: Stage) -> None:
    """Looks on until it is over."""
    idle = 0
    while not stage.is_over:
        sights = await onlooker.look()
        idle = 0 if sights else idle + 1
        if idle > STALLED_LOOKS:
            raise Failed("the worker stands still")
        for sight in sights:
            stage.take(sight)
        stage.rest(len(sights))


class Worker:
    """The worker's process and its log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def guard(self) -> None:
        """Waits as long as it runs.

        Raises:
            Failed: it stopped by itself.
        """
        code = await self._process.wait()
        end = self._log.read_bytes()[-LAST_BYTES:].decode("utf-8", "replace")
        raise Failed(f"the worker stopped (exit {code}); its log ends with\n{end}")

    async def stop(self) -> None:
        """Asks it to stop, and makes it where it does not."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOPPED_WITHIN.total_seconds()):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def _worker(bootstrap: str, directory: Path) -> AsyncIterator[Worker]:
    """`oversight worker` as a process of its own, stopped when this ends."""
    config, log = directory / "oversight.yml", directory / "worker.log"
    config.write_text(configuration(), "utf-8")
    environment = {
        **os.environ,
        "OVERSIGHT_KAFKA": bootstrap,
        "OVERSIGHT_CONFIG": str(config),
        "OVERSIGHT_CLOCK": "events",
    }
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "streams.cli",
            "worker",
            cwd=directory,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is ours: the worker is stopped in order
        )
    worker = Worker(process, log)
    try:
        yield worker
    finally:
        await asyncio.shield(worker.stop())
