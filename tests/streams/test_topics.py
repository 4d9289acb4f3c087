"""Topics that must fit each other."""

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.hosting.topics import DETECTOR_STATE, EVENTS, OUTCOMES, PAGES, TOPICS, listed, unfit
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


async def test_topics_are_waited_for_until_the_broker_lists_them_all():
    names = [each.name for each in TOPICS]
    answers = iter([names[:1], names[1:], names])

    async def told():
        return next(answers)

    await listed(told)
    assert list(answers) == []


async def test_a_broker_that_never_lists_them_is_told_of():
    async def told():
        return ()

    with pytest.raises(KafkaTimeoutError, match=r"made, but not all of them listed 0\.01 s later"):
        await listed(told, within_s=0.01)
