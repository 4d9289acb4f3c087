"""What holds of the state of every detector: restarts at any point change nothing, and nothing fills it."""

from functools import cache
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
    quiet,
    watch_of,
    whole,
)
from tests.detectors.hostile_events import hostile

LEAST_LEAK = 0.5
"""Bytes an event: what grows more slowly in the last third of an endless stream fluctuates, …"""
SLACK = 0.1
"""… as does what grows less than this share of the whole, or with the logarithm of the stream's length."""
SHARES = {
    "approvals": (14_000, 1_000),
    "cost": (4_000, 30_000),
    "dependency": (28_000, 70_000),
    "error_rate": (19_000, 60_000),
    "input_shift": (40_000, 140_000),
    "isolation": (13_000, 28_000),
    "latency": (24_000, 1_000),
    "quality": (11_000, 6_000),
    "rollout": (1_000, 1_000),
    "session": (2_000, 12_000),
    "silence": (1_500, 1_000),
    "telemetry": (2_500, 2_000),
}
"""Bytes that the moving state may have: of an ordinary agent, and of one whose labels never end."""
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
    bank = Bank(lambda _: Settings(agents=(watch_of(name),)), clock="events", kinds={name: KINDS[name]})
    bank.begin(())
    return bank


@cache
def records_of(name):
    return [Record(at, b"", event=each) for at, each in enumerate(events(name, "positive"))]


@cache
def in_one_piece(name):
    return played(bank_of(name), records_of(name))


def played(bank, records):
    return [output for record in records for output in bank.apply(record)]


def moved(bank, name):
    """Another owner's bank, from what this one keeps."""
    heir = bank_of(name)
    for agent in sorted(bank.unsaved()):
        heir.load(agent, bank.save(agent))
    heir.resume(bank.mark())
    return heir


@every_detector
@few
@given(shares=places)
def test_in_the_bank_it_says_the_same_whatever_the_pieces_that_the_log_comes_in(name, shares):
    bank, outputs, expected = bank_of(name), [], in_one_piece(name)
    for piece in cut(records_of(name), shares):
        outputs += played(bank, piece)
        bank = moved(bank, name) if bank.unsaved() else bank
    assert outputs == expected
    assert any(each.stream == "causes" for each in expected)


class Endless(Run):
    """A detector that is shown new labels without end, and how large its state was on the way."""

    def __init__(self, detector):
        super().__init__(detector)
        stream, self.sizes = hostile(4000), []
        while chunk := list(islice(stream, 500)):
            self.feed(chunk)
            self.sizes.append(len(self.state))


@cache
def endless(name):
    return Endless(fresh(name))


@every_detector
def test_an_endless_stream_of_new_labels_fills_it_to_a_bound(name):
    sizes = endless(name).sizes
    third = len(sizes) // 3
    growth = max(sizes[2 * third :]) - max(sizes[third : 2 * third])
    assert growth <= max(LEAST_LEAK * 500 * third, SLACK * max(sizes))
    assert max(sizes) <= LARGEST


@every_detector
def test_it_keeps_to_its_share_of_an_agents_state(name):
    ordinary_load, endless_labels = SHARES[name]
    assert len(quiet(name).detector.save().body) <= ordinary_load
    assert len(endless(name).detector.save().body) <= endless_labels
