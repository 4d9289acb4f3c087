"""How the topics stand on a broker, and where that departs from what the pipeline needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code
from msgspec import Struct

from streams.hosting.topics import (
    CAUSES,
    DAY_MS,
    DETECTOR_STATE,
    EVENTS,
    OUTCOMES,
    PAGES,
    ROUTING_STATE,
    TOPICS,
    Topic,
)

PAIRS = ((EVENTS, DETECTOR_STATE), (CAUSES, ROUTING_STATE), (PAGES, OUTCOMES))
"""Topics with what is kept of each of their partitions."""
RELIED_ON = frozenset(name for pair in PAIRS for name in pair)
"""What the pipeline itself reads again after a restart."""
AHEAD = "message.timestamp.after.max.ms"
AHEAD_MS = 3_600_000
"""How far ahead of their own clock brokers take records: the default of Kafka 4; before, there was no end."""
NOT_THERE = "`oversight topics` makes it; if it is there, grant Describe: brokers tell of nothing else"
SAFE_COPIES = 3
KAFKA_DEFAULTS = {"cleanup.policy": "delete", "min.insync.replicas": "1"}
"""What a broker that tells only what was set leaves out."""


class Standing(Struct, frozen=True):
    """A topic as it is. `copies`: of the partition that has the fewest. `settings`: None: may not be read."""

    name: str
    partitions: int = 0
    copies: int = 0
    in_sync: int = 0
    settings: Mapping[str, str] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the broker has it."""
        return self.partitions > 0

    def number(self, setting: str) -> int | None:
        """A setting that is a number; None where it is not known."""
        text = (self.settings or {}).get(setting, "")
        return int(text) if text.lstrip("-").isdecimal() else None


class Deviation(Struct, frozen=True, kw_only=True):
    """One departure. `fault`: no worker starts with it; `warning`: it may cost something one day."""

    topic: str
    level: Literal["fault", "warning"]
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.topic} {self.what}: {self.remedy}"


class Stand(Struct, frozen=True):
    """All topics, and how many brokers the cluster has."""

    brokers: int
    topics: Mapping[str, Standing]


async def look(connection: Mapping[str, Any]) -> Stand:
    """How all topics stand.

    Raises:
        KafkaError: no broker answers, or it does not tell.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        listed = set(await admin.list_topics())
        there = [each.name for each in TOPICS if each.name in listed]
        if not there:
            return Stand(brokers, {each.name: Standing(each.name) for each in TOPICS})
        told = {each["topic"]: each for each in await admin.describe_topics(there)}
        settings = await _settings(admin, there)
    finally:
        await admin.close()
    return Stand(brokers, {each.name: _standing(each.name, told, settings) for each in TOPICS})


async def _settings(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Of each topic that may be described."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {}
    for answer in await admin.describe_configs(asked):
        for code, _, _, name, entries, *_ in answer.resources:
            if not code:
                found[name] = KAFKA_DEFAULTS | {entry[0]: entry[1] for entry in entries}
    return found


def _standing(
    name: str, told: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Mapping[str, str]]
) -> Standing:
    answer = told.get(name)
    if answer is None:
        return Standing(name)
    if answer["error_code"]:
        raise for_code(answer["error_code"])(name)
    parts = answer["partitions"]
    return Standing(
        name,
        len(parts),
        min((len(each["replicas"]) for each in parts), default=0),
        min((len(each["isr"]) for each in parts), default=0),
        settings.get(name),
    )


def deviations(stand: Stand) -> Sequence[Deviation]:
    """Every departure from what the pipeline needs, by topic."""
    found = []
    for topic in TOPICS:
        standing = stand.topics[topic.name]
        if standing.is_there:
            found += [*_of_number(topic, stand), *_of_settings(topic, standing), *_of_copies(standing, stand)]
        else:
            found.append(_fault(topic, "is not there", NOT_THERE))
    return found


def faults(stand: Stand) -> Sequence[Deviation]:
    """Those that no worker should start with."""
    return [each for each in deviations(stand) if each.level == "fault"]


def _of_number(topic: Topic, stand: Stand) -> Iterator[Deviation]:
    count = stand.topics[topic.name].partitions
    if topic.name == CAUSES and count != 1:
        remedy = "delete it with its state and make it anew: the router's order is that of one partition"
        yield _fault(topic, f"has {count} partitions, expected 1", remedy)
    for source, state in PAIRS:
        wanted = stand.topics[source].partitions
        if state == topic.name and count < wanted:
            what = f"has {count} partitions, expected as many as {source}: {wanted}"
            remedy = f"`kafka-topics --alter --topic {state} --partitions {wanted}`, while no worker runs"
            yield _fault(topic, what, remedy)


def _of_settings(topic: Topic, standing: Standing) -> Iterator[Deviation]:
    if standing.settings is None:
        remedy = "grant DescribeConfigs on the topics"
        yield _warning(topic, "does not tell its settings, which were not checked", remedy)
        return
    policy, wanted = standing.settings["cleanup.policy"], topic.settings["cleanup.policy"]
    if policy != wanted:
        why = "is never compacted" if wanted == "compact" else "loses what is older of a key"
        if wanted == "compact" and "delete" in policy:
            why = "forgets state by its age"
        yield Deviation(
            topic=topic.name,
            level="fault" if topic.name in RELIED_ON else "warning",
            what=f"has cleanup.policy={policy}, and {why}",
            remedy=_altered(topic, "cleanup.policy"),
        )
    kept_ms = standing.number("retention.ms")
    if wanted == "delete" and kept_ms is not None and 0 <= kept_ms < DAY_MS:
        what = f"keeps {kept_ms / DAY_MS * 24:.2g} h: what a worker has not read by then is lost"
        yield _warning(topic, what, _altered(topic, "retention.ms"))
    most, needed = standing.number("max.message.bytes"), topic.settings.get("max.message.bytes")
    if most is not None and needed and most < int(needed):
        what = f"refuses records above {most:,} bytes, expected {int(needed):,}"
        yield _warning(topic, what, _altered(topic, "max.message.bytes"))
    ahead_ms = standing.number(AHEAD)
    if topic.name == EVENTS and ahead_ms is not None and ahead_ms > DAY_MS:
        what = "takes records of any time to come: a clock that is years ahead sets that of its partition"
        yield _warning(topic, what, _command(topic.name, f"{AHEAD}={AHEAD_MS}"))


def _of_copies(standing: Standing, stand: Stand) -> Iterator[Deviation]:
    name, copies, least = standing.name, standing.copies, standing.number("min.insync.replicas") or 1
    if least > copies:
        what = f"has {copies} copies and min.insync.replicas={least}: nothing can be written"
        remedy = _command(name, f"min.insync.replicas={max(1, copies - 1)}")
        yield Deviation(topic=name, level="fault", what=what, remedy=remedy)
    elif copies >= SAFE_COPIES and least == 1:
        what = f"has {copies} copies, but takes records with one: they are lost with its broker"
        remedy = _command(name, f"min.insync.replicas={copies - 1}")
        yield Deviation(topic=name, level="warning", what=what, remedy=remedy)
    if copies < min(SAFE_COPIES, stand.brokers):
        most = min(SAFE_COPIES, stand.brokers)
        what = f"has {copies} of the {most} copies that {stand.brokers} brokers can keep"
        remedy = (
            "`kafka-reassign-partitions` adds copies; `oversight topics --replication 3` makes new ones so"
        )
        yield Deviation(topic=name, level="warning", what=what, remedy=remedy)
    if standing.in_sync < copies:
        what = f"has a partition of which {standing.in_sync} of {copies} copies are in sync"
        remedy = "look after the broker that lags or is away"
        yield Deviation(topic=name, level="warning", what=what, remedy=remedy)


def _altered(topic: Topic, setting: str) -> str:
    return _command(topic.name, f"{setting}={topic.settings[setting]}")


def _command(name: str, setting: str) -> str:
    return f"`kafka-configs --alter --topic {name} --add-config {setting}`"


def _fault(topic: Topic, what: str, remedy: str) -> Deviation:
    return Deviation(topic=topic.name, level="fault", what=what, remedy=remedy)


def _warning(topic: Topic, what: str, remedy: str) -> Deviation:
    return Deviation(topic=topic.name, level="warning", what=what, remedy=remedy)
