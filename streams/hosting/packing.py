"""Pieces of state as they stand in the snapshot topic: compressed, where that is worth it.

State is repetitive (empty counts, labels, whole numbers kept as eight bytes). zlib at its fastest level makes
two to four times less of it, for about 10 µs a kilobyte, and undoes that for 2.
"""

import zlib

WORTH = 1024
"""Bytes from which on a piece is compressed."""
MOST = 64_000_000
"""Bytes that a piece unpacks to at most: a damaged one must not take the worker's memory."""
_LEVEL = 1


def worth(piece: bytes) -> bool:
    """Whether a piece is kept compressed."""
    return len(piece) >= WORTH


def packed(piece: bytes) -> bytes:
    """What `unpacked` takes."""
    return zlib.compress(piece, _LEVEL)


def unpacked(piece: bytes, most: int = MOST) -> bytes:
    """The piece that was packed, of at most so many bytes.

    Raises:
        zlib.error: it is none, or too large.
    """
    unpacking = zlib.decompressobj()
    whole = unpacking.decompress(piece, most)
    if not unpacking.eof:
        raise zlib.error(f"it is cut off, or larger than {most} bytes")
    return whole
