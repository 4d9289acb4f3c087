"""Where outputs go, what they carry, and what becomes of those that the log refuses."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from schemas.cause import Wake
from schemas.record import Origin, Output
from schemas.wire import decode_cause, moment
from streams.hosting.emission import MOST_DEAD_BYTES, Destination, Emission
from streams.hosting.log import AppendFailed
from tests.memory_log import Act, Disk, MemoryLog
from tests.simulation.owners import HandClock
from tests.streams.folding import DESTINATIONS


def emission(disk: Disk, *acts: Act, mode="wall", largest=1_000_000, **destinations) -> Emission:
    log = MemoryLog(disk, list(acts), largest=largest)
    return Emission(log, {**DESTINATIONS, **destinations}, HandClock(), mode)


def origin(n: int = 0) -> Origin:
    return Origin("in/3", 7, n)


def decision(value: bytes, n: int = 0, key: str = "k") -> tuple[Origin, Output]:
    return origin(n), Output("decisions", key, value, 0.0, (("why", b"so"),))


def values(disk: Disk, topic: str = "decisions", partition: int = 0) -> list[bytes]:
    return [each.value for each in disk.records(topic, partition)]


class TestWhatIsPutOut:
    async def test_nothing_is_nothing(self):
        disk = Disk()
        await emission(disk).put([])
        assert not disk.topics

    @pytest.mark.parametrize(("mode", "at_s"), [("wall", 1_000_000.0), ("events", 5.0)])
    async def test_a_cause_carries_its_origin_and_the_time_of_the_clock(self, mode, at_s):
        disk = Disk()
        wake = Output("causes", "", Wake(at=moment(5)), 5.0)
        await emission(disk, mode=mode).put([(origin(), wake)])
        (record,) = disk.records("causes")
        assert decode_cause(record.value) == Wake(at=moment(at_s), origin=origin())
        assert record.key is None

    async def test_anything_else_carries_its_origin_in_a_header(self):
        disk = Disk()
        await emission(disk).put([decision(b"one")])
        (record,) = disk.records("decisions")
        assert record.headers == (("why", b"so"), ("origin", b"in/3:7:0"))
        assert record.key == b"k"

    async def test_the_order_of_each_destination_is_kept(self):
        disk = Disk()
        two = Destination("decisions", 2)
        outputs = [decision(str(n).encode(), n, key) for n, key in enumerate("abcabc")]
        await emission(disk, decisions=two).put(outputs)
        for partition in range(2):
            found = values(disk, "decisions", partition)
            assert found == sorted(found)
        assert len(values(disk, "decisions", 0) + values(disk, "decisions", 1)) == 6

    @given(st.text(max_size=20), st.integers(2, 50))
    def test_a_key_goes_where_every_client_puts_it(self, key, count):
        everywhere = list(range(count))
        expected = DefaultPartitioner()(key.encode("utf-8", "surrogatepass"), everywhere, everywhere)
        assert Destination("t", count).partition(key) == expected
        assert Destination("t").partition(key) == 0


class TestRefusals:
    async def test_a_passing_failure_is_told_and_all_is_put_again(self):
        disk = Disk()
        out = emission(disk, Act.FAIL)
        with pytest.raises(AppendFailed):
            await out.put([decision(b"one")])
        await out.put([decision(b"one")])
        assert values(disk) == [b"one"]

    async def test_what_is_too_large_is_buried_cut_short_and_the_rest_goes_on_in_order(self):
        disk = Disk()
        out = emission(disk, largest=100_000)
        await out.put([decision(b"one", 0), decision(b"x" * 100_001, 1), decision(b"two", 2)])
        assert values(disk) == [b"one", b"two"]
        (letter,) = disk.records("deadletter")
        assert letter.value == b"x" * MOST_DEAD_BYTES
        assert letter.headers == (
            ("reason", b"decisions refused it, 100,001 bytes: too large"),
            ("origin", b"in/3:7:1"),
        )
        assert (out.refused, out.dropped) == (1, 0)

    async def test_a_batch_that_is_too_large_as_a_whole_is_put_one_by_one(self):
        disk = Disk()
        out = emission(disk, Act.REFUSE)
        await out.put([decision(b"one", 0), decision(b"two", 1)])
        assert values(disk) == [b"one", b"two"]
        assert out.refused == 0

    async def test_what_the_dead_letters_refuse_too_is_dropped_and_counted(self):
        disk = Disk()
        out = emission(disk, largest=1000)
        await out.put([decision(b"x" * 70_000, 0), decision(b"two", 1)])
        assert values(disk) == [b"two"]
        assert (out.refused, out.dropped) == (1, 1)

    @pytest.mark.parametrize("acts", [[Act.REFUSE, Act.FAIL], [Act.REFUSE, Act.REFUSE, Act.FAIL]])
    async def test_a_failure_on_the_way_is_told_and_all_is_put_again(self, acts):
        disk = Disk()
        out = emission(disk, *acts)
        with pytest.raises(AppendFailed):
            await out.put([decision(b"one")])
        await out.put([decision(b"one")])
        assert values(disk) == [b"one"]
