"""Fire drills that a configuration plans: the worker that routes begins each, once, and tells how it went."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from aiokafka.errors import KafkaError

from routing.incidents.drills import Due
from routing.router import Router
from schemas.cause import AnyCause, Concluded, Drilled
from schemas.wire import encode
from streams.drilling.live import Live
from streams.drilling.progress import Result
from streams.drilling.rehearsal import Rehearsal
from streams.drilling.scenarios import SCENARIOS
from streams.hosting.clock import Clock
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.topics import CAUSES

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 5.0
WITHIN = timedelta(minutes=10)
BY = "schedule"


Play = Callable[[Live], Awaitable[Result]]


class Scheduled:
    """`router`: the router, while it is this worker's and restored; else None. `play`: plays a drill."""

    def __init__(self, router: Callable[[], Router | None], kafka: Log, clock: Clock, play: Play) -> None:
        self._router = router
        self._log = kafka
        self._clock = clock
        self._play = play
        self._owner = uuid4().hex
        self._announced: Due | None = None

    async def run(self) -> None:
        """Looks, and drills, until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - whatever befalls a drill, the worker goes on
                log.warning("drill.failed", error=repr(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Announces what is due, and plays what it announced first, once the router has read that.

        Of what another worker began and did not end, tells that it was cut off.

        Raises:
            AppendFailed: it cannot be written; what is not announced is due still.
        """
        router = self._router()
        if router is None:
            self._announced = None
            return
        announced = self._announced
        owner = router.drill_owner(announced.id) if announced is not None else None
        if announced is not None and owner is not None:
            self._announced = None
            if owner == self._owner:
                await self._drill(announced)
                return
        for name in router.drills_cut_off(self._clock.now()):
            remedy = "the worker that drilled stopped in the middle"
            await self._write(Concluded(at=self._clock.now(), id=name, broke_at="published", remedy=remedy))
        for due in router.drills_due(self._clock.now())[:1]:
            self._announced = due
            await self._announce(due)

    async def _announce(self, due: Due) -> None:
        """Told again while the router has not read it, it changes nothing: the first one counts."""
        planned = due.planned
        begun = Drilled(
            at=self._clock.now(),
            id=due.id,
            by=BY,
            agent=planned.agent,
            channel=planned.channel,
            name=planned.name,
            owner=self._owner,
        )
        await self._write(begun)

    async def _drill(self, due: Due) -> None:
        planned = due.planned
        order = Rehearsal(
            scenario=SCENARIOS[planned.scenario],
            agent=planned.agent,
            token=due.id.partition(":")[2],
            within=WITHIN,
            channel=planned.channel,
        )
        log.info("drill.begun", id=due.id, agent=planned.agent)
        try:
            found = await self._play(Live(order=order, by=BY))
            end = Concluded(
                at=self._clock.now(),
                id=due.id,
                broke_at=found.broke_at,
                remedy=found.remedy,
                facts=_facts(found),
            )
        except (AppendFailed, KafkaError) as error:
            end = Concluded(at=self._clock.now(), id=due.id, broke_at="published", remedy=str(error))
        log.info("drill.over", id=due.id, broke_at=end.broke_at)
        await self._write(end)

    async def _write(self, cause: AnyCause) -> None:
        await self._log.append(CAUSES, 0, [Outgoing(b"drill", encode(cause))])


def _facts(result: Result) -> tuple[tuple[str, str], ...]:
    """Stage by stage, and who was told."""
    reached = [each for each in result.stages if each.after_s is not None]
    stages = "\n".join(f"{each.stage} after {each.after_s:.0f} s: {each.what}" for each in reached)
    people = "\n".join(
        f"{each.instead or each.to} after {each.after_s:.0f} s over {each.channel}: {each.outcome}"
        for each in result.paged
    )
    return tuple((label, text) for label, text in (("Stages", stages), ("Told", people)) if text)
