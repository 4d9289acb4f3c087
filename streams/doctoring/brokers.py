"""The brokers: each address, what they can, what we may, how the topics stand, and who works."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownError,
    for_code,
)
from msgspec import structs

from streams.doctoring.finding import Finding, Level
from streams.doctoring.rights import DESCRIBE_CONFIGS, READ, WRITE, Rights, rights
from streams.hosting.standing import deviations, look
from streams.hosting.topics import TOPICS
from streams.publication import Unreachable, reach

WITHIN_S = 15.0
PAUSES_S = (0.2, 0.5, 1.0, 2.0)
SASL = "the address, OVERSIGHT_KAFKA_SECURITY_PROTOCOL and what goes with it (docs/operations.md)"
GRANTED = "grant Read and Write on the topics, and Read on the workers' groups (kafka-acls --add)"
FORBIDDEN = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
GROUPS = {"detect": "detects", "route": "routes", "notify": "notifies"}


async def examine(connection: Mapping[str, Any], name: str) -> Sequence[Finding]:
    """All of the brokers; what cannot be reached is not looked at further. `name`: of the workers."""
    reached = await _addresses(connection)
    if all(each.level == "fail" for each in reached):
        return reached
    # While one of them lets us in, the others are a warning.
    found = [each if each.level == "ok" else structs.replace(each, level="warn") for each in reached]
    found += await _looked(_idempotence(connection), "idempotence", "fail")
    found += await _looked(_rights(connection), "rights", "fail")
    found += await _looked(_topics(connection), "topics", "fail")
    found += await _looked(_groups(connection, name), "groups", "warn")
    return found


async def _looked(work: Awaitable[Sequence[Finding]], about: str, level: Level) -> Sequence[Finding]:
    """What was found, or that it could not be looked at."""
    try:
        async with asyncio.timeout(WITHIN_S):
            return await work
    except (KafkaError, TimeoutError, OSError) as error:
        if isinstance(error, FORBIDDEN):
            return [_right(about, "fail", f"we may not look: {type(error).__name__}", GRANTED)]
        said = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        remedy = "look at the brokers' own logs; not every broker can tell"
        return [_broker(about, level, f"it is not known: {said}", remedy)]


def _broker(about: str, level: Level, what: str, remedy: str = "") -> Finding:
    return Finding(part="broker", about=about, level=level, what=what, remedy=remedy)


async def _addresses(connection: Mapping[str, Any]) -> Sequence[Finding]:
    found = []
    how = connection.get("security_protocol", "PLAINTEXT")
    mechanism = connection.get("sasl_mechanism")
    for address in connection["bootstrap_servers"].split(","):
        try:
            await reach({**connection, "bootstrap_servers": address})
        except Unreachable as error:
            why = str(error).removeprefix(f"no Kafka broker at {address.strip()}: ")
            found.append(_broker(address.strip(), "fail", why, SASL))
        else:
            said = f"lets us in by {how}{f', {mechanism}' if mechanism else ''}"
            found.append(_broker(address.strip(), "ok", said))
    return found


async def _idempotence(connection: Mapping[str, Any]) -> Sequence[Finding]:
    """Whether the brokers give producer ids: one is asked for, and nothing is sent."""
    producer = AIOKafkaProducer(**connection, enable_idempotence=True)
    try:
        await producer.start()
    except UnknownError:
        what = "the brokers give no producer ids: `oversight publish` may repeat lines after a failure"
        remedy = "workers tell repeated events by source and id; Apache Kafka 3 or newer gives ids"
        return [_broker("idempotence", "warn", what, remedy)]
    finally:
        await producer.stop()
    return [_broker("idempotence", "ok", "what is published again is written once")]


async def _rights(connection: Mapping[str, Any]) -> Sequence[Finding]:
    security = {name: each for name, each in connection.items() if name != "bootstrap_servers"}
    for address in connection["bootstrap_servers"].split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            one = await create_conn(host.strip("[]"), int(port), **security)
        except (OSError, KafkaError):
            continue
        try:
            return _of_rights(await rights(one))
        finally:
            one.close()
    return []


def _of_rights(known: Rights | None) -> Sequence[Finding]:
    if known is None or (known.topics and not any(known.topics.values())):
        what = "the brokers do not tell what we may do (Apache Kafka does, from 2.3 on)"
        return [_right("all topics", "warn", what, "make sure that we may read and write each topic")]
    there = [topic.name for topic in TOPICS if topic.name in known.topics]
    found = []
    for topic in there:
        lacks, short = known.lacks(topic, (READ, WRITE)), known.lacks(topic, (DESCRIBE_CONFIGS,))
        if lacks or short:
            missing = ", ".join([*lacks, *short])
            remedy = f"grant {missing} on topic {topic} (kafka-acls --add)"
            found.append(_right(topic, "fail" if lacks else "warn", f"we may not: {missing}", remedy))
    fine = len(there) - len(found)
    return [_right("topics", "ok", f"{fine} may be read and written"), *found] if fine else found


def _right(about: str, level: Level, what: str, remedy: str = "") -> Finding:
    return Finding(part="rights", about=about, level=level, what=what, remedy=remedy)


async def _topics(connection: Mapping[str, Any]) -> Sequence[Finding]:
    stand = await look(connection)
    departing = deviations(stand)
    found = [
        Finding(
            part="topics",
            about=each.topic,
            level="fail" if each.level == "fault" else "warn",
            what=each.what,
            remedy=each.remedy,
        )
        for each in departing
    ]
    fine = len(TOPICS) - len({each.topic for each in departing})
    said = f"{fine} of {len(TOPICS)} stand as they should; brokers: {stand.brokers}"
    return [Finding(part="topics", about="topics", level="ok", what=said), *found] if fine else found


async def _groups(connection: Mapping[str, Any], name: str) -> Sequence[Finding]:
    """Who works. No worker is no fault before the first is started, but worth a word."""
    admin = AIOKafkaAdminClient(**connection)
    await admin.start()
    try:
        told = [await _described(admin, f"{name}-{each}") for each in GROUPS]
    finally:
        await admin.close()
    return [_group(code, group, members) for code, group, _, _, _, members, *_ in told]


async def _described(admin: AIOKafkaAdminClient, group: str) -> Any:
    """A group; a cluster that never had one makes room for them now, and tells a moment later.

    One at a time: aiokafka 0.14 reads the answer about several groups wrongly, and closes the connection.
    """
    for pause_s in PAUSES_S:
        try:
            [answer] = await admin.describe_consumer_groups([group])
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(pause_s)
        else:
            return answer.groups[0]
    raise GroupCoordinatorNotAvailableError("no broker coordinates the groups")


def _group(code: int, group: str, members: Sequence[object]) -> Finding:
    if code:
        raise for_code(code)(group)
    if members:
        return Finding(part="groups", about=group, level="ok", what=f"workers: {len(members)}")
    does = GROUPS[group.rpartition("-")[2]]
    remedy = "start `oversight worker`, unless none is to run yet"
    return Finding(part="groups", about=group, level="warn", what=f"no worker {does} now", remedy=remedy)
