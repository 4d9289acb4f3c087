"""Sums of records that are kept as state: what was damaged is told of, never taken for something else.

Brokers check a batch on its way, not what was wrong before, or is mended by hand. A sum covers the key, too:
a state under the name of another agent is as bad as another state.
"""

from msgspec.structs import replace
from xxhash import xxh3_64

from schemas.record import Record
from streams.hosting.log import Outgoing

HEADER = "oversight-sum"


class Unsound(ValueError):  # noqa: N818 - says what it is
    """Key or value are not those that were written."""

    def __init__(self) -> None:
        super().__init__("its sum is another: key or value are not what was written")


def summed(record: Outgoing) -> Outgoing:
    """The record with its sum, which readers of earlier versions pass over."""
    return replace(record, headers=(*record.headers, (HEADER, _sum(record.key, record.value))))


def is_sound(record: Record) -> bool:
    """Whether it is what was written; of one without a sum, as earlier versions wrote them, nobody knows."""
    said = dict(record.headers).get(HEADER)
    return said is None or said == _sum(record.key, record.value)


def _sum(key: bytes | None, value: bytes | None) -> bytes:
    found = xxh3_64(key or b"")
    found.update(b"\0")
    found.update(value or b"")
    return found.digest()
