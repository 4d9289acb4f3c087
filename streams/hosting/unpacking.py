"""Batches unpack within bounds: Kafka's client unpacks one whole, and a megabyte of gzip may be a gigabyte.

The client calls a function of its module for each codec; `bound` puts one in its place that gives up beyond
the bound. What cannot be unpacked, for whatever reason, is a ValueError: such a batch is passed over and told
as any that cannot be read (`streams.hosting.fetching`), where the codecs' own errors would end the worker.
"""

import gzip
import io
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import cramjam
from aiokafka.codec import snappy_decode
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

MOST = 64_000_000
"""Bytes that a batch unpacks to at most: what a topic of ours takes at once, unpacked, and much more."""
FIRST_ROOM, MORE = 65_536, 8
"""Room for what is unpacked, and how many times as much is tried where that is not enough."""
XERIAL, XERIAL_HEAD = b"\x82SNAPPY\x00", 16
"""What snappy in blocks begins with; each block has its length, of four bytes, before it."""
FAULTS = (ValueError, OSError, EOFError, zlib.error, cramjam.DecompressionError)
GZIP = 16 + zlib.MAX_WBITS
"""What zlib calls gzip's format."""
TOO_LARGE = "it is too large"
Unpack = Callable[[bytes, int], bytes | bytearray]


def _gzip(payload: bytes, most: int) -> bytes:
    """Of several that follow each other, which hardly any producer writes, all together."""
    first = zlib.decompressobj(GZIP)
    whole = first.decompress(payload, most + 1)
    if first.unused_data:
        with gzip.GzipFile(fileobj=io.BytesIO(payload)) as packed:
            whole = packed.read(most + 1)
    if len(whole) > most:
        raise ValueError(TOO_LARGE)
    if not first.eof:
        raise EOFError("it is cut off")
    return whole


def _snappy(payload: bytes, most: int) -> bytes:
    """Each block says how long it is unpacked, and unpacks to no more."""
    length = sum(cramjam.snappy.decompress_raw_len(block) for block in _blocks(payload))
    if length > most:
        raise ValueError(TOO_LARGE)
    whole: bytes = snappy_decode(payload)
    return whole


def _blocks(payload: bytes) -> Iterator[bytes]:
    if not payload.startswith(XERIAL):
        yield payload
        return
    at = XERIAL_HEAD
    while at < len(payload):
        (length,) = struct.unpack(">i", payload[at : at + 4].ljust(4, b"\xff"))
        if length <= 0:
            raise ValueError("a block of snappy has no length")
        yield payload[at + 4 : at + 4 + length]
        at += 4 + length


def _into(unpack: Callable[[bytes, bytearray], int]) -> Unpack:
    """By a function that fills the room it is given, and fails where that is not enough."""

    def unpacked(payload: bytes, most: int) -> bytearray:
        room = FIRST_ROOM + MORE * len(payload)
        while True:
            whole = bytearray(min(room, most))
            try:
                del whole[unpack(payload, whole) :]
            except cramjam.DecompressionError:
                if room >= most:
                    raise
                room *= MORE
            else:
                return whole

    return unpacked


UNPACKING: Mapping[str, Unpack] = {
    "gzip_decode": _gzip,
    "snappy_decode": _snappy,
    "lz4_decode": _into(cramjam.lz4.decompress_into),
    "zstd_decode": _into(cramjam.zstd.decompress_into),
}
"""By the name that the client has for it."""


class Bounded:
    """One codec. What was refused last is known again: each record of its batch is looked for by itself."""

    def __init__(self, unpack: Unpack, most: int) -> None:
        self._unpack = unpack
        self._most = most
        self._refused = (-1, b"", "")

    def __call__(self, payload: Any) -> bytes | bytearray:
        """The whole of it.

        Raises:
            ValueError: it is damaged, or too large.
        """
        packed = bytes(payload)
        length, digest, reason = self._refused
        if len(packed) == length and _digest(packed) == digest:
            raise ValueError(reason)
        try:
            return self._unpack(packed, self._most)
        except FAULTS as fault:
            reason = f"a batch is damaged, or unpacks to more than {self._most:,} bytes: {fault}"
            self._refused = (len(packed), _digest(packed), reason)
            raise ValueError(reason) from fault


def _digest(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=16).digest()


def bound(most: int = MOST) -> None:
    """From here on Kafka's client unpacks no batch to more bytes than that, in this process."""
    for batch in (DefaultRecordBatch, LegacyRecordBatch):
        module = sys.modules[batch.__module__]
        for name, unpack in UNPACKING.items():
            if hasattr(module, name):
                setattr(module, name, Bounded(unpack, most))
