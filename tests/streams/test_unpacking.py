"""What a batch unpacks to is bounded, whatever packed it; what is damaged is an error that is passed over."""

import gzip
import struct
import sys
import tracemalloc

import cramjam
import pytest
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.hosting.fetching import FAULTS
from streams.hosting.unpacking import MOST, UNPACKING, Bounded, bound

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PACK = {name: getattr(codec, f"{name}_encode") for name in CODECS}
SMALL = 1_000_000


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    bound()


def unpacked(name, packed, most=MOST):
    return bytes(Bounded(UNPACKING[f"{name}_decode"], most)(packed))


def batch(name, *values):
    """A batch of records with these values, as a producer writes it."""
    builder = DefaultRecordBatchBuilder(2, CODECS[name], 0, -1, -1, -1, 2**30)
    for at, value in enumerate(values):
        builder.append(at, 1, b"key", value, [])
    return bytes(builder.build())


def values(raw):
    return [record.value for record in MemoryRecords(raw).next_batch()]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("size", [1, 1000, 100_000, SMALL])
def test_what_is_within_the_bound_is_unpacked_as_it_was(name, size):
    whole = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert unpacked(name, PACK[name](whole), SMALL) == whole


@pytest.mark.parametrize("name", CODECS)
def test_one_byte_more_is_refused(name):
    packed = PACK[name](b"x" * (SMALL + 1))
    with pytest.raises(ValueError, match="unpacks to more than 1,000,000 bytes"):
        unpacked(name, packed, SMALL)


def test_pieces_that_follow_each_other_count_together():
    halves = gzip.compress(b"x" * 600_000) * 2
    assert len(unpacked("gzip", halves)) == 1_200_000
    with pytest.raises(ValueError, match="unpacks to more"):
        unpacked("gzip", halves, SMALL)
    blocks = codec.snappy_encode(b"x" * 600_000)
    blocks += blocks[16:]
    assert len(unpacked("snappy", blocks)) == 1_200_000
    with pytest.raises(ValueError, match="unpacks to more"):
        unpacked("snappy", blocks, SMALL)


def test_snappy_without_blocks_is_unpacked_within_what_it_says():
    assert unpacked("snappy", bytes(cramjam.snappy.compress_raw(b"abc" * 100))) == b"abc" * 100
    with pytest.raises(ValueError, match="too large"):
        unpacked("snappy", b"\xff\xff\xff\xff\x0f1234")


@pytest.mark.parametrize("length", [0, -4, -(2**31)])
def test_a_block_of_snappy_that_does_not_go_on_ends(length):
    with pytest.raises(ValueError, match="a block of snappy has no length"):
        unpacked("snappy", PACK["snappy"](b"abc") + struct.pack(">i", length))


@pytest.mark.parametrize("name", CODECS)
def test_what_is_damaged_is_passed_over_and_ends_no_worker(name):
    packed = PACK[name](bytes(range(256)) * 40)
    for bad in (b"", b"?", packed[:-9], packed[:20], b"\xff" * 40, packed[:16] + b"\xff" * 40):
        with pytest.raises(FAULTS, match="a batch is damaged, or"):
            unpacked(name, bad)


@pytest.mark.parametrize("name", CODECS)
def test_the_client_reads_batches_by_them_and_a_bomb_takes_little(name):
    values_ = [b"a" * 5000, b"b", b"c" * 70_000]
    whole, bomb = batch(name, *values_), batch(name, *[b"0" * SMALL] * 30)
    assert len(bomb) < 2_000_000
    bound(SMALL)
    assert values(whole) == values_
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpacks to more"):
        values(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(bomb) + 5 * SMALL
    bound()
    assert values(bomb) == [b"0" * SMALL] * 30


def test_what_was_refused_is_known_again():
    packed, tried = gzip.compress(b"x" * 2000), []

    def unpack(payload, most):
        tried.append(payload)
        return UNPACKING["gzip_decode"](payload, most)

    within = Bounded(unpack, 1000)
    for _ in range(3):
        with pytest.raises(ValueError, match="1,000 bytes"):
            within(packed)
    assert tried == [packed]
    assert within(gzip.compress(b"x")) == b"x"


def test_every_codec_of_the_client_is_bounded():
    bound()
    module = sys.modules[DefaultRecordBatch.__module__]
    names = {name for name in dir(module) if name.endswith("_decode")}
    assert names == set(UNPACKING)
    assert all(isinstance(getattr(module, name), Bounded) for name in names)
