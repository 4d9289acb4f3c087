"""What is told of again and again becomes normal after a day, if most of what came was high."""

import pytest

from detectors.lasting import ADOPTED_S, FEWEST, GAP_S, LONGEST_TOLD_S, TOLD_S, Lasting


def told(*times, high=1, low=0):
    """Told of at these times, a break after each; between two so many amounts that are high, or as usual."""
    lasting = Lasting()
    for at in times:
        lasting.hears(at)
        for amount in [1.6] * high + [1.4] * low:
            lasting.learns(amount, 1.0)
        lasting.rests(at + TOLD_S)
    return lasting


@pytest.mark.parametrize(
    ("times", "normal"),
    [
        ([ADOPTED_S * part / FEWEST for part in range(FEWEST + 1)], True),
        ([ADOPTED_S * part / FEWEST for part in range(FEWEST)], False),
        ([GAP_S * part for part in range(FEWEST)], True),
        ([(GAP_S + 1) * part for part in range(3 * FEWEST)], False),
    ],
)
def test_what_came_often_enough_for_a_day_without_a_long_gap_is_normal(times, normal):
    assert told(*times).is_normal(times[-1]) is normal


def test_what_recurs_and_is_rare_is_never_normal():
    times = [GAP_S / 2 * part for part in range(40)]
    assert told(*times, high=1, low=1).is_normal(times[-1])
    assert not told(*times, high=1, low=2).is_normal(times[-1])


def test_what_goes_on_without_a_break_is_normal_after_a_day():
    lasting = Lasting()
    lasting.hears(100.0)
    lasting.rests(100.0 + TOLD_S - 1)
    assert not lasting.is_normal(ADOPTED_S + 99)
    assert lasting.is_normal(ADOPTED_S + 100)
    lasting.rests(100.0 + TOLD_S)
    assert not lasting.is_normal(2 * ADOPTED_S)


def test_before_anything_is_told_nothing_is_learnt():
    lasting = Lasting()
    lasting.learns(9.0, 1.0)
    assert (lasting.count, lasting.high, lasting.is_normal(1e9)) == (0, 0, False)


def test_what_comes_again_and_again_is_told_on_for_thrice_its_spacing():
    assert told(0.0, 600.0).told_s == TOLD_S
    assert told(0.0, 10.0, 20.0).told_s == TOLD_S
    assert told(0.0, 900.0, 1200.0).told_s == 1800.0
    assert told(0.0, GAP_S, 2 * GAP_S).told_s == LONGEST_TOLD_S
