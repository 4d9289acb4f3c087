"""Reading a partition to its end: however slowly it comes, and whatever lies last."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from streams.hosting.reading import MOST_SILENT, EndUnreached, to_end

PLACE = TopicPartition("in", 0)


class Consumer:
    """Gives what it was told to, turn by turn: offsets; None: nothing was heard; then nothing comes.

    `end`: as the broker tells it from its first word on. `gap`: offsets without records after each batch.
    """

    def __init__(self, *turns, end, gap=0):
        self.turns = list(turns)
        self.end = end
        self.gap = gap
        self.at = 0
        self.heard = False

    async def getmany(self, _place, *, timeout_ms, max_records):
        assert timeout_ms > 0
        assert max_records > 0
        offsets = self.turns.pop(0) if self.turns else ()
        self.heard = self.heard or offsets is not None
        if not offsets:
            return {}
        self.at = offsets[-1] + 1 + self.gap
        return {PLACE: [SimpleNamespace(offset=each) for each in offsets]}

    async def position(self, _place):
        return self.at

    def highwater(self, _place):
        return self.end if self.heard else None


async def offsets(consumer):
    return [each.offset async for batch in to_end(consumer, PLACE) for each in batch]


async def test_a_broker_that_is_slow_is_waited_for():
    slow = [None] * 100 + [(0, 1)] + [()] * 500 + [(2,), (3, 4)]
    assert await offsets(Consumer(*slow, end=5)) == [0, 1, 2, 3, 4]


async def test_what_comes_after_the_end_was_told_is_not_waited_for():
    consumer = Consumer((0, 1, 2), end=2)
    assert await offsets(consumer) == [0, 1, 2]


async def test_an_end_before_which_no_record_is_kept_is_reached():
    assert await offsets(Consumer((0, 1), end=5, gap=3)) == [0, 1]


async def test_an_empty_partition_ends_at_once():
    assert await offsets(Consumer(end=0)) == []


@pytest.mark.parametrize(("first", "end"), [((0, 1), 5), (None, 0)])
async def test_a_broker_that_gives_nothing_for_long_is_an_error_which_says_where(first, end):
    consumer = Consumer(first, *[None] * (MOST_SILENT + 1), end=end)
    with pytest.raises(EndUnreached, match="in/0: nothing came before the end"):
        await offsets(consumer)
