"""The brokers that the contract suite runs on, each with what it can and cannot do."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Protocol

from msgspec import Struct

from streams import embedded
from tests.contract.kafka_node import KafkaNode, NotHere, jars


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a broker can do. A test that needs what is missing is skipped by it, never by accident."""

    idempotence: bool
    """Producers that repeat nothing when they try again."""
    transactions: bool
    compaction: bool
    """Topics that keep the last record of a key."""
    restart: bool
    """It keeps what it holds over a stop."""
    exact_end_offsets: bool
    """ListOffsets tells the true end; a reader to the highwater does not need it."""
    more_partitions: bool
    """CreatePartitions."""
    record_limit: bool
    """It refuses records above the topic's `max.message.bytes`."""
    security: bool
    """TLS, SASL and access lists."""


class Broker(Protocol):
    """One node on loopback. Its methods block: call them by `asyncio.to_thread` where a loop must go on."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    @property
    def bootstrap(self) -> str:
        """`host:port`, the same over restarts."""
        ...

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        ...

    def stop(self) -> None:
        """Stops it in good order."""
        ...

    def kill(self) -> None:
        """Ends it without a word, as `kill -9` does."""
        ...

    def restart(self) -> None:
        """Stops and starts it, at the same address."""
        ...


class ApacheKafka:
    """Apache Kafka 4 in a JVM of its own, KRaft, one node."""

    name: ClassVar[str] = "kafka"
    capabilities: ClassVar[Capabilities] = Capabilities(
        idempotence=True,
        transactions=True,
        compaction=True,
        restart=True,
        exact_end_offsets=True,
        more_partitions=True,
        record_limit=True,
        security=True,
    )

    def __init__(self, home: Path) -> None:
        self._node = KafkaNode(home, jars())

    @property
    def bootstrap(self) -> str:
        return self._node.bootstrap

    def start(self) -> None:
        self._node.start()

    def stop(self) -> None:
        self._node.stop()

    def kill(self) -> None:
        self._node.kill()

    def restart(self) -> None:
        self.stop()
        self.start()


class Tansu:
    """The embedded broker; everything is gone when it stops, so it cannot be restarted."""

    name: ClassVar[str] = "tansu"
    capabilities: ClassVar[Capabilities] = Capabilities(
        idempotence=False,
        transactions=False,
        compaction=False,
        restart=False,
        exact_end_offsets=False,
        more_partitions=False,
        record_limit=False,
        security=False,
    )

    def __init__(self, _: Path) -> None:
        self._running = ExitStack()
        self._bootstrap = ""

    @property
    def bootstrap(self) -> str:
        return self._bootstrap

    def start(self) -> None:
        try:
            self._bootstrap = self._running.enter_context(embedded.running())
        except embedded.NoBroker as error:
            raise NotHere(str(error)) from error

    def stop(self) -> None:
        self._running.close()

    def kill(self) -> None:
        self.stop()

    def restart(self) -> None:
        raise AssertionError(
            "needs the capability `restart`: mark the test with @pytest.mark.needs('restart')"
        )


BROKERS: Mapping[str, type[ApacheKafka | Tansu]] = MappingProxyType({"tansu": Tansu, "kafka": ApacheKafka})
