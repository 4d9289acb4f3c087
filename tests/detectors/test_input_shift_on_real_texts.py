"""Real texts: questions of other domains are found and named; real customers are left in peace."""

import gzip
import json
import random
from collections import Counter

import pytest

from detectors.input_shift import InputShift, TextShift
from detectors.settings import Watch
from schemas.wire import decode_event
from tests.conftest import shared_data

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured


def clinc():
    return json.loads(gzip.decompress(shared_data("shift_texts.json.gz").read_bytes()))["clinc"]


@pytest.mark.data
@pytest.mark.parametrize("seed", [100, 101])
def test_real_questions_of_another_domain_are_found_and_named(seed):
    draw = random.Random(seed)
    rows = clinc()
    domains = sorted({domain for _, _, domain in rows})
    draw.shuffle(domains)
    known = [text for text, _, domain in rows if domain in domains[:6]]
    other = [text for text, _, domain in rows if domain == domains[6]]
    draw.shuffle(known)
    detector = TextShift(known[:2000], seed=seed)
    false = sum(
        detector.update(text, session=f"s{at}") is not None for at, text in enumerate(known[2000:6000])
    )
    assert false <= 1
    detector.reset()
    shift = None
    for _ in range(600):
        shift = detector.update(draw.choice(other) if draw.random() < 0.3 else draw.choice(known[6000:]))
        if shift is not None:
            break
    assert shift is not None
    counts, usual = (
        Counter(word for text in texts for word in set(text.split())) for texts in (other, known[:2000])
    )
    planted = {word for word, count in counts.items() if count / len(other) > 3 * (usual[word] + 1) / 2000}
    assert planted & set(shift.terms)
    assert 0 < shift.share <= 1
    assert detector.update(other[0]) is None


@pytest.mark.data
def test_real_retail_sessions_move_once_or_twice_with_their_customers():
    detector, now, told = InputShift(Watch(reference=500), {}), 0.0, set()
    with gzip.open(shared_data("retail_agent_events.jsonl.gz")) as lines:
        for line in lines:
            each = decode_event(line.rstrip())
            now = max(now, each.time.timestamp())
            detector.observe(each, now)
            told |= {(finding.finding, finding.onset) for finding in detector.findings(now)}
    assert 1 <= len(told) <= 3
