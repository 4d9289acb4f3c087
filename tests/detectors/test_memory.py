"""Which ids an agent's memory knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.memory import FORGOTTEN_AT_ONCE, IDS_FOR_S, MOST_IDS, Identities


def test_an_id_repeats_only_with_its_source():
    ids = Identities()
    assert not ids.repeats("a", "1")
    assert not ids.repeats("b", "1")
    assert not ids.repeats("a1", "")
    assert ids.repeats("a", "1")


def test_the_last_4096_ids_are_known_and_of_older_ones_256_at_most():
    ids = Identities()
    for n in range(MOST_IDS + FORGOTTEN_AT_ONCE - 1):
        assert not ids.repeats("s", str(n))
    assert ids.repeats("s", "0")
    assert not ids.repeats("s", "one more")
    assert not ids.repeats("s", "0")
    assert ids.repeats("s", str(FORGOTTEN_AT_ONCE))


def test_ids_are_forgotten_after_ten_minutes():
    ids = Identities()
    ids.repeats("s", "early")
    ids.age(100.0)
    ids.repeats("s", "late")
    ids.age(101.0)
    ids.age(100.0 + IDS_FOR_S)
    assert ids.repeats("s", "early")
    ids.age(100.5 + IDS_FOR_S)
    assert not ids.repeats("s", "early")
    assert ids.repeats("s", "late")


def test_the_cap_takes_from_the_oldest_minute():
    ids = Identities()
    for n in range(MOST_IDS + FORGOTTEN_AT_ONCE):
        ids.repeats("s", str(n))
        if n in {0, 2, FORGOTTEN_AT_ONCE}:
            ids.age(float(n))
    digests, ages = ids.saved()
    assert len(digests) == 8 * MOST_IDS
    assert ages == [(256.0, 1)]
    ids.age(300.0 + IDS_FOR_S)
    assert not ids.repeats("s", str(FORGOTTEN_AT_ONCE))
    assert not ids.repeats("s", "0")


@given(st.lists(st.one_of(st.integers(0, 40), st.floats(0, 2000)), max_size=60), st.integers(0, 60))
def test_what_was_saved_and_restored_goes_on_as_if_nothing_had_happened(steps, cut):
    whole, broken = Identities(), Identities()
    now = 0.0
    for at, step in enumerate(steps):
        if at == cut:
            broken = Identities(*broken.saved())
        if isinstance(step, int):
            assert whole.repeats("s", str(step)) == broken.repeats("s", str(step))
        else:
            now += step
            whole.age(now)
            broken.age(now)
    assert whole.saved() == broken.saved()


@pytest.mark.parametrize(
    ("hashes", "ages"), [(b"seven by", [(1.0, 2)]), (b"seven b", []), (b"seven by", [(1.0, -1), (2.0, 2)])]
)
def test_ids_that_are_not_those_of_their_ages_are_refused(hashes, ages):
    with pytest.raises(ValueError):
        Identities(hashes, ages)
