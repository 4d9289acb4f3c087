"""River's ADWIN, kept as exact bytes."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.adaptive_window import AdaptiveWindows

VALUES = st.lists(st.floats(0, 1), max_size=300)


@given(VALUES, VALUES)
def test_a_restored_window_is_the_same_to_the_byte_and_goes_on_the_same(before, after):
    windows = AdaptiveWindows(0.1, 2)
    for value in before:
        windows.update((value, 1 - value))
    restored = AdaptiveWindows(0.1, 2, windows.save())
    assert restored.save() == windows.save()
    for value in after:
        assert restored.update((value, 1 - value)) == windows.update((value, 1 - value))
    assert restored.save() == windows.save()


def test_the_window_that_changed_is_named():
    windows = AdaptiveWindows(0.1, 2)
    for at in range(200):
        assert windows.update((at % 2, at % 2)) == []
    found = [changed for at in range(60) for changed in windows.update((at % 2, 1.0))]
    assert set(found) == {1}
