"""Drills that a configuration plans: begun once by the worker that routes, and told of."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import KafkaError

from schemas.cause import Concluded, Drilled
from schemas.wire import decode_cause
from streams.drilling.progress import Paged, Reached, Result
from streams.drilling.scheduled import Scheduled
from streams.hosting.log import AppendFailed
from streams.hosting.topics import CAUSES
from tests.memory_log import Act, Disk, MemoryLog
from tests.routing.scenario import START, Scenario
from tests.routing.test_planned_drills import PLANNED, RUN

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
        asyncio.run(self.scheduled.look())
        causes = [decode_cause(each.value) for each in self.disk.records(CAUSES)[before:]]
        for each in causes:
            self.t.now = each.at.astimezone(UTC)
            self.t.write(each)
        return causes


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
    asyncio.run(other.look())
    assert len(stage.played) == 1


def test_who_lost_the_routing_in_between_plays_nothing():
    stage = Stage()
    (begun,) = stage.look()
    router, stage.t.router = stage.t.router, None
    asyncio.run(stage.scheduled.look())
    stage.t.router = router
    assert stage.look() == []
    assert (stage.played, begun.id) == ([], RUN)


def test_whatever_befalls_a_drill_the_worker_goes_on():
    stage = Stage(RuntimeError("beyond everything"))
    stage.look()

    async def run_until_it_was_played():
        running = asyncio.create_task(stage.scheduled.run())
        await stage.over.wait()
        await asyncio.sleep(0)
        assert not running.done()
        running.cancel()

    asyncio.run(run_until_it_was_played())
    assert len(stage.played) == 1
