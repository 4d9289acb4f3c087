"""Dead letters of a worker that runs, put back on the command line."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.wire import encode
from streams.cli import main
from streams.hosting.topics import EVENTS, create
from tests.contract.test_worker import CONFIG, EVERYTHING, PARTITIONS, outage
from tests.contract.workers import site

pytestmark = pytest.mark.timeout(120)


async def ran(bootstrap: str, *arguments: str) -> str:
    """What a command says."""
    given = ["deadletter", *arguments, "--to", bootstrap, "--json"]
    return (await asyncio.to_thread(CliRunner().invoke, main, given)).stdout


async def letters(bootstrap: str, state: str, count: int) -> list[dict]:
    """Waits until there are so many of a state."""
    while True:
        said = await ran(bootstrap, "list", "--state", state)
        found = [json.loads(line) for line in said.splitlines()]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.2)


@pytest.fixture(name="home")
def _home(tmp_path) -> Path:
    """Rules, and three events between two lines that are none."""
    (tmp_path / CONFIG.name).write_text(CONFIG.text)
    lines = [b'{"specversion": "9"}', *(encode(each) for each in outage()[:3]), b"not even JSON"]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    return tmp_path


async def test_what_fails_again_after_it_was_put_back_is_told_as_such_and_left_alone(own_broker, home):
    await create({"bootstrap_servers": own_broker.bootstrap}, partitions=PARTITIONS)
    async with site(own_broker.bootstrap, home, home / CONFIG.name, {}) as where:
        await where.worker().owns(*EVERYTHING)
        await where.oversight("publish", str(home / "events.jsonl"))
        first = await letters(where.bootstrap, "waiting", 2)
        assert {each["origin"]["topic"] for each in first} == {EVENTS}
        await ran(where.bootstrap, "replay", "--kind", "unread", "--yes")
        again = await letters(where.bootstrap, "failed again", 2)
        assert [each["replays"] for each in again] == [1, 1]
        origins = [each["origin"] for each in first]
        places = [f"{each['topic']}/{each['partition']}:{each['offset']}" for each in origins]
        assert sorted(each["first"] for each in again) == sorted(places)
        assert len(await letters(where.bootstrap, "put back", 2)) == 2
        left = json.loads(await ran(where.bootstrap, "replay", "--kind", "unread", "--yes"))
        assert (left["records"], sum(left["left"].values())) == (0, 4)
        await where.workers[0].stop()
