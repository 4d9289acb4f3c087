"""What is told of again and again becomes normal after a day."""

import pytest

from detectors.lasting import ADOPTED_S, FEWEST, GAP_S, LONGEST_TOLD_S, TOLD_S, Lasting


def told(*times):
    lasting = Lasting()
    for at in times:
        lasting.hears(at)
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
    assert told(*times).is_normal is normal


def test_what_comes_again_and_again_is_told_on_for_thrice_its_spacing():
    assert told(0.0, 600.0).told_s == TOLD_S
    assert told(0.0, 10.0, 20.0).told_s == TOLD_S
    assert told(0.0, 900.0, 1200.0).told_s == 1800.0
    assert told(0.0, GAP_S, 2 * GAP_S).told_s == LONGEST_TOLD_S
