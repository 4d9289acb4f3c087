"""Detect and route on Kafka: the two folds, their hosts, and the rules that they follow."""

import asyncio
from collections.abc import Callable, Mapping
from uuid import uuid4

from detectors.bank import Bank
from routing.router import KEY, PROBE, Router
from schemas.record import Stream
from streams.drilling.live import Live, drill
from streams.drilling.progress import Result
from streams.drilling.scheduled import Scheduled
from streams.hosting.clock import Clock
from streams.hosting.emission import Destination, Emission
from streams.hosting.environment import Environment
from streams.hosting.host import Host, Hosting
from streams.hosting.kafka import KafkaLog
from streams.hosting.pace import Pace
from streams.hosting.partition import Cadence, Partition, Surroundings
from streams.hosting.rulebook import Rulebook, Rules
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Snapshots
from streams.hosting.topics import (
    CAUSES,
    DEADLETTER,
    DECISIONS,
    DETECTOR_STATE,
    EVENTS,
    INCIDENTS,
    PAGES,
    ROUTING_STATE,
)
from streams.watching.beating import touching
from streams.watching.behind import Behind
from streams.watching.health import Health
from streams.watching.probing import Probes
from streams.watching.refusing import Refusing


class Folds:
    """Detect and route on one log, with the rules that they follow."""

    def __init__(
        self,
        env: Environment,
        rules: Rules,
        kafka: KafkaLog,
        clock: Clock,
        variables: Mapping[str, str],
        *,
        health: Health | None = None,
    ) -> None:
        """`variables`: where secrets are; new rules that name others are refused."""
        self.health = health or Health(clock)
        self._env = env
        self._kafka = kafka
        self._clock = clock
        self._owner = uuid4().hex
        self._count = 0
        self._destinations: dict[Stream, Destination] = {}
        self._events = 1
        self._rulebook = Rulebook(env.config, rules, kafka, clock, env.clock, variables=variables)
        self._cadence = Cadence(age=env.snapshot_age)
        self._paces = {state: Pace() for state in (DETECTOR_STATE, ROUTING_STATE)}
        detect = Hosting[Partition](
            topic=EVENTS, group=f"{env.name}-detect", make=self._detect, owned=self._rulebook.events_owned,
            clock=env.clock, session=env.session,
        )  # fmt: skip
        route = Hosting[Partition](
            topic=CAUSES, group=f"{env.name}-route", make=self._route, owned=self._rulebook.routing_owned,
            clock=env.clock, session=env.session,
        )  # fmt: skip
        self.hosts: list[Host[Partition]] = [Host(each, env.connection, clock) for each in (route, detect)]
        if env.ears.switch and env.clock == "wall":
            self.health.probes = Probes(
                kafka, clock, lambda: self.hosts[1].condition().owned, self._probes_come_here
            )

    async def run(self) -> None:
        """Runs both folds and follows the files of the rules, until `stop`."""
        self._events = await self._kafka.partitions(EVENTS)
        spread = {"pages": PAGES, "incidents": INCIDENTS, "decisions": DECISIONS, "deadletter": DEADLETTER}
        for stream, topic in spread.items():
            self._destinations[stream] = Destination(topic, await self._kafka.partitions(topic))  # type: ignore[index] # mypy widens the key
        self._destinations["causes"] = Destination(CAUSES, 1)
        beside = [asyncio.create_task(self._rulebook.watch())]
        if self._env.clock == "wall":
            drills = Scheduled(lambda: self.router, self._kafka, self._clock, self._drill)
            beside.append(asyncio.create_task(drills.run()))
            beside.append(asyncio.create_task(self._behind().run()))
            refusing = Refusing(lambda: self.router, self._kafka, self._clock)
            beside.append(asyncio.create_task(refusing.run()))
        if self.health.probes is not None:
            beside.append(asyncio.create_task(self.health.probes.run()))
        if self._env.alive:
            beside.append(asyncio.create_task(touching(self._env.alive, self.health)))
        try:
            async with asyncio.TaskGroup() as group:
                for host in self.hosts:
                    group.create_task(host.run())
        finally:
            for each in beside:
                each.cancel()

    @property
    def router(self) -> Router | None:
        """The router, while it is this worker's and restored."""
        owner = self.hosts[0].partitions.get(0)
        return owner.fold if owner is not None and isinstance(owner.fold, Router) else None

    async def stop(self) -> None:
        """Hands everything over."""
        for host in self.hosts:
            await host.stop()

    def _behind(self) -> Behind:
        """Of events alone: that causes are read late would be told at their end, and wait there."""
        env, figures = self._env, self.health.figures
        return Behind(
            self._kafka, self._clock, self.hosts[1], limits=env.limits, session=env.session, figures=figures
        )

    def _probes_come_here(self) -> bool:
        """Whether this worker has the partition of the pages that probes go to."""
        pages = self._destinations.get("pages")
        if pages is None:
            return False
        number = pages.partition(PROBE)
        return any(each.topic == PAGES and number in each.owned for each in self.health.conditions)

    async def _drill(self, live: Live) -> Result:
        return await drill(live, self._env.connection, self._clock)

    def _detect(self, number: int) -> Partition:
        bank = Bank(read_settings, self._env.clock, partition=number, partitions=self._events)
        rules = self._rulebook.rules.for_detectors
        return self._partition(
            bank, (EVENTS, number), DETECTOR_STATE, lambda: bank.begin(rules.files, rules.digest), grace_s=2.0
        )

    def _route(self, number: int) -> Partition:
        return self._partition(Router(), (CAUSES, number), ROUTING_STATE, lambda: None, grace_s=0.0)

    def _partition(
        self,
        fold: Bank | Router,
        source: tuple[str, int],
        state: str,
        genesis: Callable[[], None],
        grace_s: float,
    ) -> Partition:
        self._count += 1
        figures = self.health.figures
        emission = Emission(self._kafka, self._destinations, self._clock, self._env.clock, figures)
        snapshots = Snapshots(self._kafka, state, source[1], f"{self._owner}-{self._count}")
        cadence = self._cadence.with_grace(grace_s)
        surroundings = Surroundings(
            self._kafka, emission, snapshots, self._clock, cadence, figures, self._paces[state]
        )
        only_key = KEY if isinstance(fold, Router) else ""
        return Partition(fold, source, surroundings, genesis, only_key)
