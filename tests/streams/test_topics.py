"""Topics that must fit each other."""

from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.hosting import topics
from streams.hosting.topics import DETECTOR_STATE, EVENTS, OUTCOMES, PAGES, TOPICS, unfit
from tests.memory_log import Disk, MemoryLog


def log(**counts: int) -> MemoryLog:
    disk = Disk()
    for topic in TOPICS:
        for number in range(counts.get(topic.name, 1)):
            disk.records(topic.name, number)
    return MemoryLog(disk)


async def test_as_many_partitions_for_what_is_kept_as_for_what_is_read_are_fine():
    assert await unfit(log(**{EVENTS: 4, DETECTOR_STATE: 4, PAGES: 3, OUTCOMES: 8})) == ()


@pytest.mark.parametrize(("source", "state"), [(EVENTS, DETECTOR_STATE), (PAGES, OUTCOMES)])
async def test_fewer_of_them_are_named_with_what_was_expected(source, state):
    (fault,) = await unfit(log(**{source: 4, state: 2}))
    assert fault == f"{state} has 2 partitions, expected as many as {source}: 4"


class Forgetful:
    """A broker's admin that lists what was made only when it has been asked `late` times."""

    def __init__(self, late: int) -> None:
        self._late, self._made, self.asked = late, (), 0

    async def start(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """It goes."""

    async def create_topics(self, wanted):
        self._made = tuple(each.name for each in wanted)
        return SimpleNamespace(topic_errors=[(name, 0, None) for name in self._made])

    async def list_topics(self):
        self.asked += 1
        return self._made if self.asked > self._late else self._made[:1]


def administered_by(one: Forgetful, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "AIOKafkaAdminClient", lambda **_: one)
    monkeypatch.setattr(topics, "ASKED_S", 0.0)


async def test_topics_are_made_when_the_broker_lists_them_all(monkeypatch):
    broker = Forgetful(late=3)
    administered_by(broker, monkeypatch)
    assert len((await topics.create({})).made) == len(TOPICS)
    assert broker.asked == 4


async def test_a_broker_that_never_lists_them_is_told_of(monkeypatch):
    administered_by(Forgetful(late=10**9), monkeypatch)
    monkeypatch.setattr(topics, "LISTED_S", 0.01)
    with pytest.raises(KafkaTimeoutError, match="made, but still not listed after 0 s"):
        await topics.create({})
