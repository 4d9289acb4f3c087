"""The worker: detect, route and notify in one process, inside a Faust worker.

Detect and route are folds that a mode service runs (`streams.hosting.folds`); notify is a Faust agent.
"""

import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import faust
import structlog
from aiokafka.errors import KafkaError
from mode import Service
from msgspec import Struct

from schemas.cause import Reported
from schemas.page import Message
from schemas.wire import encode
from streams.delivering import notify
from streams.delivering.delivery import Courier
from streams.delivering.secrets import environment
from streams.hosting.clock import WallClock
from streams.hosting.environment import Environment
from streams.hosting.folds import Folds
from streams.hosting.kafka import KafkaLog
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.rules import Rules
from streams.hosting.topics import CAUSES, DEADLETTER, PAGES, missing

log = structlog.get_logger(__name__)
STOP_WITHIN_S = 10.0
GONE_WITHIN_S = 25.0
WAIT_S = 2.0


class Order(Struct, frozen=True):
    """What a worker works with. `variables`: where secrets are; `show`: takes what the terminal is told."""

    env: Environment
    rules: Rules
    variables: Mapping[str, str]
    show: Callable[[str], None]


class FoldService(Service):
    """Detect and route, as a service that the Faust worker supervises."""

    def __init__(self, folds: Folds, kafka: KafkaLog) -> None:
        super().__init__()
        self._folds = folds
        self._kafka = kafka
        self._task: asyncio.Task[None] | None = None
        self._crashing: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        """Connects, then runs beside everything else."""
        await self._kafka.__aenter__()
        self._task = asyncio.create_task(self._folds.run())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A fault of ours ends the worker: whoever runs it starts it anew, and nothing is lost."""
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.critical("folds.failed", exc_info=fault)
            self._crashing = asyncio.ensure_future(self.crash(fault))

    async def on_stop(self) -> None:
        """Hands everything over, within ten seconds."""
        # Where Kafka is away, clients may wait for it for ever. Whatever is not handed over by then is folded
        # again by the next owner.
        last_resort = threading.Timer(GONE_WITHIN_S, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        await self._folds.stop()
        if self._task is not None:
            # A failure was told when it happened.
            with suppress(TimeoutError, asyncio.CancelledError, Exception):
                await asyncio.wait_for(self._task, STOP_WITHIN_S)
        await self._kafka.__aexit__()


def application(order: Order, pages: int, kafka: KafkaLog, folds: Folds) -> faust.App:
    """The Faust app of a worker: the folds' service and the notifying agent. `pages`: partitions of pages."""
    env = order.env
    session_s = env.session.total_seconds()
    app = faust.App(
        f"{env.name}-notify",
        broker=";".join(f"kafka://{each}" for each in env.kafka.split(",")),
        store="memory://",
        datadir=str(env.tables),
        web_enabled=False,
        topic_disable_leader=True,
        topic_replication_factor=1,
        topic_allow_declare=True,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=max(0.3, min(session_s / 10, 3.0)),
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,
        worker_redirect_stdouts=False,
        stream_wait_empty=True,
    )
    service: Any = FoldService(folds, kafka)
    app.service(service)
    _notify(app, order, kafka, pages)
    return app


def _notify(app: faust.App, order: Order, kafka: KafkaLog, partitions: int) -> None:
    """Adds the agent that attempts pages and reports what became of them."""
    clock = WallClock()

    async def report(cause: Reported) -> None:
        await kafka.append(CAUSES, 0, [Outgoing(b"outcome", encode(cause))])

    async def bury(value: bytes, reason: str) -> None:
        headers = (("reason", reason.encode()), ("origin", PAGES.encode()))
        await kafka.append(DEADLETTER, 0, [Outgoing(None, value, headers)])

    def at(message: Message) -> datetime:
        return clock.now() if order.env.clock == "wall" else message.time

    courier = Courier(environment(order.variables), order.show)
    notify.install(
        app, courier, report=report, bury=bury, now=clock.now, at=at, topic=PAGES, partitions=partitions
    )


def run(order: Order) -> None:
    """Runs a worker until SIGTERM or SIGINT; returns when everything is handed over."""
    logged()
    order.env.tables.mkdir(parents=True, exist_ok=True)
    pages = asyncio.run(_partitions(order.env))
    kafka = KafkaLog(order.env.connection)
    app = application(order, pages, kafka, Folds(order.env, order.rules, kafka, WallClock(), order.variables))
    start(app)


def start(app: faust.App) -> None:
    """Runs a worker's app in this process, until it is stopped by a signal."""
    # A batch holds thousands of records for a moment, and none of them is in a cycle. By its own measure the
    # collector would search the whole state for cycles again and again: a third of the worker's time.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    worker = faust.Worker(app, loglevel="warn", quiet=False, redirect_stdouts=False, console_port=0)
    worker.spinner = None
    worker.execute_from_commandline()


async def _partitions(env: Environment) -> int:
    """How many partitions the pages have; waits for the brokers, and for somebody to make the topics."""
    while True:
        try:
            absent = await missing(env.connection)
            if not absent:
                async with KafkaLog(env.connection) as kafka:
                    return await kafka.partitions(PAGES)
            log.warning("worker.waiting", kafka=env.kafka, missing=absent, remedy="oversight topics")
        except (KafkaError, AppendFailed) as error:
            log.warning("worker.waiting", kafka=env.kafka, error=repr(error))
        await asyncio.sleep(WAIT_S)


def logged() -> None:
    """Logs are events on standard error: JSON where it is no terminal."""
    terminal = sys.stderr.isatty()
    last: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
