"""River's ADWIN, kept as exact bytes."""

from collections import deque

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs.adaptive_window import AdaptiveWindows, _restore

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


def damaged(at):
    """Two windows, of which one has an impossible number there."""
    windows = AdaptiveWindows(0.1, 2)
    for _ in range(100):
        windows.update((0.5, 0.5))
    whole, other = msgspec.msgpack.decode(windows.save())
    return msgspec.msgpack.encode([whole[:at] + b"\xff" * 8 + whole[at + 8 :], other])


@pytest.mark.parametrize("saved", [damaged(80), b"\x92\xc4\x00\xc4\x00", b"\x91\xc4\x00"])
def test_windows_that_cannot_be_read_are_refused(saved):
    with pytest.raises(ValueError):
        AdaptiveWindows(0.1, 2, saved)


def test_windows_that_turn_out_to_be_damaged_begin_anew_and_say_so_once():
    windows = AdaptiveWindows(0.1, 2, damaged(96))
    values = iter([(0.5, 0.5)] * 64)
    with pytest.raises(ValueError, match="windows were damaged, and begin anew: index out of bounds"):
        deque(map(windows.update, values), maxlen=0)
    assert windows.save() == AdaptiveWindows(0.1, 2).save()
    assert windows.update((0.5, 0.5)) == []


def test_what_is_no_damage_of_windows_is_raised_as_it_is():
    windows = AdaptiveWindows(0.1, 1)
    windows.update((0.5,))
    before = windows.save()
    with pytest.raises(TypeError):
        windows.update(("high",))
    with pytest.raises(TypeError):
        _restore(windows._windows[0], "no bytes")
    assert windows.save() == before
