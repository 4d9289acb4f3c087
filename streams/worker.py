"""The worker: detect, route and notify in one process, inside a Faust worker.

Detect and route are folds under `streams.host`, run by a mode service; notify is a Faust agent.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import uuid4

import faust
import structlog
from aiokafka.errors import KafkaError
from mode import Service

from detectors.bank import Bank
from routing.router import Router
from schemas.cause import Reported
from schemas.page import Message
from schemas.record import Stream
from schemas.wire import encode
from streams import notify
from streams.clock import Clock, WallClock
from streams.delivery import Courier
from streams.emission import Destination, Emission
from streams.environment import Environment
from streams.heartbeat import beating
from streams.host import Host, Hosting
from streams.kafka import KafkaLog
from streams.log import AppendFailed, Outgoing
from streams.partition import Cadence, Partition
from streams.rules import Rulebook, Rules
from streams.secrets import environment
from streams.settings import read_settings
from streams.snapshots import Snapshots
from streams.topics import CAUSES, DEADLETTER, DECISIONS, DETECTOR_STATE, EVENTS, INCIDENTS, PAGES, ROUTING_STATE

log = structlog.get_logger(__name__)
STOP_WITHIN_S = 10.0
WAIT_S = 2.0


class Folds:
    """Detect and route on one log, with the rules that they follow."""

    def __init__(self, env: Environment, rules: Rules, kafka: KafkaLog, clock: Clock) -> None:
        self._env = env
        self._kafka = kafka
        self._clock = clock
        self._owner = uuid4().hex
        self._count = 0
        self._destinations: dict[Stream, Destination] = {}
        self._events = 1
        self._rulebook = Rulebook(env.config, rules, kafka, clock, env.clock)
        self._cadence = Cadence(age=env.snapshot_age)
        detect = Hosting(
            topic=EVENTS, group=f"{env.name}-detect", make=self._detect, owned=self._rulebook.events_owned,
            clock=env.clock, session=env.session,
        )  # fmt: skip
        route = Hosting(
            topic=CAUSES, group=f"{env.name}-route", make=self._route, owned=self._rulebook.routing_owned,
            clock=env.clock, session=env.session,
        )  # fmt: skip
        self.hosts = [Host(each, env.connection, clock) for each in (route, detect)]

    async def run(self) -> None:
        """Runs both folds and follows the files of the rules, until `stop`."""
        self._events = await self._kafka.partitions(EVENTS)
        spread = {"pages": PAGES, "incidents": INCIDENTS, "decisions": DECISIONS, "deadletter": DEADLETTER}
        for stream, topic in spread.items():
            self._destinations[stream] = Destination(topic, await self._kafka.partitions(topic))  # type: ignore[index]
        self._destinations["causes"] = Destination(CAUSES, 1)
        beside = [asyncio.create_task(self._rulebook.watch())]
        if self._env.alive:
            beside.append(asyncio.create_task(beating(self._env.alive)))
        try:
            async with asyncio.TaskGroup() as group:
                for host in self.hosts:
                    group.create_task(host.run())
        finally:
            for each in beside:
                each.cancel()

    async def stop(self) -> None:
        """Hands everything over."""
        for host in self.hosts:
            await host.stop()

    def _detect(self, number: int) -> Partition:
        bank = Bank(read_settings, self._env.clock, number, self._events)
        rules = self._rulebook.rules
        return self._partition(
            bank, (EVENTS, number), DETECTOR_STATE, lambda: bank.begin(rules.files, rules.digest), grace_s=2.0
        )

    def _route(self, number: int) -> Partition:
        return self._partition(Router(), (CAUSES, number), ROUTING_STATE, lambda: None, grace_s=0.0)

    def _partition(
        self, fold: Bank | Router, source: tuple[str, int], state: str, genesis: Callable[[], None], grace_s: float
    ) -> Partition:
        self._count += 1
        emission = Emission(self._kafka, self._destinations, self._clock, self._env.clock)
        snapshots = Snapshots(self._kafka, state, source[1], f"{self._owner}-{self._count}")
        cadence = self._cadence.with_grace(grace_s)
        return Partition(fold, source, self._kafka, emission, snapshots, self._clock, cadence, genesis)


class FoldService(Service):  # type: ignore[misc] # mode is untyped
    """Detect and route, as a service that the Faust worker supervises."""

    def __init__(self, folds: Folds, kafka: KafkaLog, **options: object) -> None:
        super().__init__(**options)
        self._folds = folds
        self._kafka = kafka
        self._task: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        """Connects, then runs beside everything else."""
        await self._kafka.__aenter__()
        self._task = asyncio.create_task(self._folds.run())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A fault of ours ends the worker: whoever runs it starts it anew, and nothing is lost."""
        if not task.cancelled() and task.exception() is not None:
            log.critical("folds.failed", exc_info=task.exception())
            asyncio.ensure_future(self.crash(task.exception()))

    async def on_stop(self) -> None:
        """Hands everything over, within ten seconds."""
        await self._folds.stop()
        if self._task is not None:
            with suppress(TimeoutError, asyncio.CancelledError, Exception):
                await asyncio.wait_for(self._task, STOP_WITHIN_S)
        await self._kafka.__aexit__()


def application(
    env: Environment, rules: Rules, variables: Mapping[str, str], show: Callable[[str], None], pages: int
) -> faust.App:
    """The Faust app of a worker: the folds' service and the notifying agent. `pages`: partitions of the pages' topic."""
    clock = WallClock()
    kafka = KafkaLog(env.connection)
    folds = Folds(env, rules, kafka, clock)
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
    app.service(FoldService(folds, kafka))
    notifying(app, env, kafka, Courier(environment(variables), show), clock, pages)
    return app


def notifying(
    app: faust.App, env: Environment, kafka: KafkaLog, courier: Courier, clock: Clock, partitions: int
) -> None:
    """Adds the agent that attempts pages and reports what became of them."""

    async def report(cause: Reported) -> None:
        await kafka.append(CAUSES, 0, [Outgoing(b"outcome", encode(cause))])

    async def bury(value: bytes, reason: str) -> None:
        headers = (("reason", reason.encode()), ("origin", PAGES.encode()))
        await kafka.append(DEADLETTER, 0, [Outgoing(None, value, headers)])

    def at(message: Message):  # type: ignore[no-untyped-def] # noqa: ANN202 - see install
        return clock.now() if env.clock == "wall" else message.time

    notify.install(
        app, courier, report=report, bury=bury, now=clock.now, at=at, topic=PAGES, partitions=partitions
    )


def run(env: Environment, rules: Rules, variables: Mapping[str, str], show: Callable[[str], None]) -> None:
    """Runs a worker until SIGTERM or SIGINT; returns when everything is handed over."""
    logged()
    env.tables.mkdir(parents=True, exist_ok=True)
    pages = asyncio.run(_partitions(env))
    app = application(env, rules, variables, show, pages)
    worker = faust.Worker(app, loglevel="warn", quiet=False, redirect_stdouts=False, console_port=0)
    worker.spinner = None
    worker.execute_from_commandline()


async def _partitions(env: Environment) -> int:
    """How many partitions the pages have; waits for the brokers, and for somebody to make the topics."""
    while True:
        try:
            async with KafkaLog(env.connection) as kafka:
                return await kafka.partitions(PAGES)
        except (KafkaError, AppendFailed) as error:
            log.warning("worker.waiting", kafka=env.kafka, error=repr(error), remedy="oversight topics")
            await asyncio.sleep(WAIT_S)


def logged() -> None:
    """Logs are events on standard error: JSON where it is no terminal."""
    terminal = sys.stderr.isatty()
    last = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
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
