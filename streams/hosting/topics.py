"""The topics: names, partitions, retention, compaction; created where they are missing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationAssignmentError,
    InvalidReplicationFactorError,
    InvalidRequestError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
    for_code,
)
from msgspec import Struct

DAY_MS = 86_400_000
RECORD_BYTES = 1_048_588
"""Kafka's default for the largest record."""

DEAD_BYTES = 10 * 1_024**3
"""Most that is kept of dead letters."""

EVENTS = "agent.events"
CAUSES = "oversight.causes"
PAGES = "oversight.pages"
OUTCOMES = "oversight.outcomes"
INCIDENTS = "oversight.incidents"
DECISIONS = "oversight.decisions"
DEADLETTER = "oversight.deadletter"
DETECTOR_STATE = "oversight.detector-state"
ROUTING_STATE = "oversight.routing-state"
OTLP_SPANS = "otlp_spans"
SPANS = "oversight.spans"
OTLP_STATE = "oversight.otlp-state"
SPANS_STATE = "oversight.spans-state"


class Topic(Struct, frozen=True):
    """A topic.

    `spread`: as many partitions as `agent.events` (`events`), as there are realms (`one`), or for slow work
    in parallel (`work`).
    """

    name: str
    spread: Literal["events", "one", "work"]
    settings: Mapping[str, str]


def _kept(days: int, **more: str) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS), **_dotted(more)}


def _compacted(**more: str) -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.1",
        "segment.ms": "3600000",
        "max.message.bytes": str(2 * RECORD_BYTES),
        **_dotted(more),
    }


def _dotted(settings: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in settings.items()}


TOPICS = (
    Topic(EVENTS, "events", _kept(7)),
    Topic(CAUSES, "one", _kept(30)),
    Topic(PAGES, "work", _kept(7)),
    Topic(OUTCOMES, "work", _compacted()),
    Topic(INCIDENTS, "work", _compacted()),
    Topic(DECISIONS, "work", _kept(7)),
    # A dead letter is the whole record and its reason: room for both. The cap is of the partition: where all
    # that agents send is broken, the oldest letters go first (the records themselves stay their own 7 days).
    Topic(
        DEADLETTER,
        "one",
        _kept(30, max_message_bytes=str(2 * RECORD_BYTES), retention_bytes=str(DEAD_BYTES)),
    ),
    Topic(DETECTOR_STATE, "events", _compacted()),
    Topic(ROUTING_STATE, "one", _compacted()),
)

BRIDGE_TOPICS = (
    Topic(OTLP_SPANS, "events", _kept(1)),
    Topic(SPANS, "events", _kept(1)),
    Topic(OTLP_STATE, "events", _compacted()),
    Topic(SPANS_STATE, "events", _compacted()),
)
"""What `oversight bridge` needs besides."""


LISTED_S, ASKED_S = 30.0, 0.1


LASTING = (
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationAssignmentError,
    InvalidReplicationFactorError,
    InvalidRequestError,
    InvalidTopicError,
    PolicyViolationError,
    UnsupportedVersionError,
)
"""What brokers say of a topic that is wanted wrongly: asked again, they say the same."""


class Refused(KafkaError):  # type: ignore[misc] # noqa: N818 - aiokafka is untyped; says what became of it
    """A topic is not made, and will not be by asking again."""

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.args[0])


class NotAllowed(Refused):
    """A topic may not be made by us."""


class Created(Struct, frozen=True):
    """What became of each topic: made now, or there before."""

    made: tuple[str, ...]
    there: tuple[str, ...]


async def create(
    connection: Mapping[str, Any],
    *,
    topics: Sequence[Topic] = TOPICS,
    partitions: int = 4,
    work: int = 4,
    replication: int = 1,
    in_sync: int | None = None,
) -> Created:
    """Makes the topics that are missing. `partitions` of the events, `work` of pages and incidents.

    `replication`: copies of each. `in_sync`: how many must have a record before it is acknowledged; if that
    is not said, all but one where there are three or more, and else what the broker has as its default.

    Raises:
        NotAllowed: we may not make one.
        Refused: one is wanted in a way in which the brokers make none, as with more copies than they are.
        KafkaError: the broker refused one for another reason than that it exists, or does not list it
            `LISTED_S` seconds after it has been made.
    """
    counts = {"events": partitions, "one": 1, "work": work}
    least = in_sync or (replication - 1 if replication > 2 else None)  # noqa: PLR2004 - one may be away
    more = {} if least is None else {"min.insync.replicas": str(least)}
    wanted = [
        NewTopic(each.name, counts[each.spread], replication, topic_configs={**each.settings, **more})
        for each in topics
    ]
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        created = sorted_out((await admin.create_topics(wanted)).topic_errors)
        await listed(admin.list_topics, topics)
    finally:
        await admin.close()
    return created


async def listed(
    told: Callable[[], Awaitable[Iterable[str]]],
    topics: Sequence[Topic] = TOPICS,
    within_s: float = LISTED_S,
) -> None:
    """Waits until all topics are among those `told` of: a broker hears of what has been made a little later.

    Raises:
        KafkaTimeoutError: some are not, `within_s` seconds later.
    """
    names = {each.name for each in topics}
    try:
        async with asyncio.timeout(within_s):
            while not names.issubset(await told()):  # noqa: ASYNC110 - the broker tells nobody by itself
                await asyncio.sleep(ASKED_S)
    except TimeoutError as error:
        raise KafkaTimeoutError(f"made, but not all of them listed {within_s:g} s later") from error


async def missing(connection: Mapping[str, Any], topics: Sequence[Topic] = TOPICS) -> tuple[str, ...]:
    """The topics that are not there.

    All are listed, and none is asked for by name: many brokers make a topic that is asked for, with one
    partition, and without the compaction that keeps our state.

    Raises:
        KafkaError: no broker answers.
    """
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        there = set(await admin.list_topics())
    finally:
        await admin.close()
    return tuple(each.name for each in topics if each.name not in there)


def sorted_out(errors: Sequence[Sequence[Any]]) -> Created:
    """What came of each, by its name, a code and words. A topic that exists is told by a code as well.

    Raises:
        NotAllowed, Refused, KafkaError: as `create`.
    """
    made, there = [], []
    for name, code, *words in errors:
        if not code:
            made.append(name)
        elif for_code(code) is TopicAlreadyExistsError:
            there.append(name)
        elif for_code(code) in {TopicAuthorizationFailedError, ClusterAuthorizationFailedError}:
            raise NotAllowed(
                f"we may not make {name}: expected the right to Create on the topics or on the cluster "
                "(`oversight topics --check` makes nothing)"
            )
        elif for_code(code) in LASTING:
            raise Refused(_why(name, for_code(code), words))
        else:
            raise for_code(code)(name)
    return Created(tuple(made), tuple(there))


def _why(name: str, error: type[KafkaError], words: Sequence[Any]) -> str:
    """In the broker's own words, where it has some."""
    said = f" ({words[0]})" if words and words[0] else ""
    return f"{name} cannot be made so: {error.__name__}{said}"


async def create_topics(bootstrap: str, partitions: int) -> Created:
    """Makes what is missing on a broker without TLS or SASL."""
    return await create({"bootstrap_servers": bootstrap}, partitions=partitions)
