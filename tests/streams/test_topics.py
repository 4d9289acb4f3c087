"""Topics that must fit each other."""

import pytest

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
