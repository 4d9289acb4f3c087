"""Whatever happens to workers and broker in mid-stream: nothing is lost, nothing is counted twice."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from streams.hosting.topics import EVENTS, create
from tests.contract.disturbance import EVERYTHING, Disturbed, disturbed
from tests.contract.played import CONFIG, PARTITIONS

pytestmark = pytest.mark.timeout(300)
SESSION_S = {"kafka": 4.0, "tansu": 4.0}
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


async def test_a_worker_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice(stage):
    chance = Random(3)
    worker = await stage.begun()
    for _ in range(3):
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        worker.kill()
        stage.crash()
        worker = stage.site.worker()
        await worker.owns(*EVERYTHING)
    await stage.finished()
    await worker.stop()
    await stage.is_as_if_nothing_had_happened()


async def test_workers_join_die_and_leave_in_mid_stream_and_share_the_partitions_among_them(stage):
    first = await stage.begun()
    second = stage.site.worker()
    await second.owns_some(EVENTS)
    await asyncio.sleep(1)
    first.kill()
    stage.crash()
    await second.owns(*EVERYTHING)
    third = stage.site.worker()
    await third.owns_some(EVENTS)
    await asyncio.sleep(1)
    await second.stop()
    await third.owns(*EVERYTHING)
    await stage.finished()
    await third.stop()
    await stage.is_as_if_nothing_had_happened()


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
