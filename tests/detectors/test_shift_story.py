"""What is told of a shift: which way it goes, and for whom."""

from array import array

from detectors.inputs.holding import Hold
from detectors.inputs.indicators import Indicators
from detectors.inputs.ranked import Ranked
from detectors.inputs.recent_inputs import RecentInputs
from detectors.inputs.shift_story import story

LENGTH = Ranked("length", array("d", range(100)), ("rank", "spread"), unit="characters per input")
URLS = Indicators("structure", ("addresses",), (0.0,), 100)


def told(raws, channel=0, kind=LENGTH, level=0.9, onset=0.0):
    recent = RecentInputs("f", 1, 1000)
    for at, raw in enumerate(raws):
        recent.append(float(at), (at // 2 + 1, 0, 7), (raw,))
    return story((kind,), Hold(0.0, onset, 0, channel, level, 8), recent)


def test_it_rises_falls_or_is_steady():
    ramp = list(range(0, 200, 5))
    assert told(ramp).trend == "rising"
    assert told(ramp[::-1]).trend == "falling"
    assert told([10, 90] * 20).trend == "steady"
    assert told([10, 90, 80]).trend == ""


def test_only_the_inputs_since_the_onset_count():
    found = told([50] * 10 + [200] * 10, onset=10.0)
    assert found.observed == 200
    assert found.told.usual == 49.5
    assert found.ratio == 200 / 49.5
    assert (found.blast.sessions, found.blast.users, found.blast.tenants) == (5, 0, 1)
    assert found.blast.share == 1
    assert not found.blast.capped


def test_an_onset_before_the_table_is_at_least():
    assert told([200] * 10, onset=-5.0).blast.capped


def test_an_onset_after_the_last_input_tells_of_the_last():
    assert told([50, 60], onset=100.0).observed == 60


def test_values_that_spread_are_told_as_the_share_far_out():
    found = told([0, 99, 50, 50], channel=1)
    assert found.told.unit == "share of inputs"
    assert found.observed == 0.5
    assert 0.05 < found.told.usual < 0.15


def test_what_never_occurred_has_no_ratio():
    found = told([1, 0, 1, 0], kind=URLS, level=0.5)
    assert found.ratio is None
    assert (found.observed, found.blast.share, found.told.what) == (0.5, 0.5, "addresses")
