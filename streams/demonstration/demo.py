"""The demo: an embedded broker, the production worker as a process of its own, and a simulated fleet.

Event time is the clock: days of history pass in seconds, so that baselines are learnt and not preset.
"""

import asyncio
import os
import sys
from bisect import bisect_right
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from schemas.page import Message
from schemas.wire import encode
from streams.demonstration.fleet import Fleet
from streams.demonstration.onlooker import Onlooker
from streams.demonstration.stage import Stage
from streams.demonstration.summary import Summary
from streams.embedded import running
from streams.files import Line
from streams.history import Step, plan
from streams.hosting.connection import PREFIX
from streams.hosting.topics import EVENTS, create
from streams.publication import publisher

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


async def perform(fleet: Fleet, acts: Sequence[datetime], audience: Audience) -> Summary:
    """Runs everything and returns the figures, once the worker has looked at every event and told everybody.

    `acts`: event times at which publishing waits until all who are to be told of what was before have been.

    Raises:
        NoBroker: there is no embedded broker for this platform.
        Failed: the worker stopped, or stands still.
    """
    with running() as bootstrap, TemporaryDirectory(prefix="oversight-demo-") as directory:
        audience.hears(f"an embedded Kafka broker listens at {bootstrap}")
        await create({"bootstrap_servers": bootstrap}, partitions=PARTITIONS)
        async with _worker(bootstrap, Path(directory)) as worker:
            audience.hears(f"a worker runs as process {worker.pid}: `oversight worker`, as in production")
            play = Play(fleet, acts, bootstrap, audience)
            return await _guarded(play.run(), worker.guard())


async def _guarded(play: Coroutine[None, None, Summary], guard: Coroutine[None, None, None]) -> Summary:
    """The play's result, unless the guard raises first."""
    tasks = asyncio.ensure_future(play), asyncio.ensure_future(guard)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[1].done():
            tasks[1].result()
        return await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Play:
    """Publishes a fleet's life act by act, and looks on."""

    def __init__(self, fleet: Fleet, acts: Sequence[datetime], bootstrap: str, audience: Audience) -> None:
        self._fleet = fleet
        self._acts = [each.timestamp() for each in acts]
        self._bootstrap = bootstrap
        self._audience = audience
        self._stage = Stage(PARTITIONS, audience.sees_watched, audience.sees_message)
        self._act = 0
        self._looked = asyncio.Event()

    async def run(self) -> Summary:
        """Until everything is published, looked at and told."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish())
            group.create_task(self._look())
        return self._stage.summary

    async def _publish(self) -> None:
        async with publisher({"bootstrap_servers": self._bootstrap}, EVENTS) as appender:
            lines = (Line(encode(event)) for event in self._fleet.events())
            for _, act in groupby(plan(lines, appender.partitions), self._act_of):
                await appender.publish(self._counted(act))
                await self._settle()
        self._stage.all_published()

    async def _settle(self) -> None:
        """Waits until the worker has told everybody of what was published so far."""
        while not self._stage.is_settled(self._stage.latest):
            self._looked.clear()
            await self._looked.wait()

    def _act_of(self, step: Step) -> int:
        """The number of the act in which a step comes; it never goes back."""
        self._act = max(self._act, bisect_right(self._acts, step.at_s or 0.0))
        return self._act

    def _counted(self, steps: Iterator[Step]) -> Iterator[Step]:
        """Counts steps on their way, and tells the audience now and then."""
        for step in steps:
            self._stage.published(step)
            if step.is_event and self._stage.summary.events % EVERY == 0:
                self._audience.sees_published(self._stage.latest, self._stage.summary.events)
            yield step

    async def _look(self) -> None:
        """Looks on until it is over."""
        idle = 0
        async with Onlooker(self._bootstrap) as onlooker:
            while not (self._stage.is_over and await onlooker.is_all_routed()):
                sights = await onlooker.look()
                for sight in sights:
                    self._stage.take(sight)
                self._stage.rest(len(sights))
                self._looked.set()
                idle = 0 if sights else idle + 1
                if idle > STALLED_LOOKS:
                    raise Failed("the worker stands still")


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
        # How other brokers are reached does not hold for the embedded one.
        **{name: said for name, said in os.environ.items() if not name.startswith(PREFIX)},
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
