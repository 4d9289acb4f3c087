"""Whatever happens to workers and broker in mid-stream: nothing is lost, nothing is counted twice."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from streams.topics import create
from tests.contract.disturbance import EVERYTHING, Disturbed, disturbed
from tests.contract.played import CONFIG, PARTITIONS

pytestmark = pytest.mark.timeout(180)
SESSION_S = {"kafka": 4.0, "tansu": 6.0}


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
        worker = stage.site.worker()
        await worker.owns(*EVERYTHING)
    await stage.finished()
    await worker.stop()
    await stage.is_as_if_nothing_had_happened()
