"""The worker: detect, route and notify in one process, inside a Faust worker.

Detect and route are folds (`streams.hosting.folds`), notify is a host beside them; one mode service runs all.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy
from mode import Service
from msgspec import Struct, structs

from schemas.page import Message
from streams.collector import relax
from streams.delivering.counting import Counting
from streams.delivering.deliveries import Deliveries
from streams.delivering.delivery import Courier
from streams.delivering.linking import warn_of_lacks, with_link_secret
from streams.delivering.notify import Office, hosting
from streams.delivering.secrets import environment
from streams.hosting.clock import WallClock
from streams.hosting.environment import Environment
from streams.hosting.folds import Folds
from streams.hosting.host import Host
from streams.hosting.kafka import KafkaLog
from streams.hosting.rulebook import Rules
from streams.hosting.standing import Stand, deviations, look
from streams.hosting.topics import TOPICS
from streams.hosting.variables import Misconfigured
from streams.logbook import logged
from streams.starting import Start, there
from streams.watching.health import Health
from streams.watching.watched import Ears, watched

log = structlog.get_logger(__name__)
STOP_WITHIN_S = 20.0
GONE_WITHIN_S = 25.0
OLDEST = timedelta(hours=1)
"""By the wall clock, the router asks anew for what it hears nothing of for two minutes."""


class Order(Struct, frozen=True):
    """What a worker works with. `variables`: where secrets are; `show`: takes what the terminal is told."""

    env: Environment
    rules: Rules
    variables: Mapping[str, str]
    show: Callable[[str], None]


class Pipeline(Service):
    """Detect, route and notify, as a service that the Faust worker supervises."""

    def __init__(
        self, folds: Folds, post: Host[Deliveries], courier: Courier, kafka: KafkaLog, ears: Ears
    ) -> None:
        super().__init__()
        self._ears = ears
        self._watched = AsyncExitStack()
        self._folds = folds
        self._post = post
        self._courier = courier
        self._kafka = kafka
        self._task: asyncio.Task[None] | None = None
        self._crashing: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        """Connects, then runs beside everything else."""
        await self._watched.enter_async_context(watched(self._folds.health, self._ears))
        await self._kafka.__aenter__()
        self._folds.health.works([*self._folds.hosts, self._post])
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._folds.run())
            group.create_task(self._post.run())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A fault of ours ends the worker: whoever runs it starts it anew, and nothing is lost."""
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.critical("pipeline.failed", exc_info=fault)
            self._crashing = asyncio.ensure_future(self.crash(fault))

    async def on_stop(self) -> None:
        """Hands everything over; attempts that run are finished first."""
        # Where Kafka is away, clients may wait for it for ever. Whatever is not handed over by then is done
        # again by the next owner.
        last_resort = threading.Timer(GONE_WITHIN_S, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        self._folds.health.stops()
        self._kafka.hurry()
        await self._folds.stop()
        await self._post.stop()
        if self._task is not None:
            # A failure was told when it happened.
            with suppress(TimeoutError, asyncio.CancelledError, Exception):
                await asyncio.wait_for(self._task, STOP_WITHIN_S)
        await self._courier.close()
        await self._kafka.__aexit__()
        await self._watched.aclose()


class Supervision(BootStrategy):
    """Faust supervises, and reads nothing itself: its consumer passes over records around a rebalance."""

    enable_kafka = False


class Supervisor(faust.App):
    """A Faust app without a consumer, tables or agents of its own."""

    BootStrategy = Supervision


def application(order: Order, kafka: KafkaLog, folds: Folds) -> faust.App:
    """The Faust app of a worker: one service, the pipeline."""
    env = order.env
    app = Supervisor(
        env.name,
        broker=";".join(f"kafka://{each}" for each in env.kafka.split(",")),
        store="memory://",
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    courier = Courier(environment(order.variables), order.show)
    service: Any = Pipeline(folds, _post(order, kafka, courier, folds.health), courier, kafka, env.ears)
    app.service(service)
    return app


def _post(order: Order, kafka: KafkaLog, courier: Courier, health: Health) -> Host[Deliveries]:
    """The host of the pages."""
    env, clock, figures = order.env, WallClock(), health.figures

    def at(message: Message) -> datetime:
        return clock.now() if env.clock == "wall" else message.time

    oldest = OLDEST if env.clock == "wall" else None
    attempts = Counting(courier, figures, clock)
    probed = bool if health.probes is None else health.probes.passed
    office = Office(
        courier=attempts, log=kafka, clock=clock, at=at, oldest=oldest, figures=figures, probed=probed
    )
    return Host(hosting(office, f"{env.name}-notify", env.session), env.connection, clock)


def run(order: Order) -> None:
    """Runs a worker until SIGTERM or SIGINT; returns when everything is handed over.

    Raises:
        Misconfigured: the topics do not fit each other, or a file with a secret cannot be read.
    """
    logged()
    order = structs.replace(order, variables=with_link_secret(order.variables))
    warn_of_lacks(order.rules, order.variables)
    health = Health(WallClock())
    asyncio.run(_ready(order.env, health))
    kafka = KafkaLog(order.env.connection)
    folds = Folds(order.env, order.rules, kafka, WallClock(), order.variables, health=health)
    start(application(order, kafka, folds))


def start(app: faust.App) -> None:
    """Runs a worker's app in this process, until it is stopped by a signal."""
    relax()
    # Its own logging would write lines of another form beside ours.
    worker = faust.Worker(app, override_logging=False, quiet=False, redirect_stdouts=False, console_port=0)
    worker.spinner = None
    worker.execute_from_commandline()


async def _ready(env: Environment, health: Health) -> None:
    """Waits for the brokers, and for somebody to make the topics.

    Raises:
        Misconfigured: the topics do not fit each other, or nobody can listen where we are told to.
    """

    async def stand() -> Stand:
        await there(env.connection, TOPICS)
        return await look(env.connection)

    async with watched(health, env.ears):
        found = deviations(await Start("worker", env.connection, health).once(stand, "oversight topics"))
    for each in found:
        if each.level == "warning":
            log.warning("topic.deviates", topic=each.topic, what=each.what, remedy=each.remedy)
    misfits = [str(each) for each in found if each.level == "fault"]
    if misfits:
        raise Misconfigured("; ".join(misfits))
