"""What holds of the state of every detector: restarts at any point change nothing, and nothing fills it."""

from functools import cache
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.bank import Bank
from detectors.settings import Settings
from schemas.record import Record
from schemas.wire import decode_cause, encode
from tests.detectors.conformance import (
    KINDS,
    LARGEST,
    Run,
    at_length,
    events,
    every_detector,
    fresh,
    quiet,
    watch_of,
)
from tests.detectors.failing_events import failing
from tests.detectors.hostile_events import hostile

LEAST_LEAK = 0.5
"""Bytes an event: what grows more slowly in the last third of an endless stream fluctuates, …"""
SLACK = 0.12
"""… as does what grows less than this share of the whole, or with the logarithm of the stream's length."""
SHARES = {
    "approvals": (8_500, 1_000),
    "cost": (4_000, 28_000),
    "dependency": (14_500, 55_000),
    "error_rate": (8_000, 55_000),
    "input_shift": (20_000, 110_000),
    "isolation": (7_000, 26_000),
    "latency": (11_000, 1_000),
    "quality": (4_000, 5_500),
    "rollout": (500, 500),
    "session": (2_000, 10_500),
    "silence": (1_000, 1_000),
    "telemetry": (1_000, 1_500),
    "traffic": (3_000, 5_000),
}
"""Bytes that the moving state may have: of an ordinary agent, and of one whose labels never end."""
few = settings(max_examples=max(3, settings.default.max_examples // 20))
fewer = settings(max_examples=max(2, settings.default.max_examples // 40))
places = st.lists(st.floats(0, 1) | st.floats(0, 0.02), max_size=4)
"""Shares of a stream; many of them before much of it is known."""
on_every_stream = pytest.mark.parametrize("which", ["positive", "failing"])


def disturbed(stream, restarts, saves):
    """Pieces of a stream, broken at these shares of it; and whether there is a restart after each."""
    borders = sorted([*((share, True) for share in restarts), *((share, False) for share in saves)])
    borders = [(0, False), *((int(share * len(stream)), restarted) for share, restarted in borders)]
    whole = [*borders, (len(stream), False)]
    return [(stream[begin:end], restarted) for (begin, _), (end, restarted) in pairwise(whole)]


@cache
def stream_of(name, which):
    return events(name, "positive") if which == "positive" else tuple(failing())


@cache
def undisturbed(name, which):
    return Run(fresh(name)).feed(stream_of(name, which))


@at_length
@every_detector
@on_every_stream
@few
@given(restarts=places, saves=places)
def test_saving_and_restarting_at_any_points_change_not_a_byte(name, which, restarts, saves):
    kind, broken, watch = KINDS[name], Run(fresh(name)), watch_of(name)
    for piece, restarted in disturbed(stream_of(name, which), restarts, saves):
        broken.feed(piece)
        state = broken.detector.save()
        if restarted:
            broken.detector = kind.load(watch, {}, state, kind.version)
        assert broken.detector.save() == state
    assert broken.asked == undisturbed(name, which).asked
    assert broken.state == undisturbed(name, which).state


@at_length
@every_detector
def test_being_saved_after_every_event_changes_not_a_byte(name):
    """Each shorter stream is the beginning of the longest: one that is saved often passes all their ends."""
    often, shown = Run(fresh(name)), 0
    for sessions in (15, 60, 90, 120):
        stream = list(failing(sessions))
        for each in stream[shown:]:
            often.feed([each])
            often.detector.save()
        shown = len(stream)
        never = Run(fresh(name)).feed(stream)
        assert often.asked == never.asked
        assert often.state == never.state


class Hosted:
    """A bank of these detectors as its host has it: what it said, and what is kept of its agents."""

    def __init__(self, names):
        self.names, self.said, self.kept = names, [], {}
        self.bank = self._fresh()
        self.bank.begin(())

    def _fresh(self):
        settings = Settings(agents=(watch_of(self.names[0]),)) if len(self.names) == 1 else Settings()
        return Bank(lambda _: settings, clock="events", kinds={name: KINDS[name] for name in self.names})

    def take(self, records):
        for record in records:
            self.said += self.bank.apply(record)

    def save(self):
        self.kept |= {agent: self.bank.save(agent) for agent in sorted(self.bank.unsaved())}

    def restart(self):
        """Another owner continues from what is kept."""
        mark, self.bank = self.bank.mark(), self._fresh()
        for agent, saved in self.kept.items():
            self.bank.load(agent, saved)
        self.bank.resume(mark)

    @property
    def told(self):
        """The bytes of what it said: 0 and 0.0 are equal, their bytes are not."""
        return [encode(each.value) for each in self.said]

    @property
    def state(self):
        """All that is kept in the end, but for the offsets up to which it is."""
        self.save()
        return {agent: (saved.body, saved.parts) for agent, saved in self.kept.items()}, self.bank.mark()

    @property
    def whole(self):
        """What two hosts have in common who saw the same."""
        return self.said, self.told, self.state


def records_of(stream):
    return [Record(at, b"", event=each) for at, each in enumerate(stream)]


@cache
def hosted(names, which):
    whole = Hosted(names)
    whole.take(records_of(stream_of(names[0], which)))
    return whole.whole


def host_disturbed(names, which, restarts, saves):
    broken = Hosted(names)
    for piece, restarted in disturbed(records_of(stream_of(names[0], which)), restarts, saves):
        broken.take(piece)
        broken.save()
        if restarted and broken.kept:
            broken.restart()
    return broken.whole


@at_length
@every_detector
@on_every_stream
@few
@given(restarts=places, saves=places)
def test_in_the_bank_it_says_and_keeps_the_same_whenever_it_is_saved_or_moved(name, which, restarts, saves):
    assert host_disturbed((name,), which, restarts, saves) == hosted((name,), which)


@at_length
@fewer
@given(restarts=places, saves=places)
def test_so_do_all_detectors_together(restarts, saves):
    assert host_disturbed(tuple(KINDS), "failing", restarts, saves) == hosted(tuple(KINDS), "failing")


@at_length
def test_so_does_a_host_that_saves_after_every_record():
    often = Hosted(tuple(KINDS))
    for each in records_of(failing(120)):
        often.take([each])
        often.save()
    seldom = Hosted(tuple(KINDS))
    seldom.take(records_of(failing(120)))
    assert often.whole == seldom.whole


@at_length
@every_detector
def test_the_bank_tells_of_its_positive_stream_what_is_read_back_as_it_was_told(name):
    said, told, _ = hosted((name,), "positive")
    causes = [each for output, each in zip(said, told, strict=True) if output.stream == "causes"]
    assert causes
    assert [encode(decode_cause(each)) for each in causes] == causes


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


@at_length
@every_detector
def test_an_endless_stream_of_new_labels_fills_it_to_a_bound(name):
    sizes = endless(name).sizes
    third = len(sizes) // 3
    growth = max(sizes[2 * third :]) - max(sizes[third : 2 * third])
    assert growth <= max(LEAST_LEAK * 500 * third, SLACK * max(sizes))
    assert max(sizes) <= LARGEST


@at_length
@every_detector
def test_it_keeps_to_its_share_of_an_agents_state(name):
    ordinary_load, endless_labels = SHARES[name]
    assert len(quiet(name).detector.save().body) <= ordinary_load
    assert len(endless(name).detector.save().body) <= endless_labels
