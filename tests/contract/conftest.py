"""Fixtures of the contract suite: `broker`, shared by all tests of a run, and `own_broker`, fresh for each.

Every test that takes one runs on each broker of `tests.contract.brokers`, or on those named by `--broker`.
`@pytest.mark.needs("restart")` skips it where the broker lacks a capability. A broker that cannot be had is
skipped and said so at the end; where `CI=true` it fails.
"""

import gc
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import IN_CI
from tests.contract.brokers import BROKERS, Broker
from tests.contract.kafka_node import NotHere

MakeTopic = Callable[..., Awaitable[str]]
ABSENT = pytest.StashKey[dict[str, str]]()
HERE = Path(__file__).parent
LOST = pytest.mark.filterwarnings(r"default:unclosed (transport|<socket\.socket):ResourceWarning")
"""A connection lost while brokers, workers and their channels end around it is told, and fails no test."""
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--broker", action="append", choices=sorted(BROKERS), help="run on this broker only")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(capability): skipped on brokers without it")
    config.stash[ABSENT] = {}
    # Brokers are processes of their own: told to stop, the run takes them with it.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "broker_name" in metafunc.fixturenames:
        names = metafunc.config.getoption("--broker", default=None) or list(BROKERS)
        metafunc.parametrize("broker_name", names, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.contract)
            item.add_marker(LOST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, reason in config.stash[ABSENT].items():
        terminalreporter.section(f"BROKER ABSENT: {name}", red=True, bold=True)
        terminalreporter.line(f"The contract suite did NOT run on {name}: {reason}")


@pytest.fixture(autouse=True)
def _told_of_the_right_test() -> Iterator[None]:
    """What a test leaves open is told of that test, not of the one that runs when Python collects it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def _shared(
    broker_name: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Broker]:
    yield from _running(broker_name, tmp_path_factory.mktemp(broker_name), request.config)


@pytest.fixture
def broker(_able: None, _shared: Broker) -> Broker:
    """A running broker that all tests share: make topics of your own, and leave it running."""
    return _shared


@pytest.fixture
def own_broker(
    _able: None, broker_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Broker]:
    """A broker without any topic, for this test alone: it may be stopped, killed and restarted."""
    yield from _running(broker_name, tmp_path / "broker", request.config)


@pytest.fixture
def _able(broker_name: str, request: pytest.FixtureRequest) -> None:
    """Skips a test that needs what the broker cannot do, before one is started for it."""
    for mark in request.node.iter_markers("needs"):
        for capability in mark.args:
            if not getattr(BROKERS[broker_name].capabilities, capability):
                pytest.skip(f"{broker_name} has no {capability}")


@pytest.fixture
def make_topic(broker: Broker) -> MakeTopic:
    """Makes topics on `broker`; keywords are configs (`cleanup_policy="compact"`). Says their names."""

    async def made(partitions: int = 1, **configs: str) -> str:
        name = f"contract-{next(_numbers)}"
        await create(
            broker.bootstrap, name, partitions, {key.replace("_", "."): text for key, text in configs.items()}
        )
        return name

    return made


async def create(bootstrap: str, name: str, partitions: int, configs: Mapping[str, str]) -> None:
    """Makes a topic; the reply holds the error, nothing is raised by the client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        reply = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(configs))])
    finally:
        await admin.close()
    assert [error[1] for error in reply.topic_errors] == [0], reply


def _running(name: str, home: Path, config: pytest.Config) -> Iterator[Broker]:
    absent = config.stash[ABSENT]
    if name in absent:
        _absent(name, absent[name])
    try:
        node = BROKERS[name](home)
        node.start()
    except NotHere as error:
        absent[name] = str(error)
        _absent(name, str(error))
    try:
        yield node
    finally:
        node.stop()


def _absent(name: str, reason: str) -> None:
    if IN_CI:
        pytest.fail(f"BROKER ABSENT: {name}: {reason}", pytrace=False)
    pytest.skip(f"BROKER ABSENT: {name}: {reason}")
