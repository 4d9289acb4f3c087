"""Plays streams to detectors as the bank would: for the laws that hold for every one of them.

A detector `name` has `streams_name.py` beside this file, with `stable()` and `positive()`: iterators of
events in order of time; when the trouble of the latter begins and how soon it is found, `TROUBLE_S` and
`FOUND_WITHIN_S`; and, if the default will not do, `WATCH`.
"""

import os
from collections import Counter
from functools import cache
from hashlib import blake2b
from importlib import import_module

import msgspec
import pytest

from detectors.detector import outlives, showing
from detectors.registry import discover
from detectors.settings import Watch
from tests.detectors.ordinary_events import ordinary

KINDS = discover()
GRID_S = 5.0
LARGEST = 600_000
"""Bytes that a detector's whole state may have for one agent."""
QUIET = 1_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 100_000
every_detector = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in KINDS]
)
"""A law. Those of one detector run in one process: what one of them worked out serves the others."""
at_length = pytest.mark.no_cover
"""A law that shows so many events that it goes unmeasured: what it runs must be another's to cover."""


def streams(name):
    return import_module(f"tests.detectors.streams_{name}")


def watch_of(name):
    return getattr(streams(name), "WATCH", Watch())


def fresh(name):
    return KINDS[name](watch_of(name), {})


@cache
def events(name, which):
    return tuple(getattr(streams(name), which)())


class Run:
    """Shows events to a detector as the bank would: findings are asked for on a grid of event time.

    So they are when the detector wishes it, though no event comes, for as long as the bank would listen.
    """

    def __init__(self, detector):
        self.detector = detector
        self.now = 0.0
        self.grid = None
        self.asked = []
        self.first = None

    def feed(self, stream):
        for each in stream:
            self.now = max(self.now, each.time.timestamp())
            if self.grid is not None and self.now >= self.grid:
                self.ask(self.grid)
                self.wait(self.now)
            if self.grid is None or self.now >= self.grid:
                self.grid = self.now // GRID_S * GRID_S + GRID_S
            if each.type in self.detector.watches:
                self.show(each)
        return self

    def show(self, event):
        """One event, now."""
        self.detector.observe(event, self.now)

    def ask(self, at):
        """What holds now, and the first time at which anything did."""
        self.asked.append(self.told(at))
        if self.first is None and self.asked[-1]:
            self.first = at

    def told(self, at):
        """What holds, in words."""
        return [each.told() for each in self.detector.findings(at)]

    def wait(self, until):
        """Nothing comes until then."""
        at, deaf = self.grid, self.grid + outlives(self.detector)
        while (wish := self.detector.wake_at) is not None:
            at = max(at + GRID_S, -(-wish // GRID_S) * GRID_S)
            if at > min(until, deaf):
                break
            self.ask(at)

    @property
    def state(self):
        return msgspec.msgpack.encode(self.detector.save())

    @property
    def found(self):
        return [finding for found in self.asked for finding in found]


class Together(Run):
    """Shows events together, as many as there are before something is asked."""

    def __init__(self, detector):
        super().__init__(detector)
        self.waiting = []

    def show(self, event):
        self.waiting.append((event, self.now))

    def ask(self, at):
        self.shown()
        super().ask(at)

    def shown(self):
        """Shows what waits."""
        showing(self.detector)(iter(self.waiting))
        self.waiting.clear()
        return self


@cache
def whole(name):
    """A detector's positive stream from end to end, for tests that only look."""
    return Run(fresh(name)).feed(events(name, "positive"))


@cache
def quiet(name):
    """A detector that was shown an ordinary agent, in which nothing happens: 10⁵ events, by night 10⁶."""
    return Run(fresh(name)).feed(ordinary(QUIET))


def digest(name):
    """Of everything a detector says and keeps on its positive stream."""
    run = whole(name)
    return blake2b(msgspec.msgpack.encode(run.found) + run.state, digest_size=16).hexdigest()


def openings(run):
    """What began to hold, as often as it did."""
    began, before = Counter(), frozenset()
    for found in run.asked:
        holding = frozenset((each.finding, tuple(sorted(each.labels.items()))) for each in found)
        began.update(holding - before)
        before = holding
    return began
