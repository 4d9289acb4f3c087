"""Every way into a secured Apache Kafka, by the product's own commands; and what is said to others."""

import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator, Mapping

import httpx
import pytest
from aiohttp import web
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest
from click.testing import CliRunner

from schemas.wire import encode
from streams.cli import main
from streams.doctoring.rights import DESCRIBE, DESCRIBE_CONFIGS, READ
from streams.hosting.topics import CAUSES, DEADLETTER, EVENTS, TOPICS, create
from tests.contract.brokers import BROKERS
from tests.contract.kafka_node import NotHere
from tests.contract.secured import (
    KEY_PASSWORD,
    PLAIN_PASSWORD,
    SCRAM_PASSWORD,
    STRANGER,
    USER,
    SecuredKafka,
)
from tests.contract.test_worker import outage
from tests.contract.witness import witnessing
from tests.contract.workers import free_port, site

HUSH = "hush hush"
WRONG = "words that are wrong"
CONFIG = """\
route: {receiver: triage, group_by: [agent, detector, finding], group_wait: 1s}
receivers:
- {name: triage, notify: [slack: '#triage']}
"""


@pytest.fixture(name="kafka", scope="module")
def _kafka(broker_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    if not BROKERS[broker_name].capabilities.security:
        pytest.skip(f"{broker_name} has no security")
    try:
        node = SecuredKafka(tmp_path_factory.mktemp("secured") / "home")
    except NotHere as error:
        pytest.skip(f"BROKER ABSENT: {broker_name}: {error}")
    with node:
        yield node


def bearer(name: str, lasts_s: float = 600.0) -> str:
    """An unsigned token, which Kafka takes where it is not told whose it should trust."""
    now_s = time.time()
    parts = {"alg": "none"}, {"sub": name, "iat": now_s - 10, "exp": now_s + lasts_s}
    coded = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts]
    return ".".join([*coded, ""])


def known_by(mechanism: str, kafka: SecuredKafka, **said: str) -> Mapping[str, str]:
    """Variables for a mechanism over TLS."""
    more = {f"OVERSIGHT_KAFKA_{name}": each for name, each in said.items()}
    return {
        "OVERSIGHT_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "OVERSIGHT_KAFKA_SASL_MECHANISM": mechanism,
        **kafka.trust,
        **more,
    }


def by_password(mechanism: str, kafka: SecuredKafka, name: str, password: str) -> Mapping[str, str]:
    return known_by(mechanism, kafka, SASL_USERNAME=name, SASL_PASSWORD=password)


def by_token(kafka: SecuredKafka, token: str) -> Mapping[str, str]:
    path = kafka.home / "token"
    path.write_text(token)
    return known_by("OAUTHBEARER", kafka, OAUTH_TOKEN_FILE=str(path))


def by_certificate(kafka: SecuredKafka) -> Mapping[str, str]:
    return {
        "OVERSIGHT_KAFKA_SECURITY_PROTOCOL": "SSL",
        "OVERSIGHT_KAFKA_SSL_CERTFILE": f"{kafka.home}/client.crt",
        "OVERSIGHT_KAFKA_SSL_KEYFILE": f"{kafka.home}/client.key",
        "OVERSIGHT_KAFKA_SSL_KEY_PASSWORD": KEY_PASSWORD,
        **kafka.trust,
    }


def open_to_ears(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The same without TLS."""
    kept = {name: each for name, each in variables.items() if not name.endswith("CAFILE")}
    return kept | {"OVERSIGHT_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}


WAYS = {
    "PLAIN": lambda kafka: (kafka.sealed, by_password("PLAIN", kafka, USER, PLAIN_PASSWORD)),
    "SCRAM-SHA-256": lambda kafka: (kafka.sealed, by_password("SCRAM-SHA-256", kafka, USER, SCRAM_PASSWORD)),
    "SCRAM-SHA-512": lambda kafka: (kafka.sealed, by_password("SCRAM-SHA-512", kafka, USER, SCRAM_PASSWORD)),
    "OAUTHBEARER": lambda kafka: (kafka.sealed, by_token(kafka, bearer(USER))),
    "PLAIN without TLS": lambda kafka: (
        kafka.known,
        open_to_ears(by_password("PLAIN", kafka, USER, PLAIN_PASSWORD)),
    ),
    "SCRAM without TLS": lambda kafka: (
        kafka.known,
        open_to_ears(by_password("SCRAM-SHA-512", kafka, USER, SCRAM_PASSWORD)),
    ),
    "a certificate": lambda kafka: (kafka.mutual, by_certificate(kafka)),
}
BARRED = {
    "a wrong password": (
        lambda kafka: (kafka.sealed, by_password("PLAIN", kafka, USER, WRONG)),
        "it does not let us in: ",
    ),
    "a wrong SCRAM password": (
        lambda kafka: (kafka.sealed, by_password("SCRAM-SHA-256", kafka, USER, WRONG)),
        "it does not let us in: ",
    ),
    "a token that is over": (
        lambda kafka: (kafka.sealed, by_token(kafka, bearer(USER, -5.0))),
        "it does not let us in: ",
    ),
    "an authority that is not trusted": (
        lambda kafka: (
            kafka.sealed,
            {**by_password("PLAIN", kafka, USER, WRONG), "OVERSIGHT_KAFKA_SSL_CAFILE": ""},
        ),
        "TLS: ",
    ),
    "no TLS": (
        lambda kafka: (kafka.sealed, open_to_ears(by_password("PLAIN", kafka, USER, WRONG))),
        "",
    ),
}


def run(where: str, variables: Mapping[str, str], *arguments: str):
    return CliRunner().invoke(main, [*arguments, "--to", where], env=variables)


@pytest.mark.parametrize("way", WAYS)
def test_there_is_a_way_in_by(way, kafka):
    where, variables = WAYS[way](kafka)
    assert run(where, variables, "topics").exit_code == 0
    ran = run(where, variables, "topics", "--check", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["deviations"]) == (0, [])


@pytest.mark.parametrize("why", BARRED)
def test_who_is_not_let_in_is_told_why_but_no_secret(why, kafka):
    way, said = BARRED[why]
    where, variables = way(kafka)
    ran = run(where, variables, "topics")
    assert ran.exit_code == 2
    assert f"no Kafka broker at {where}: {said}" in ran.stderr
    for secret in (WRONG, PLAIN_PASSWORD, SCRAM_PASSWORD, "eyJ"):
        assert secret not in ran.output


async def test_a_token_is_fetched_for_the_credentials_of_a_client(kafka):
    asked = []

    async def granted(request: web.Request) -> web.Response:
        asked.append((request.headers["Authorization"], dict(await request.post())))
        return web.json_response({"access_token": bearer(USER), "token_type": "bearer", "expires_in": 600})

    app = web.Application()
    app.router.add_post("/token", granted)
    runner = web.AppRunner(app)
    await runner.setup()
    site_ = web.TCPSite(runner, "127.0.0.1", 0)
    await site_.start()
    variables = known_by(
        "OAUTHBEARER",
        kafka,
        OAUTH_TOKEN_URL=f"{site_.name}/token",
        OAUTH_CLIENT_ID="us",
        OAUTH_CLIENT_SECRET=HUSH,
        OAUTH_SCOPE="kafka",
    )
    ran = await asyncio.to_thread(run, kafka.sealed, variables, "topics")
    assert ran.exit_code == 0, ran.output
    await runner.cleanup()
    basic = "Basic " + base64.b64encode(f"us:{HUSH}".encode()).decode()
    assert asked == [(basic, {"grant_type": "client_credentials", "scope": "kafka"})]


async def test_a_worker_goes_to_a_delivered_page_by_scram_over_tls(kafka, tmp_path):
    await create({"bootstrap_servers": kafka.open}, partitions=2)
    config, file = tmp_path / "oversight.yml", tmp_path / "events.jsonl"
    config.write_text(CONFIG)
    file.write_bytes(b"\n".join(map(encode, outage())))
    port = free_port()
    told = {"OVERSIGHT_LISTEN": str(port)}
    variables = {**by_password("SCRAM-SHA-512", kafka, USER, SCRAM_PASSWORD), **told}
    async with (
        site(kafka.sealed, tmp_path, config, variables) as where,
        witnessing(kafka.open) as witness,
    ):
        worker = where.worker()
        await worker.owns("oversight.causes/0", f"{EVENTS}/0", f"{EVENTS}/1")
        await where.oversight("publish", str(file), "--to", kafka.sealed)
        await witness.sees(lambda: witness.delivered)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert (await http.get("/healthz")).json()["status"] == "ready"
            metrics = (await http.get("/metrics")).text
        await worker.stop()
        assert SCRAM_PASSWORD not in worker.last_words
    for line in (
        "oversight_ready 1",
        "oversight_open_incidents [1-9]",
        'oversight_records_total{topic="agent.events"} [1-9]',
        'oversight_signals_total{detector="(error_rate|dependency)",state="firing"} [1-9]',
        'oversight_attempts_total{channel="slack",outcome="delivered"} [1-9]',
        'oversight_lag_records{topic="agent.events",partition="[01]"} ',
    ):
        assert re.search(line, metrics), metrics


async def allowed(where: str, kind: int, name: str, *operations: int) -> None:
    """Grants the stranger operations on a topic (2) or a group (3)."""
    host, _, port = where.partition(":")
    connection = await create_conn(host, int(port))
    for each in operations:
        asked = CreateAclsRequest(kind, name, 3, f"User:{STRANGER}", "*", each, 3)
        answer = await connection.send(asked)
        assert answer.creation_responses[0][0] == 0
    connection.close()


async def test_the_doctor_tells_what_we_may_not_do(kafka):
    await create({"bootstrap_servers": kafka.open}, partitions=2)
    await allowed(kafka.open, 2, EVENTS, READ, DESCRIBE, DESCRIBE_CONFIGS)
    variables = by_password("SCRAM-SHA-256", kafka, STRANGER, SCRAM_PASSWORD)
    ran = await asyncio.to_thread(run, kafka.sealed, variables, "doctor", "--json")
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    told = {(each["part"], each["about"]): (each["level"], each["what"]) for each in found}
    assert ran.exit_code == 1
    assert told["broker", kafka.sealed] == ("ok", "lets us in by SASL_SSL, SCRAM-SHA-256")
    assert told["rights", EVENTS] == ("fail", "we may not: Write")
    assert told["topics", CAUSES] == ("fail", "is not there")
    assert told["rights", "groups"] == ("fail", "we may not look: GroupAuthorizationFailedError")
    assert told["rights", "idempotence"] == ("fail", "we may not look: ClusterAuthorizationFailedError")
    assert SCRAM_PASSWORD not in ran.output
    ran = await asyncio.to_thread(run, kafka.open, {}, "doctor", "--json")
    assert ran.exit_code == 0, ran.output
    assert f'"what":"{len(TOPICS)} may be read and written"' in ran.stdout
    assert '"what":"what is published again is written once"' in ran.stdout
    assert '"what":"no worker routes now"' in ran.stdout


async def test_topics_that_may_not_be_made_or_seen_are_told_with_the_right_that_lacks(kafka):
    await create({"bootstrap_servers": kafka.open}, partitions=2)
    variables = by_password("SCRAM-SHA-256", kafka, STRANGER, SCRAM_PASSWORD)
    made = await asyncio.to_thread(run, kafka.sealed, variables, "topics")
    assert made.exit_code == 2
    assert f"we may not make {EVENTS}: expected the right to Create" in made.output
    seen = await asyncio.to_thread(run, kafka.sealed, variables, "topics", "--check")
    assert seen.exit_code == 1
    assert f"{DEADLETTER} is not there" in seen.output
    assert "if it is there, grant Describe" in seen.output
