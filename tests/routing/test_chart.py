"""The chart of a history: what is drawn, point by point."""

import struct
from random import Random
from zlib import crc32, decompress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from routing.words.chart import (
    AREA,
    BASELINE,
    COLOURS,
    FEWEST,
    GLYPHS,
    HEIGHT,
    INK,
    LEFT,
    LINE,
    MARGIN,
    MOST,
    WIDTH,
    caption,
    chart,
)
from tests.fakes import SIGNAL

BOTTOM = HEIGHT - 1 - MARGIN


def drawn(*values: float, mood="alarm", **changes) -> list[bytes]:
    """The rows of points, read back as any reader of PNG would."""
    picture = chart(replace(SIGNAL, **({"history": values, "baseline": None} | changes)), mood)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    pieces, at = {}, 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        kind, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length : at + 12 + length]) == (crc32(kind + data),)
        pieces[kind] = data
        at += 12 + length
    assert list(pieces) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert pieces[b"IHDR"] == struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    assert len(pieces[b"PLTE"]) == 3 * len(COLOURS["alarm"])
    raw = decompress(pieces[b"IDAT"])
    rows = [raw[n : n + WIDTH + 1] for n in range(0, len(raw), WIDTH + 1)]
    assert len(rows) == HEIGHT
    assert all(row[0] == 0 for row in rows)
    return [row[1:] for row in rows]


def column(rows, x: int) -> list[int]:
    return [row[x] for row in rows]


def test_a_rise_is_drawn_from_the_left_below_to_the_right_above():
    rows = drawn(0.0, 1.0)
    assert LINE in column(rows, LEFT)[BOTTOM - 1 :]
    assert LINE in column(rows, WIDTH - 1)[: MARGIN + 1]
    assert column(rows, WIDTH - 1)[MARGIN + 5 : BOTTOM] == [AREA] * (BOTTOM - MARGIN - 5)


def test_the_baseline_is_dashed():
    rows = drawn(1.0, 1.0, baseline=0.5)
    (dashed,) = [row for row in rows if BASELINE in row]
    assert 0 < dashed.count(BASELINE) < WIDTH


def test_what_is_below_zero_hangs_down_from_it():
    rows = drawn(-1.0, -1.0)
    assert column(rows, LEFT + 100)[MARGIN + 1 : BOTTOM - 2] == [AREA] * (BOTTOM - MARGIN - 3)


def test_a_value_that_is_not_known_is_a_gap_and_one_between_two_of_these_a_dot():
    nan = float("nan")
    rows = drawn(1.0, nan, 1.0, nan, 0.0)
    assert LINE not in column(rows, LEFT + (WIDTH - LEFT) // 8)
    middle = LEFT + round((WIDTH - 1 - LEFT) / 2)
    assert [row[middle] for row in rows].count(LINE) == 2


def test_fewer_than_two_values_make_no_picture():
    assert FEWEST == 2
    for values in ((), (1.0,), (float("nan"), 1.0, float("inf"))):
        assert chart(replace(SIGNAL, history=values), "alarm") == b""


def test_the_ends_of_the_axis_are_written_in_figures():
    rows = drawn(0.0, 8.0, unit="")
    top = [row[LEFT - 12 : LEFT - 4] for row in rows[MARGIN - 4 : MARGIN + 6 : 2]]
    seen = "".join(str(sum(4 >> n for n in range(3) if row[2 * n] == INK)) for row in top)
    assert seen == GLYPHS["8"]
    assert any(INK in row for row in drawn(0.0, 1e300, unit=""))


def test_the_same_signal_gives_the_same_bytes_and_a_calm_one_other_colours():
    assert chart(SIGNAL, "alarm") == chart(SIGNAL, "alarm") != chart(SIGNAL, "calm")
    assert drawn(1.0, 2.0) == drawn(1.0, 2.0, mood="calm")


def test_a_long_and_restless_history_stays_small():
    random = Random(7)
    signal = replace(SIGNAL, history=tuple(random.random() for _ in range(5 * MOST)))
    assert len(chart(signal, "alarm")) < 2_500
    assert f"the last {MOST} minutes" in caption(signal)
    assert "the last 6 minutes" in caption(SIGNAL)


@given(st.lists(st.floats(), max_size=40), st.floats() | st.none(), st.sampled_from(["share", "USD"]))
def test_no_numbers_stop_it(values, baseline, unit):
    picture = chart(replace(SIGNAL, history=tuple(values), baseline=baseline, unit=unit), "alarm")
    assert picture == b"" or picture.endswith(b"IEND\xaeB`\x82")


@pytest.mark.parametrize("values", [(5e-324, 0.0), (1.7e308, -1.7e308), (0.0, 0.0)])
def test_the_least_and_the_greatest_numbers_are_borne(values):
    assert len(drawn(*values, baseline=values[0])) == HEIGHT
