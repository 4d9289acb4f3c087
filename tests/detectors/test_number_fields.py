"""Numbers that repeat are the same numbers in the reference and after it, whatever their digits."""

import random

import pytest

from detectors.inputs.feature_watch import FeatureWatch
from detectors.inputs.field_reference import number_of

REFERENCE = 2000
APART = 8000.0
TENTHS = [at / 10 for at in range(11)]
PRICES = [4.99, 9.99, 14.99, 19.95, 29.99, 49.9, 99.99]


def held(values, *, size=REFERENCE):
    """How many of the values came while a shift held."""
    watch, found = FeatureWatch(size, APART), 0
    for at, value in enumerate(values):
        watch.take({"x": value}, (at, 0, 0), at * 60.0)
        found += any(field.hold for _, field in watch.fields())
    return found


@pytest.mark.parametrize("given", [TENTHS, [0.1, 0.9], PRICES, [*TENTHS, *PRICES], [1e300, -1e300, 0.1]])
def test_decimal_numbers_that_repeat_are_no_shift(given):
    draw = random.Random(7)
    assert held(draw.choice(given) for _ in range(REFERENCE + 4000)) == 0


def test_decimal_numbers_that_move_are_one():
    draw = random.Random(7)
    before = [draw.choice(PRICES) for _ in range(REFERENCE + 500)]
    assert held([*before, *(draw.choice(PRICES[3:]) for _ in range(200))]) > 100


def test_a_number_too_large_for_32_bits_is_a_large_one():
    assert number_of(0.1) == pytest.approx(0.1)
    assert number_of(1e300) == -number_of(-1e300) == number_of(10**400) == pytest.approx(1e30)
    assert number_of(1e-300) == 0


def test_only_the_field_that_holds_ends_when_inputs_stay_away():
    draw = random.Random(7)
    watch = FeatureWatch(REFERENCE, APART)
    for at in range(REFERENCE + 700):
        moved = draw.choice(PRICES[3:] if at > REFERENCE + 500 else PRICES)
        watch.take({"x": moved, "y": draw.choice(TENTHS)}, (at, 0, 0), at * 60.0)
    assert [name for name, field in watch.fields() if field.hold] == ["x"]
    watch.end(1e9)
    assert not any(field.hold for _, field in watch.fields())
