"""What we may do on a cluster, by its own word: Kafka tells it along with metadata (KIP-430).

aiokafka asks for metadata up to version 5; the eighth is the first that tells.
Protocol: https://kafka.apache.org/protocol
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String
from msgspec import Struct

READ, WRITE, CREATE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 5, 8, 10
"""Bits of what is told, by the numbers of Kafka's AclOperation."""
WORDS = {READ: "Read", WRITE: "Write", DESCRIBE: "Describe", DESCRIBE_CONFIGS: "DescribeConfigs"}
UNTOLD = -(2**31)
VERSION = 8
METADATA = 3


class _Answer(Response):  # type: ignore[misc] # aiokafka is untyped
    API_KEY = METADATA
    API_VERSION = VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("authorized_operations", Int32),
    )


class _Question(RequestStruct):  # type: ignore[misc] # aiokafka is untyped
    API_KEY = METADATA
    API_VERSION = VERSION
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Asking(Request[_Question]):  # type: ignore[misc] # aiokafka is untyped
    API_KEY = METADATA

    def build(self, request_struct_class: type[_Question]) -> Any:
        every_topic = None
        # None is made by being asked for.
        return request_struct_class(every_topic, False, True, True)  # noqa: FBT003 - the protocol's own order


class Rights(Struct, frozen=True):
    """What may be done, by topic and on the cluster, as bits; None: the broker does not tell."""

    topics: Mapping[str, int | None]
    cluster: int | None

    def lacks(self, topic: str, needed: Sequence[int]) -> Sequence[str]:
        """Of the operations needed those that may not be done on a topic that is listed."""
        told = self.topics.get(topic)
        return [] if told is None else [WORDS[each] for each in needed if not told >> each & 1]


async def rights(connection: AIOKafkaConnection) -> Rights | None:
    """What this connection may do; None: the broker is of a version that does not tell.

    Raises:
        KafkaError: it does not answer.
    """
    try:
        answer = await connection.send(_Asking())
    except NotImplementedError:
        return None
    topics = {topic: _told(bits) for _, topic, _, _, bits in answer.topics}
    return Rights(topics, _told(answer.authorized_operations))


def _told(bits: int) -> int | None:
    return None if bits == UNTOLD else bits
