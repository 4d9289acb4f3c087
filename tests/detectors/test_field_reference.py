"""What a field looked like: numbers thinned without a trend, categories by how often a value may be new."""

from array import array

import pytest

from detectors.inputs.category_cells import MOST_VALUES, NEW, OTHER, RARE, Places
from detectors.inputs.cell_evidence import CellEvidence
from detectors.inputs.feature_watch import MOST_FIELDS, FeatureWatch
from detectors.inputs.field_reference import FieldLearning, cells_of
from detectors.inputs.number_cells import cell_of, number_cells


def learnt(values, room=500):
    learning = FieldLearning()
    for value in values:
        learning.take(value, room)
    return learning.fixed()


def shares(values):
    category = learnt(values).category
    return dict(zip(category.labels, category.seen, strict=True))


def test_many_numbers_are_thinned_and_keep_their_distribution():
    fixed = learnt((float(at * 7919 % 4000) for at in range(4000)), room=1000)
    table = array("f", fixed.table)
    assert 500 <= fixed.size <= 1000
    assert table[len(table) // 2] == pytest.approx(2000, rel=0.15)


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 8, 16, 24, 60, 64])
@pytest.mark.parametrize("room", [100, 500])
def test_numbers_with_a_period_keep_their_distribution(period, room):
    table = array("f", learnt((float(at % period) for at in range(4000)), room).table)
    assert sum(table) / len(table) == pytest.approx((period - 1) / 2, abs=period / 12)
    assert set(table) == set(map(float, range(period))) or room < 8 * period


def test_numbers_that_alternate_are_no_shift_where_many_fields_share_the_room():
    watch, held = FeatureWatch(2000, 8000.0), 0
    names = [f"x{each}" for each in range(24)]
    for at in range(5000):
        watch.take({name: float((at + each) % 2) for each, name in enumerate(names)}, (0, 0, 0), at * 60.0)
        held += any(field.hold for _, field in watch.fields())
    assert held == 0


def test_a_reference_that_is_restored_goes_on_the_same():
    one = FieldLearning()
    for at in range(150):
        one.take(at if at % 3 else f"v{at % 7}", 20)
    other = FieldLearning(one.save())
    for each in (one, other):
        each.take(5.0, 20)
    assert other.save() == one.save()


def test_too_few_values_are_no_reference():
    assert learnt(["x"] * 49) is None
    assert learnt([1.0] * 50).category is None


def test_a_value_that_came_once_tells_how_often_one_is_new():
    found = shares([*["a"] * 900, *["b"] * 90, *(f"once {at}" for at in range(10))])
    assert found == {"a": 0.9, "b": 0.09, OTHER: 0.0, RARE: 0.0, NEW: 0.01}


def test_values_beyond_those_remembered_are_new_ones():
    found = shares([f"{at}" for at in range(MOST_VALUES)] + ["0", "more"] * 500)
    assert found[NEW] == pytest.approx(0.5, abs=0.01)
    assert found["0"] == pytest.approx(501 / 756 * 0.5, abs=0.01)


def test_of_many_values_alike_none_is_watched_by_itself():
    assert set(shares([f"v{at % 40}" for at in range(400)])) == {OTHER, RARE, NEW}
    assert len(shares([f"v{at % 16}" for at in range(400)])) == 16 + 3


def test_a_value_falls_into_its_cell_by_how_often_it_came():
    category = learnt([*["a"] * 90, *["b"] * 4, "c"]).category
    places = Places(category)
    cells = {name: category.labels[places.of(name)] for name in ("a", "b", "c", "d")}
    assert cells == {"a": "a", "b": RARE, "c": RARE, "d": NEW}


@pytest.mark.parametrize(
    "values",
    [
        [float(at) for at in range(2000)],
        [5.0] * 2000,
        [float(at % 3) for at in range(2000)],
        [float(at) for at in range(300)],
    ],
)
def test_over_the_reference_no_e_value_is_above_one_on_average(values):
    evidence = CellEvidence(number_cells(sorted(values), len(values)))
    table = sorted(values)
    mean = sum(evidence._gains[cell_of(value, table)] for value in values) / len(values)
    assert mean.max() <= 1.0


def test_cells_of_a_category_are_all_possible():
    cells = cells_of(learnt(["a"] * 100))
    assert min(cells.usual) > 0
    assert sum(cells.usual) == pytest.approx(1)


def test_fields_beyond_the_first_or_of_the_second_half_alone_are_not_watched():
    watch = FeatureWatch(100, 8000.0)
    for at in range(100):
        late = {"late": 1.0} if at >= 50 else {}
        watch.take({f"x{each}": float(at) for each in range(MOST_FIELDS + 3)} | late, (0, 0, 0), at * 259.0)
    names = [name for name, _ in watch.fields()]
    assert len(names) == MOST_FIELDS
    assert "late" not in names
    assert f"x{MOST_FIELDS}" not in names
