"""What docker-compose.yml runs, run here as it stands: the commands, the environment, the health checks."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.hosting.kafka import KafkaLog
from streams.hosting.topics import CAUSES, EVENTS, TOPICS

ROOT = Path(__file__).parents[2]
OVERSIGHT = str(Path(sys.executable).with_name("oversight"))
SERVICES = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
WITHIN_S = 45.0
POLL_S = 0.2


def surroundings(service: str, bootstrap: str, home: Path) -> Mapping[str, str]:
    """The environment of a service: the image's, the file's, and the value of secrets, which it passes on."""
    said = SERVICES[service]["environment"]
    given = {name: "a secret" if text is None else text for name, text in said.items()}
    rules = {"OVERSIGHT_KAFKA": bootstrap, "OVERSIGHT_CONFIG": str(ROOT / "examples" / "minimal.yml")}
    return os.environ | given | rules | {"OVERSIGHT_ALIVE": str(home / "alive")}


async def ended(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Exit code and output of a command."""
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=STDOUT)
    try:
        said, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()


async def healthy(service: str, environment: Mapping[str, str]) -> bool:
    """What the health check of a service says; `$$` is how the file writes `$`."""
    kind, *command = SERVICES[service]["healthcheck"]["test"]
    assert kind == "CMD"
    port = environment["OVERSIGHT_KAFKA"].rpartition(":")[2]
    code, _ = await ended(
        [each.replace("$$", "$").replace("127.0.0.1/9092", f"127.0.0.1/{port}") for each in command],
        environment,
    )
    return code == 0


@asynccontextmanager
async def started(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[Process]:
    """A command that goes on running; it is gone afterwards, whatever happens."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_topics_service_makes_the_topics_and_may_run_again(own_broker, tmp_path):
    command = [OVERSIGHT, *SERVICES["topics"]["command"]]
    environment = surroundings("topics", own_broker.bootstrap, tmp_path)
    code, said = await ended(command, environment)
    assert code == 0, said
    async with KafkaLog({"bootstrap_servers": own_broker.bootstrap}) as log:
        assert [await log.partitions(topic) for topic in (EVENTS, CAUSES)] == [8, 1]
    code, said = await ended(command, environment)
    assert code == 0, said
    assert said.count("was there") == len(TOPICS)


async def test_the_worker_gets_healthy_and_ends_well_when_it_is_told_to_stop(own_broker, tmp_path):
    environment = surroundings("worker", own_broker.bootstrap, tmp_path)
    code, said = await ended([OVERSIGHT, *SERVICES["topics"]["command"]], environment)
    assert code == 0, said
    assert not await healthy("worker", environment), "nothing runs yet"
    command = [OVERSIGHT, *SERVICES["worker"]["command"]]
    async with started(command, environment, tmp_path / "log") as worker:
        async with asyncio.timeout(WITHIN_S):
            while not await healthy("worker", environment):
                assert worker.returncode is None, (tmp_path / "log").read_text()
                await asyncio.sleep(POLL_S)
        worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            assert await worker.wait() == 0, (tmp_path / "log").read_text()


async def test_a_worker_without_a_secret_that_its_rules_name_says_which(own_broker, tmp_path):
    rules = tmp_path / "oversight.yml"
    rules.write_text(
        "route: {receiver: all}\n"
        "receivers: [{name: all, notify: [{pagerduty: 'env:PAGERDUTY_ROUTING_KEY'}]}]\n"
    )
    environment = dict(surroundings("worker", own_broker.bootstrap, tmp_path)) | {
        "OVERSIGHT_CONFIG": str(rules)
    }
    del environment["PAGERDUTY_ROUTING_KEY"]
    code, said = await ended([OVERSIGHT, *SERVICES["worker"]["command"]], environment)
    assert code == 2
    assert "PAGERDUTY_ROUTING_KEY" in said


@pytest.mark.needs("restart")
async def test_the_brokers_health_check_tells_a_broker_from_none(own_broker, tmp_path):
    environment = surroundings("worker", own_broker.bootstrap, tmp_path)
    assert await healthy("kafka", environment)
    await asyncio.to_thread(own_broker.stop)
    assert not await healthy("kafka", environment)
