"""The log is away for a minute: whoever owns a partition asks again until it is back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from detectors.bank import Bank
from routing.router import Router
from schemas.cause import Configured
from schemas.control import Tick
from schemas.wire import encode, moment
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.partition import Cadence, Partition
from streams.hosting.settings import read_settings
from streams.replay import BUILT_IN
from tests.memory_log import Act, MemoryLog
from tests.simulation.owners import World
from tests.streams.test_bad_input import NOW_S, outage

SECOND = timedelta(seconds=1)


def _records() -> list[Outgoing]:
    """The outage as it lies in a partition, with the end of history behind it."""
    lines = [Outgoing(b"shop", line.value) for line in outage()]
    return [*lines, Outgoing(None, encode(Tick(time=moment(NOW_S))))]


async def _owned(world: World, log: MemoryLog, batch: int) -> Partition:
    """Folds all there is; while the log is away, asks again every two seconds, as the host does."""
    owner = world.partition(log, Cadence(age=SECOND, boundary=timedelta(0)))
    start = await _insisted(world, owner.start, owner.start)
    records = world.disk.records("in")
    for at in range(start, len(records), batch):
        world.clock.at_s += 1
        await _insisted(world, lambda at=at: owner.take(records[at : at + batch]), owner.pay)
        await owner.settle()
    await _insisted(world, owner.hand_over, owner.hand_over)
    return owner


async def _insisted(world: World, first: Callable[[], Awaitable], again: Callable[[], Awaitable]) -> int:
    step = first
    while True:
        try:
            return await step()
        except AppendFailed:
            world.clock.at_s += 2
            step = again


async def _chain(acts: Sequence[Act]) -> tuple[list[bytes], list[bytes], float]:
    """Detect, then route, each on a log that does this after its tenth append: causes, pages, seconds."""
    detect = World(lambda: Bank(read_settings, "events"), lambda fold: fold.begin([BUILT_IN]))
    detect.disk.put("in", 0, _records())
    await _owned(detect, MemoryLog(detect.disk, [Act.GO] * 10 + list(acts)), 7)
    causes = [value for _, value in detect.accepted("causes")]
    route = World(Router)
    first = Configured(at=moment(0), digest="d", files=(BUILT_IN,), clock="events")
    route.disk.put("in", 0, [Outgoing(b"", each) for each in (encode(first), *causes)])
    before_s = route.clock.at_s
    await _owned(route, MemoryLog(route.disk, [Act.GO] * 10 + list(acts)), 7)
    pages = [value for _, value in route.accepted("pages")]
    return causes, pages, route.clock.at_s - before_s


@pytest.mark.parametrize("act", [Act.FAIL, Act.FAIL_WRITTEN], ids=["nothing written", "written unheard"])
async def test_kafka_down_for_a_minute_loses_nothing_and_pages_nobody_twice(act):
    causes, pages, calm_s = await _chain([])
    assert pages
    again_causes, again_pages, took_s = await _chain([act] * 40)
    assert took_s - calm_s >= 60
    assert (again_causes, again_pages) == (causes, pages)
