"""A broker that takes no state, as too large or not allowed: paging goes on, and how far it lags is told."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from msgspec import structs

from streams.hosting.topics import DETECTOR_STATE, ROUTING_STATE, TOPICS, Topic, create
from tests.contract.brokers import BROKERS
from tests.contract.disturbance import EVERYTHING, Disturbed, disturbed
from tests.contract.kafka_node import NotHere
from tests.contract.played import CONFIG, PARTITIONS
from tests.contract.secured import SCRAM_PASSWORD, STRANGER, SecuredKafka
from tests.contract.workers import Worker, free_port

pytestmark = [pytest.mark.timeout(300), pytest.mark.needs("security", "record_limit")]
STATE = (DETECTOR_STATE, ROUTING_STATE)
TOPIC, GROUP, LITERAL = 2, 3, 3
ALL, WRITE = 2, 4
DENIED, ALLOWED = 2, 3
SMALL_BYTES = 4_000
"""Room for a claim and for where to begin, and for no agent."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def kafka(_able, broker_name, tmp_path) -> AsyncIterator[SecuredKafka]:
    assert BROKERS[broker_name].capabilities.security
    try:
        node = SecuredKafka(tmp_path / "secured")
    except NotHere as error:
        pytest.skip(f"BROKER ABSENT: {broker_name}: {error}")
    with node:
        yield node


@pytest.fixture
async def stage(kafka, tmp_path, port) -> AsyncIterator[Disturbed]:
    topics = [_limited(each, SMALL_BYTES) if each.name in STATE else each for each in TOPICS]
    await create({"bootstrap_servers": kafka.open}, topics=topics, partitions=PARTITIONS)
    await ruled(kafka.open, TOPIC, "*", ALL, ALLOWED)
    await ruled(kafka.open, GROUP, "*", ALL, ALLOWED)
    config = tmp_path / CONFIG.name
    config.write_text(CONFIG.text)
    variables = {
        "OVERSIGHT_KAFKA": kafka.known,
        "OVERSIGHT_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "OVERSIGHT_KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "OVERSIGHT_KAFKA_SASL_USERNAME": STRANGER,
        "OVERSIGHT_KAFKA_SASL_PASSWORD": SCRAM_PASSWORD,
        "OVERSIGHT_CLOCK": "events",
        "OVERSIGHT_SESSION_S": "4",
        "OVERSIGHT_SNAPSHOT_S": "0.5",
        "OVERSIGHT_LISTEN": str(port),
    }
    async with disturbed(kafka.open, tmp_path, config, variables) as one:
        yield one


async def test_state_that_is_refused_stops_no_page_nor_a_restart_and_is_written_when_it_is_taken(
    stage, kafka, port
):
    first = await stage.begun()
    await first.says("state.refused", "MessageSizeTooLargeError")
    for topic in STATE:
        await ruled(kafka.open, TOPIC, topic, WRITE, DENIED)
    stage.crash()
    first.kill()
    heir = stage.site.worker()
    await heir.owns(*EVERYTHING)
    assert "state.unclaimed" in _events(heir)
    await stage.finished()
    await heir.says("state.refused", "TopicAuthorizationFailedError")
    metrics = await told(port)
    assert 'oversight_snapshot_failures_total{topic="agent.events"}' in metrics
    assert float(metrics['oversight_state_unsaved_seconds{topic="agent.events",partition="0"}']) > 1
    assert metrics["oversight_ready"] == "1"
    for topic in STATE:
        await unruled(kafka.open, topic)
    await changed(kafka.open, [each for each in TOPICS if each.name in STATE])
    await heir.stop()
    await stage.is_as_if_nothing_had_happened()


def _limited(topic: Topic, most_bytes: int) -> Topic:
    return structs.replace(topic, settings={**topic.settings, "max.message.bytes": str(most_bytes)})


def _events(worker: Worker) -> list[str]:
    return [each["event"] for each in worker.said]


async def told(port: int) -> dict[str, str]:
    """The worker's metrics."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        lines = (await http.get("/metrics")).text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def changed(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Gives topics their own settings again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        asked = [ConfigResource(ConfigResourceType.TOPIC, each.name, dict(each.settings)) for each in topics]
        (answer,) = await admin.alter_configs(asked)
    finally:
        await admin.close()
    assert {each[0] for each in answer.resources} == {0}


async def ruled(bootstrap: str, kind: int, name: str, operation: int, permission: int) -> None:
    """What the stranger may do, or may not."""
    host, _, port = bootstrap.partition(":")
    connection = await create_conn(host, int(port))
    asked = CreateAclsRequest(kind, name, LITERAL, f"User:{STRANGER}", "*", operation, permission)
    answer = await connection.send(asked)
    connection.close()
    assert answer.creation_responses[0][0] == 0


async def unruled(bootstrap: str, topic: str) -> None:
    """What was denied on a topic is so no more."""
    host, _, port = bootstrap.partition(":")
    connection = await create_conn(host, int(port))
    asked = DeleteAclsRequest(TOPIC, topic, LITERAL, f"User:{STRANGER}", "*", WRITE, DENIED)
    answer = await connection.send(asked)
    connection.close()
    assert answer.filter_responses[0][0] == 0
