"""Fire drills that a configuration plans: the worker that routes begins each, once, and tells how it went."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from aiokafka.errors import KafkaError

from routing.incidents.drill_times import Due
from routing.incidents.drills import NOT_BEGUN
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
SPARE = timedelta(minutes=5)
"""To look for the agent's last events, and to write what became of it; later it was cut off."""
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
        self._announced: dict[str, Due] = {}
        self._played: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Looks, and drills, until it is cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except Exception as error:  # noqa: BLE001 - whatever befalls a drill, the worker goes on
                    log.warning("drill.failed", error=repr(error))
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for each in self._played:
                each.cancel()

    async def look(self) -> None:
        """Announces what is due, and begins what it announced first, once the router has read that.

        Of what another worker began and did not end, tells that it was cut off; and what did not take place.

        Raises:
            AppendFailed: it cannot be written; what is not announced is due still.
        """
        router = self._router()
        if router is None:
            self._announced.clear()
            return
        for name in tuple(self._announced):
            self._begin(router, name)
        for name in router.drills_cut_off(self._clock.now()):
            remedy = "the worker that drilled stopped in the middle"
            await self._write(Concluded(at=self._clock.now(), id=name, broke_at="published", remedy=remedy))
        for each in router.drills_missed(self._clock.now()):
            at = self._clock.now()
            await self._write(Concluded(at=at, id=each.id, broke_at=NOT_BEGUN, remedy=each.why))
        for due in router.drills_due(self._clock.now()):
            self._announced[due.id] = due
            await self._announce(due)

    async def played(self) -> None:
        """Waits until what was begun is over."""
        await asyncio.gather(*self._played)

    def _begin(self, router: Router, name: str) -> None:
        """Plays what was announced beside all else, if the router read that it was by this worker first."""
        owner = router.drill_owner(name)
        if owner is None:
            return
        due = self._announced.pop(name)
        if owner == self._owner:
            task = asyncio.create_task(self._drill(due))
            self._played.add(task)
            task.add_done_callback(self._played.discard)

    async def _announce(self, due: Due) -> None:
        """Told again while the router has not read it, it changes nothing: the first one counts."""
        planned, now = due.planned, self._clock.now()
        begun = Drilled(
            at=now,
            id=due.id,
            by=BY,
            agent=planned.agent,
            channel=planned.channel,
            name=planned.name,
            owner=self._owner,
            until=now + SCENARIOS[planned.scenario].within + SPARE,
        )
        await self._write(begun)

    async def _drill(self, due: Due) -> None:
        planned = due.planned
        order = Rehearsal(
            scenario=SCENARIOS[planned.scenario],
            agent=planned.agent,
            token=due.id.partition(":")[2],
            within=SCENARIOS[planned.scenario].within,
            channel=planned.channel,
        )
        log.info("drill.begun", id=due.id, agent=planned.agent)
        end = await self._ended(due.id, Live(order=order, by=BY))
        log.info("drill.over", id=due.id, broke_at=end.broke_at)
        try:
            await self._write(end)
        except AppendFailed as error:  # after a while it is told that it was cut off
            log.warning("drill.failed", id=due.id, error=repr(error))

    async def _ended(self, name: str, live: Live) -> Concluded:
        """Plays it, and says what became of it."""
        try:
            found = await self._play(live)
        except Exception as error:  # noqa: BLE001 - whatever befalls a drill is told of it
            why = str(error) if isinstance(error, AppendFailed | KafkaError) else repr(error)
            return Concluded(at=self._clock.now(), id=name, broke_at="published", remedy=why)
        return Concluded(
            at=self._clock.now(),
            id=name,
            broke_at=found.broke_at,
            remedy=found.remedy,
            facts=_facts(found),
        )

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
