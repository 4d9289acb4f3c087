"""What holds of the state of every detector: restarts at any point change nothing, and nothing fills it."""

from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.bank import Bank
from detectors.settings import Settings
from schemas.record import Record
from tests.detectors.conformance import (
    KINDS,
    LARGEST,
    Run,
    events,
    every_detector,
    fresh,
    watch_of,
    whole,
)
from tests.detectors.hostile_events import hostile

LEAST_LEAK = 0.5
"""Bytes an event: what grows more slowly in the last third of an endless stream fluctuates, …"""
SLACK = 0.1
"""… as does what grows less than this share of the whole, or with the logarithm of the stream's length."""
MOVING = 50_000
"""Bytes that the moving state of an agent may have at an ordinary load, all detectors together."""
ORDINARY = {
    "approvals": 8_000,
    "cost": 5_000,
    "dependency": 12_000,
    "error_rate": 10_000,
    "input_shift": 60_000,
    "isolation": 13_000,
    "latency": 16_000,
    "quality": 13_000,
    "rollout": 26_000,
    "session": 4_000,
    "silence": 1_500,
    "telemetry": 4_000,
}
few = settings(max_examples=max(3, settings.default.max_examples // 10))
places = st.lists(st.floats(0, 1), min_size=1, max_size=4)


def cut(stream, shares):
    """Pieces of a stream, broken at these shares of it."""
    borders = [0, *sorted(int(share * len(stream)) for share in shares), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(borders)]


@every_detector
@few
@given(shares=places)
def test_restarts_at_any_point_change_nothing(name, shares):
    kind, broken = KINDS[name], Run(fresh(name))
    for piece in cut(events(name, "positive"), shares):
        broken.feed(piece)
        state = broken.detector.save()
        broken.detector = kind.load(watch_of(name), {}, state, kind.version)
        assert broken.detector.save() == state
    assert broken.asked == whole(name).asked
    assert broken.state == whole(name).state


def bank_of(name):
    return Bank(lambda _: Settings(agents=(watch_of(name),)), clock="events", kinds={name: KINDS[name]})


def played(bank, records):
    return [output for record in records for output in bank.apply(record)]


def moved(bank, name):
    """Another owner's bank, from what this one keeps."""
    heir = bank_of(name)
    heir.begin(())
    for agent in sorted(bank.unsaved()):
        heir.load(agent, bank.save(agent))
    heir.resume(bank.mark())
    return heir


@every_detector
@few
@given(shares=places)
def test_in_the_bank_it_says_the_same_whatever_the_pieces_that_the_log_comes_in(name, shares):
    records = [Record(at, b"", event=each) for at, each in enumerate(events(name, "positive"))]
    whole_bank, outputs = bank_of(name), []
    whole_bank.begin(())
    expected = played(whole_bank, records)
    bank = bank_of(name)
    bank.begin(())
    for piece in cut(records, shares):
        outputs += played(bank, piece)
        bank = moved(bank, name) if bank.unsaved() else bank
    assert outputs == expected
    assert any(each.stream == "causes" for each in expected)


@every_detector
def test_an_endless_stream_of_new_labels_fills_it_to_a_bound(name):
    run, stream = Run(fresh(name)), hostile(4000)
    sizes = []
    while chunk := list(islice(stream, 500)):
        run.feed(chunk)
        sizes.append(len(run.state))
    third = len(sizes) // 3
    growth = max(sizes[2 * third :]) - max(sizes[third : 2 * third])
    assert growth <= max(LEAST_LEAK * 500 * third, SLACK * max(sizes))
    assert max(sizes) <= LARGEST


@every_detector
def test_at_an_ordinary_load_it_keeps_to_its_share(name):
    assert len(whole(name).detector.save().body) <= ORDINARY[name]
