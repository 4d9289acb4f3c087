"""What holds for every detector there is: each is found by itself, with its own streams beside this file."""

import os
import random
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from detectors.detector import Detector
from schemas.event import EVENT_TYPES
from tests.detectors.agent_events import START_S
from tests.detectors.busy_events import busy
from tests.detectors.conformance import (
    GRID_S,
    KINDS,
    LARGEST,
    Run,
    Together,
    at_length,
    digest,
    events,
    every_detector,
    fresh,
    openings,
    quiet,
    streams,
    watch_of,
    whole,
)
from tests.detectors.failing_events import failing
from tests.detectors.hostile_events import extreme
from tests.detectors.ordinary_events import ordinary

DAY_S = 86_400.0
PAGES = Path(__file__).resolve().parents[2] / "docs" / "detectors"


class Asked(dict):
    """No options, and the names of those that are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default

    def __contains__(self, name):
        self.names.add(name)
        return False


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
def test_it_asks_for_no_option_but_those_that_it_takes_and_its_page_tells_of_each(name):
    asked = Asked()
    KINDS[name](watch_of(name), asked)
    KINDS[name](watch_of(name), {}).configure(watch_of(name), asked)
    assert asked.names == KINDS[name].takes
    page = (PAGES / f"{name}.md").read_text("utf-8")
    assert [each for each in sorted(KINDS[name].takes) if f"| `{each}` |" not in page] == []


@at_length
@every_detector
def test_it_is_silent_on_its_stable_stream(name):
    assert Run(fresh(name)).feed(events(name, "stable")).found == []


@at_length
@every_detector
def test_of_an_ordinary_agent_it_says_no_more_than_its_rate_of_false_alarms_allows(name):
    run = quiet(name)
    days = (run.now - START_S) / DAY_S
    expected = days / KINDS[name].quiet_arl_days
    # A Poisson count of that mean exceeds this once in a thousand times at most.
    assert openings(run).total() <= expected + 3.1 * expected**0.5 + 1


@every_detector
def test_it_speaks_on_its_positive_stream(name):
    found = whole(name).found
    assert found
    assert all(finding.summary and 0 <= finding.confidence <= 1 for finding in found)
    assert all(finding.onset >= START_S for finding in found)
    onsets = {(finding.finding, tuple(finding.labels.items())): finding.onset for finding in found}
    assert len({(finding.finding, finding.onset) for finding in found}) <= 2 * len(onsets)


@every_detector
def test_it_speaks_within_the_delay_that_its_stream_states(name):
    stated, first = streams(name), whole(name).first
    assert 0 <= first - START_S - stated.TROUBLE_S <= stated.FOUND_WITHIN_S


@every_detector
def test_the_same_input_gives_the_same_output_whatever_the_process(name):
    script = f"from tests.detectors.conformance import digest; print(digest({name!r}))"
    root = Path(__file__).parents[2]
    unmeasured = {name: said for name, said in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**unmeasured, "PYTHONHASHSEED": "7", "PYTHONPATH": str(root)}
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == digest(name)


@at_length
@every_detector
def test_events_that_overtake_each_other_by_two_seconds_open_the_same(name):
    draw = random.Random(5)
    late = sorted(events(name, "positive"), key=lambda each: each.time.timestamp() + draw.uniform(0, 2))
    assert openings(Run(fresh(name)).feed(late)) == openings(whole(name))


FEW = {failing: 60, ordinary: 600, extreme: 60, busy: 900}


@at_length
@every_detector
def test_events_that_are_shown_together_tell_the_same(name):
    run = Together(fresh(name)).feed(events(name, "positive")).shown()
    assert (run.asked, run.state) == (whole(name).asked, whole(name).state)


@every_detector
@pytest.mark.parametrize("kind", [failing, ordinary, extreme, busy])
def test_trouble_that_is_shown_together_is_kept_the_same(name, kind):
    stream = tuple(kind(FEW[kind]))
    together, alone = Together(fresh(name)).feed(stream).shown(), Run(fresh(name)).feed(stream)
    assert (together.asked, together.state) == (alone.asked, alone.state)


@at_length
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


@at_length
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


@at_length
@every_detector
def test_other_settings_take_nothing_of_what_was_learnt(name):
    run = Run(fresh(name)).feed(events(name, "positive"))
    before = run.told(run.now)
    run.detector.configure(watch_of(name), {})
    assert run.told(run.now) == before
