"""Drills that a configuration plans: begun once by the worker that routes, and told of."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import KafkaError

from routing.incidents.drills import NOT_BEGUN
from schemas.cause import Concluded, Drilled
from schemas.wire import decode_cause
from streams.drilling.progress import Paged, Reached, Result
from streams.drilling.scheduled import Scheduled
from streams.hosting.log import AppendFailed
from streams.hosting.topics import CAUSES
from tests.memory_log import Act, Disk, MemoryLog
from tests.routing.scenario import START, Scenario
from tests.routing.test_planned_drills import PLANNED, RUN, several

MINUTE = timedelta(minutes=1)
DUE = START + 30 * MINUTE
PASSED = Result(
    drill=RUN,
    agent="refund-agent",
    broke_at="",
    remedy="",
    stages=(
        Reached(stage="published", after_s=0.0, what="events"),
        Reached(stage="acknowledged", after_s=None, what=""),
    ),
    paged=(
        Paged(
            to="ana", channel="slack #d", instead="ana (slack)", after_s=12.0, outcome="delivered",
            severity="error", reason="opened",
        ),
    ),
)  # fmt: skip


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


class Stage:
    """A router, its log, and drills that end as they are told to."""

    def __init__(self, ends=PASSED, acts=(), config: str = PLANNED % "") -> None:
        self.t = Scenario(config)
        self.disk = Disk()
        self.played = []
        self.over = asyncio.Event()
        self.clock = Clock(DUE)
        self._ends = ends
        self.log = MemoryLog(self.disk, list(acts))
        self.scheduled = Scheduled(lambda: self.t.router, self.log, self.clock, self._play)

    async def _play(self, live) -> Result:
        self.played.append(live.order)
        self.over.set()
        if isinstance(self._ends, Exception):
            raise self._ends
        return self._ends

    def look(self):
        """Looks once; the router then reads what was written."""
        before = len(self.disk.records(CAUSES))
        asyncio.run(look(self.scheduled))
        causes = [decode_cause(each.value) for each in self.disk.records(CAUSES)[before:]]
        for each in causes:
            self.t.now = each.at.astimezone(UTC)
            self.t.write(each)
        return causes


async def look(scheduled: Scheduled) -> None:
    """Looks, and waits for what that begins."""
    await scheduled.look()
    await scheduled.played()


def test_what_is_due_is_announced_played_and_told_of_once():
    stage = Stage()
    (begun,) = stage.look()
    assert stage.played == []
    (ended,) = stage.look()
    assert (begun.id, begun.name, begun.by) == (RUN, "weekly", "schedule")
    (order,) = stage.played
    assert (order.drill, order.agent) == (RUN, "refund-agent")
    assert ended.facts == (
        ("Stages", "published after 0 s: events"),
        ("Told", "ana (slack) after 12 s over slack #d: delivered"),
    )
    assert [each.summary for each in stage.t.notices] == ["DRILL: weekly of refund-agent passed"]
    assert stage.look() == []


@pytest.mark.parametrize("error", [AppendFailed("events/0: no turn"), KafkaError("events/0: no turn")])
def test_what_cannot_be_published_is_told_of_at_once(error):
    stage = Stage(error)
    stage.look()
    (ended,) = stage.look()
    assert (ended.broke_at, "events/0: no turn" in ended.remedy) == ("published", True)
    assert ended.facts == ()


def test_what_another_worker_began_is_not_begun_again_and_told_as_cut_off():
    stage = Stage()
    stage.t.now = DUE
    stage.t.write(Drilled(at=DUE, id=RUN, by="schedule", agent="refund-agent", name="weekly"))
    assert stage.look() == []
    stage.clock.at = DUE + 16 * MINUTE
    (ended,) = stage.look()
    assert isinstance(ended, Concluded)
    assert "stopped in the middle" in ended.remedy
    assert stage.played == []


def test_who_does_not_route_drills_nothing():
    stage = Stage()
    idle = Scheduled(lambda: None, MemoryLog(stage.disk), stage.clock, stage._play)
    asyncio.run(idle.look())
    assert stage.disk.records(CAUSES) == []


def test_where_it_cannot_be_announced_it_is_not_played_and_stays_due():
    stage = Stage(acts=[Act.FAIL])
    with pytest.raises(AppendFailed):
        stage.look()
    assert stage.played == []
    assert [type(each) for _ in range(2) for each in stage.look()] == [Drilled, Concluded]


def test_what_two_workers_announce_the_first_of_them_plays():
    stage = Stage()
    other = Scheduled(lambda: stage.t.router, stage.log, stage.clock, stage._play)
    asyncio.run(other.look())
    asyncio.run(stage.scheduled.look())
    assert stage.played == []
    for each in stage.disk.records(CAUSES):
        stage.t.write(decode_cause(each.value))
    assert stage.look() == []
    assert stage.played == []
    asyncio.run(look(other))
    assert len(stage.played) == 1


def test_who_lost_the_routing_in_between_plays_nothing():
    stage = Stage()
    (begun,) = stage.look()
    router, stage.t.router = stage.t.router, None
    asyncio.run(stage.scheduled.look())
    stage.t.router = router
    assert stage.look() == []
    assert (stage.played, begun.id) == ([], RUN)


@pytest.mark.parametrize("acts", [[], [Act.GO, Act.FAIL]])
def test_whatever_befalls_a_drill_the_worker_goes_on(acts):
    stage = Stage(RuntimeError("beyond everything"), acts)
    stage.look()

    async def run_until_it_was_played():
        running = asyncio.create_task(stage.scheduled.run())
        await stage.over.wait()
        await stage.scheduled.played()
        assert not running.done()
        running.cancel()

    asyncio.run(run_until_it_was_played())
    assert len(stage.played) == 1


def test_whatever_befalls_a_drill_is_told():
    stage = Stage(RuntimeError("beyond everything"))
    stage.look()
    stage.look()
    assert [each.summary for each in stage.t.notices] == [
        "DRILL: weekly of refund-agent broke at the stage published: RuntimeError('beyond everything')"
    ]


def test_a_look_that_fails_is_not_the_last():
    stage = Stage(acts=[Act.FAIL])
    written = asyncio.Event()

    async def run_until_it_is_announced():
        running = asyncio.create_task(Scheduled(router, stage.log, stage.clock, stage._play).run())
        await written.wait()
        assert not running.done()
        running.cancel()

    def router():
        written.set()
        return stage.t.router

    asyncio.run(run_until_it_is_announced())


def test_those_of_the_same_minute_are_played_beside_each_other():
    stage = Stage(config=several("a", "b", "c").config)
    together = asyncio.Barrier(3)

    async def play(live) -> Result:
        await together.wait()
        stage.played.append(live.order.agent)
        return PASSED

    stage.scheduled = Scheduled(lambda: stage.t.router, stage.log, stage.clock, play)
    assert [each.agent for each in stage.look()] == ["a", "b", "c"]
    stage.look()
    assert sorted(stage.played) == ["a", "b", "c"]
    assert len(stage.t.notices) == 3


def test_of_what_did_not_take_place_it_is_told_once():
    stage = Stage()
    stage.clock.at = DUE + 15 * MINUTE
    (missed,) = stage.look()
    assert (missed.id, missed.broke_at) == (RUN, NOT_BEGUN)
    assert stage.look() == stage.played == []
    assert len(stage.t.notices) == 1


def test_a_worker_that_stops_ends_what_it_plays():
    stage = Stage()
    began, ended = asyncio.Event(), asyncio.Event()

    async def play(_) -> Result:
        began.set()
        try:
            return await asyncio.Future()
        finally:
            ended.set()

    stage.scheduled = Scheduled(lambda: stage.t.router, stage.log, stage.clock, play)
    stage.look()

    async def stop_in_the_middle():
        running = asyncio.create_task(stage.scheduled.run())
        await began.wait()
        running.cancel()
        await ended.wait()

    asyncio.run(stop_in_the_middle())
