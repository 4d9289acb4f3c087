"""What holds for every detector there is: each is found by itself, with its own streams beside this file.

A detector `name` needs `streams_name.py` with `stable()` and `positive()`: iterators of events in order of
time, and, if the default will not do, `WATCH`.
"""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from hashlib import blake2b
from importlib import import_module
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from detectors.detector import Detector, outlives
from detectors.registry import discover
from detectors.settings import Watch
from schemas.event import EVENT_TYPES
from tests.detectors.agent_events import START_S, event

KINDS = discover()
GRID_S = 5.0
DAY_S = 86_400.0
LARGEST = 600_000
"""Bytes that a detector's whole state may have for one agent."""

LEAST_LEAK = 0.5
"""Bytes an event: what grows more slowly in the last third of an endless stream fluctuates, …"""
SLACK = 0.1
"""… as does what grows less than this share of the whole, or with the logarithm of the stream's length."""

every_detector = pytest.mark.parametrize("name", KINDS)


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

    def feed(self, stream):
        for each in stream:
            self.now = max(self.now, each.time.timestamp())
            if self.grid is not None and self.now >= self.grid:
                self.asked.append(self.told(self.grid))
                self.wait(self.now)
            if self.grid is None or self.now >= self.grid:
                self.grid = self.now // GRID_S * GRID_S + GRID_S
            if each.type in self.detector.watches:
                self.detector.observe(each, self.now)
        return self

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
            self.asked.append(self.told(at))

    @property
    def state(self):
        return msgspec.msgpack.encode(self.detector.save())

    @property
    def found(self):
        return [finding for found in self.asked for finding in found]


@cache
def whole(name):
    """A detector's positive stream from end to end, for tests that only look."""
    return Run(fresh(name)).feed(events(name, "positive"))


def digest(name):
    """Of everything a detector says and keeps on its positive stream."""
    run = whole(name)
    return blake2b(msgspec.msgpack.encode(run.found) + run.state, digest_size=16).hexdigest()


def hostile(count):
    """New labels in every place of every event, without end."""
    draw = random.Random(3)
    for at in range(count):
        new = f"{at}-{draw.randrange(10**9)}"
        words = " ".join(f"w{draw.randrange(10**9)}" for _ in range(draw.randrange(80)))
        common = {
            "agent": {"name": "made-up", "version": new},
            "conversation": {"id": new},
            "tenant": {"id": new},
            "user": {"id": new},
            "request": {"model": new},
            "provider": {"name": new},
            "tool": {"name": new},
            "usage": {"input_tokens": at, "cost_amount": draw.random(), "cost_currency": "USD"},
            "input": {"text": words, "features": {new: draw.random(), f"x{at % 8}": new}},
        }
        if draw.random() < 0.5:
            common["error"] = {"type": new, "message": new, "class": draw.choice(("retryable", "escalation"))}
        at_s = START_S + at * 7.0
        operation = draw.choice(("chat", "execute_tool", "receive_input", "retrieval", new))
        yield event(at_s, operation, **common)
        session = {**common, "conversation": {"id": new, "state": draw.choice(("started", "ended"))}}
        yield event(at_s + 1, "invoke_agent", "agent.session.v1", **session)


@every_detector
def test_it_has_the_shape_of_a_detector(name):
    detector = fresh(name)
    assert isinstance(detector, Detector)
    assert detector.wake_at is None or detector.wake_at >= 0
    assert not detector.findings(START_S)


@every_detector
def test_it_declares_its_warm_up_and_its_budget_of_false_alarms(name):
    assert len(KINDS[name].warm_up) > 10
    assert KINDS[name].quiet_arl_days >= 30


@every_detector
def test_it_watches_types_of_events_that_there_are(name):
    assert KINDS[name].watches
    assert KINDS[name].watches <= set(EVENT_TYPES)


@every_detector
def test_it_is_silent_on_its_stable_stream(name):
    assert Run(fresh(name)).feed(events(name, "stable")).found == []


@every_detector
def test_it_speaks_on_its_positive_stream(name):
    found = whole(name).found
    assert found
    assert all(finding.summary and 0 <= finding.confidence <= 1 for finding in found)
    assert all(finding.onset >= START_S for finding in found)
    onsets = {(finding.finding, tuple(finding.labels.items())): finding.onset for finding in found}
    assert len({(finding.finding, finding.onset) for finding in found}) <= 2 * len(onsets)


@every_detector
@pytest.mark.parametrize("share", [0.05, 0.45, 0.75, 0.95])
def test_a_restart_in_the_middle_changes_nothing(name, share):
    stream = events(name, "positive")
    cut = int(share * len(stream))
    broken = Run(fresh(name)).feed(stream[:cut])
    kind, state = KINDS[name], broken.detector.save()
    broken.detector = kind.load(watch_of(name), {}, state, kind.version)
    assert broken.detector.save() == state
    broken.feed(stream[cut:])
    assert broken.asked == whole(name).asked
    assert broken.state == whole(name).state


@every_detector
def test_the_same_input_gives_the_same_output_whatever_the_process(name):
    script = f"from tests.detectors.test_laws import digest; print(digest({name!r}))"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(root)}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == digest(name)


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


def openings(run):
    """What began to hold, as often as it did."""
    began, before = Counter(), frozenset()
    for found in run.asked:
        holding = frozenset((each.finding, tuple(sorted(each.labels.items()))) for each in found)
        began.update(holding - before)
        before = holding
    return began


@every_detector
def test_events_that_overtake_each_other_by_two_seconds_open_the_same(name):
    draw = random.Random(5)
    late = sorted(events(name, "positive"), key=lambda each: each.time.timestamp() + draw.uniform(0, 2))
    assert openings(Run(fresh(name)).feed(late)) == openings(whole(name))


@every_detector
@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_a_clock_that_jumps_by_a_day_and_back_breaks_nothing(name, jump_s):
    stream = list(events(name, "stable"))
    for at in range(len(stream) // 2, len(stream) // 2 + 5):
        moved = stream[at].time + timedelta(seconds=jump_s)
        stream[at] = msgspec.structs.replace(stream[at], time=moved)
    run = Run(fresh(name)).feed(stream)
    kind, state = KINDS[name], run.detector.save()
    assert kind.load(watch_of(name), {}, state, kind.version).save() == state
    assert all(finding.onset <= run.now for finding in run.found)
    assert len(run.state) <= LARGEST


class Wild:
    """Numbers for events: ordinary ones, or the least and the greatest that there may be."""

    def __init__(self, draw):
        self.draw = draw
        self.is_wild = False

    def measure(self):
        wild = (0, 0.0, 5e-324, 1e-300, 1e300, 1.7e308)
        return self.draw.choice(wild) if self.is_wild else self.draw.uniform(0.5, 2)

    def count(self):
        return self.draw.choice((0, 1, 2**53, 2**63 - 1)) if self.is_wild else self.draw.randrange(100, 900)


def extreme(count):
    """Sessions of every type of event, with such numbers wherever the contract has one."""
    draw = random.Random(9)
    wild = Wild(draw)
    for at in range(count):
        wild.is_wild = at % 3 == 0
        at_s, session = START_S + at * 20.0, {"id": f"c{at}"}
        cost = {"cost_amount": wild.measure(), "cost_currency": "USD"}
        limited = ("concurrency", "concurrency_max", "rate_remaining", "rate_limit")
        yield event(
            at_s,
            draw.choice(("chat", "execute_tool", "receive_input")),
            operation={"duration": wild.measure(), "step": wild.count()},
            conversation=session,
            usage={"input_tokens": wild.count(), "output_tokens": wild.count(), **cost},
            request={"model": "m", "max_tokens": wild.count()},
            response={"time_to_first_chunk": wild.measure(), "finish_reasons": ["stop"]},
            tool={"name": "lookup", "arguments_digest": "d"},
            limits={name: wild.count() for name in limited} | {"queue_wait": wild.measure()},
            input={"features": {"x": wild.measure()}, "embedding": [wild.measure() for _ in range(4)]},
        )
        score = {"name": "helpful", "score_value": wild.measure() * draw.choice((-1, 1))}
        yield event(at_s + 1, "evaluate", "agent.evaluation.v1", conversation=session, evaluation=score)
        wait = {"id": f"a{at}", "state": draw.choice(("requested", "approved")), "wait": wild.measure()}
        yield event(at_s + 2, "approve", "agent.approval.v1", conversation=session, approval=wait)
        took, end = {"duration": wild.measure()}, {**session, "state": "ended"}
        yield event(at_s + 3, "invoke_agent", "agent.session.v1", operation=took, conversation=end)


@every_detector
def test_the_greatest_and_the_least_numbers_of_the_contract_are_borne(name):
    run = Run(fresh(name)).feed(extreme(1500))
    kind, state = KINDS[name], run.detector.save()
    assert kind.load(watch_of(name), {}, state, kind.version).save() == state
    said = [text for finding in run.found for text in (finding.summary, str(finding.observed))]
    assert not [text for text in said if re.search(r"\b(nan|inf)\b", text)]


@every_detector
def test_the_new_normal_ends_what_holds(name):
    run = Run(fresh(name)).feed(events(name, "positive"))
    run.detector.rebase(run.now)
    assert not run.detector.findings(run.now + GRID_S)


@every_detector
def test_other_settings_take_nothing_of_what_was_learnt(name):
    run = Run(fresh(name)).feed(events(name, "positive"))
    before = run.told(run.now)
    run.detector.configure(watch_of(name), {})
    assert run.told(run.now) == before
