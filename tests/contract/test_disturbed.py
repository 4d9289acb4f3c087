"""Whatever happens to workers and broker in mid-stream: nothing is lost, nothing is counted twice."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from streams.hosting.topics import EVENTS, create
from tests.contract.disturbance import EVERYTHING, Disturbed, disturbed
from tests.contract.killing import drawn, killed, replaced
from tests.contract.played import CONFIG, PARTITIONS

pytestmark = pytest.mark.timeout(300)
SESSION_S = {"kafka": 4.0, "tansu": 4.0}
SEEDS = (2, 8)
"""Two workers, and one that is killed again as it begins; `benchmarks/recovery.py` plays fifty."""
AWAY_S = 20
"""A minute would be no different: retries back off to five seconds at most."""


@pytest.fixture
async def stage(own_broker, tmp_path) -> AsyncIterator[Disturbed]:
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    config = tmp_path / CONFIG.name
    config.write_text(CONFIG.text)
    variables = {
        "OVERSIGHT_CLOCK": "events",
        "OVERSIGHT_SESSION_S": str(SESSION_S[own_broker.name]),
        "OVERSIGHT_SNAPSHOT_S": "0.5",
    }
    async with disturbed(own_broker.bootstrap, tmp_path, config, variables) as one:
        yield one


@pytest.mark.parametrize("seed", SEEDS)
async def test_workers_that_are_killed_at_random_points_lose_nothing_and_count_nothing_twice(stage, seed):
    await killed(stage, drawn(seed, most=2))
    await stage.is_as_if_nothing_had_happened()


async def test_workers_that_come_and_go_within_seconds_share_the_partitions_among_them(stage):
    chance = Random(5)
    workers = [await stage.begun()]
    for _ in range(6):
        workers.append(stage.site.worker())
        await asyncio.sleep(chance.uniform(0.3, 2))
        gone = workers.pop(chance.randrange(len(workers)))
        if chance.random() < 1 / 2:
            gone.process.terminate()
        else:
            gone.kill()
            stage.crash()
    last = stage.site.worker()
    for worker in workers:
        worker.process.terminate()
    await last.owns(*EVERYTHING)
    await stage.finished()
    await last.stop()
    await stage.is_as_if_nothing_had_happened()


async def test_workers_that_are_replaced_one_by_one_repeat_nothing(stage):
    workers = [await stage.begun(), stage.site.worker()]
    await workers[1].owns_some(EVENTS)
    await replaced(stage, workers)
    await stage.finished()
    for worker in workers:
        await worker.stop()
    await stage.is_as_if_nothing_had_happened()
    assert set(stage.site.sent.values()) == {1}


async def test_a_worker_that_stood_still_and_lost_its_partitions_does_no_harm_when_it_goes_on(stage):
    sleeper = await stage.begun()
    stage.crash()
    sleeper.pause()
    heir = stage.site.worker()
    await heir.owns(*EVERYTHING)
    before = len(sleeper.owned)
    sleeper.resume()
    await sleeper.owns_some(EVENTS, since=before)
    await stage.finished()
    await sleeper.stop()
    await heir.stop()
    await stage.is_as_if_nothing_had_happened()


@pytest.mark.needs("restart")
async def test_a_broker_that_is_restarted_is_survived(stage, own_broker):
    worker = await stage.begun()
    stage.crash()
    await asyncio.to_thread(own_broker.restart)
    await stage.finished()
    await worker.stop()
    await stage.is_as_if_nothing_had_happened()


@pytest.mark.needs("restart")
async def test_after_a_broker_was_away_for_a_while_publishing_and_paging_go_on(stage, own_broker):
    worker = await stage.begun()
    stage.crash()
    await asyncio.to_thread(own_broker.kill)
    await asyncio.sleep(AWAY_S)
    await asyncio.to_thread(own_broker.start)
    await stage.finished()
    await worker.stop()
    await stage.is_as_if_nothing_had_happened()
