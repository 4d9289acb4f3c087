"""The history of a signal as a small picture: a PNG, drawn point by point and packed with nothing but zlib.

Values, oldest at the left, as an area with a line on top; the baseline is dashed; the highest and the lowest
value of the axis stand at its ends. The same signal always gives the same points.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from typing import Literal
from zlib import compress, crc32

from routing.words.wording import number, percent
from schemas.signal import DRILL, DRILL_HEAD, Signal

WIDTH = 360
HEIGHT = 90
LEFT = 60
MARGIN = 8
MOST = 120
"""Values that are drawn: the last ones."""
FEWEST = 2
DASH = 4
PAPER, AXIS, AREA, LINE, BASELINE, INK = range(6)
Mood = Literal["alarm", "calm"]
COLOURS: dict[Mood, tuple[int, ...]] = {
    "alarm": (0xFFFFFF, 0xD5D9DE, 0xF8C9C4, 0xC62828, 0x1565C0, 0x4A5058),
    "calm": (0xFFFFFF, 0xD5D9DE, 0xC8E6C9, 0x2E7D32, 0x1565C0, 0x4A5058),
}
# Five rows of three points each; a row is an octal digit, its highest bit at the left.
GLYPHS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757",
    "7": "71222", "8": "75757", "9": "75717", ".": "00002", ",": "00024", "-": "00700", "%": "51245",
}  # fmt: skip
SCALE = 2
LEVEL = 6
"""Of zlib: 9 takes five times as long for 80 bytes."""
Columns = list[bytearray]
"""Points by column, each the index of its colour: most of what is drawn is upright."""


def chart(signal: Signal, mood: Mood) -> bytes:
    """The picture, or nothing where fewer than two values are known."""
    values = signal.history[-MOST:]
    known = [value for value in values if isfinite(value)]
    if len(known) < FEWEST:
        return b""
    baseline = signal.baseline if signal.baseline is not None and isfinite(signal.baseline) else None
    ends = known if baseline is None else [*known, baseline]
    low, high = min(0.0, *ends), max(0.0, *ends)
    columns = [bytearray(HEIGHT) for _ in range(WIDTH)]
    _axes(columns, [_short(each, signal.unit) for each in (high, low)])
    heights = [_y(value, low, high) if isfinite(value) else None for value in values]
    _area(columns, heights, _y(0.0, low, high))
    if baseline is not None:
        _dashes(columns, _y(baseline, low, high))
    return _packed(columns, COLOURS[mood])


def caption(signal: Signal) -> str:
    """What a picture shows, for who cannot see it."""
    drill = DRILL_HEAD if DRILL in signal.labels else ""
    return (
        f"{drill}the last {min(len(signal.history), MOST)} minutes of what was observed; dashed: the baseline"
    )


def _short(value: float, unit: str) -> str:
    return (percent(value) if unit == "share" else number(value)).replace(" ", "")[:7]


def _y(value: float, low: float, high: float) -> int:
    """The row of a value. Halved first: the difference of two huge numbers would overflow."""
    spread = high / 2 - low / 2 or 1.0
    share = (value / 2 - low / 2) / spread
    return round((HEIGHT - 1 - MARGIN) - share * (HEIGHT - 1 - 2 * MARGIN))


def _axes(columns: Columns, ends: Sequence[str]) -> None:
    for column in columns[LEFT:]:
        for row in (MARGIN, HEIGHT // 2, HEIGHT - 1 - MARGIN):
            column[row] = AXIS
    for text, top in zip(ends, (MARGIN - 4, HEIGHT - MARGIN - 7), strict=True):
        for at, letter in enumerate(text):
            _glyph(columns, letter, LEFT - 4 - (len(text) - at) * 4 * SCALE, top)


def _glyph(columns: Columns, letter: str, left: int, top: int) -> None:
    """A letter; one that is not known leaves a gap."""
    for down, octal in enumerate(GLYPHS.get(letter, "")):
        for along in range(3):
            if int(octal) >> (2 - along) & 1:
                x, y = left + along * SCALE, top + down * SCALE
                for column in columns[x : x + SCALE]:
                    column[y : y + SCALE] = bytes([INK]) * SCALE


def _area(columns: Columns, heights: Sequence[int | None], ground: int) -> None:
    """Between neighbours that are both known, a straight line; beneath it the area down to zero."""
    step = (WIDTH - 1 - LEFT) / (len(heights) - 1)
    line: list[tuple[int, int, int]] = []
    for at, (before, after) in enumerate(pairwise(heights)):
        first, last = round(LEFT + at * step), round(LEFT + (at + 1) * step)
        if before is None or after is None:
            line += [(x - 1, y, y) for x, y in ((first, before), (last, after)) if y is not None]
            line += [(x, y, y) for x, y in ((first, before), (last, after)) if y is not None]
            continue
        y = before
        for x in range(first, last + 1):
            then, y = y, round(before + (after - before) * (x - first) / max(last - first, 1))
            _fill(columns[x], min(y, ground), max(y, ground), AREA)
            line.append((x, min(then, y), max(then, y)))
    for x, top, bottom in line:
        _fill(columns[x], max(top - 1, 0), bottom, LINE)


def _fill(column: bytearray, top: int, bottom: int, colour: int) -> None:
    column[top : bottom + 1] = bytes([colour]) * (bottom + 1 - top)


def _dashes(columns: Columns, height: int) -> None:
    for x in range(LEFT, WIDTH):
        if x // DASH % 2:
            columns[x][height] = BASELINE


def _packed(columns: Columns, colours: Sequence[int]) -> bytes:
    """PNG with a palette (ISO/IEC 15948): header, palette, one compressed image, end."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    palette = b"".join(colour.to_bytes(3, "big") for colour in colours)
    # Before each row stands its filter: none.
    image = compress(b"".join(b"\x00" + bytes(row) for row in zip(*columns, strict=True)), LEVEL)
    pieces = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", image), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_piece(kind, data) for kind, data in pieces)


def _piece(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))
