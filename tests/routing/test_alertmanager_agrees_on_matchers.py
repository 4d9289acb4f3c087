"""Which texts are matchers of the classic grammar, and what they match: as the real Alertmanager says."""

import json
import os
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from routing.matchers import Matcher, MatcherSyntax
from routing.rules.classic_grammar import parse_classic
from tests.routing.judge.alertmanager import Refused, ask, daemon, flat, judge

pytestmark = pytest.mark.no_cover  # the judge sees whole rules: a line is to have a test of its own
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
TOTAL = 5_000 if NIGHTLY else 400
CONFIG = '{"route": {"receiver": "r", "group_wait": "1h", "group_by": ["..."]}, "receivers": [{"name": "r"}]}'
VALUES = (
    "x",
    "y",
    "xy",
    "x y",
    'x"',
    "x\\",
    "\\n",
    "x\ny",
    "é",
    "1",
    "٣",
    ".",
    "x.y",
    " x",
    "(x)",
    "X",
    "xx",
)
ALERTS = [{"a": value, "n": str(number)} for number, value in enumerate(VALUES)]
ALERTS += [{"b_": "x", "n": "b"}, {"a": "x", "b_": "y", "n": "both"}]

NAMES = st.sampled_from(["a", "b_", "a", " a ", "n", "a:b", "0a", "é", "", "a b", "_"])
OPS = st.sampled_from(["=", "!=", "=~", "!~", "=", "=~", " = ", "==", "~", "!", "=!"])
RAW = st.text(st.sampled_from("xy1Xnd .*+?|()[]^$\\\"'é:=~!\t-"), max_size=6)
KNOWN = st.sampled_from(
    [*VALUES, "x|y", ".+", ".*", "[^x]", r"\d", r"\w+", "(?i)x", "(?s)x.y", "x?", r"\pL", "(?P<n>x)"]
)
QUOTED = (RAW | KNOWN).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
TEXTS = st.builds(lambda *parts: "".join(parts), NAMES, OPS, RAW | KNOWN | QUOTED)
"""One matcher each: without commas, and without braces at an end."""


def theirs(address, text):
    """The alerts that a text matches, or None where it is refused."""
    try:
        said = ask(address, "GET", f"/api/v2/alerts?{urlencode({'filter': text})}")
    except Refused:
        return None
    return {flat(alert["labels"]) for alert in json.loads(said)}


def ours(text):
    try:
        ((name, op, value),) = parse_classic(text)
        matcher = Matcher(name, op, value)
    except (MatcherSyntax, ValueError):
        return None
    return {flat(each) for each in ALERTS if matcher.matches(each)}


def drawn():
    found = []

    @settings(
        max_examples=TOTAL, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(TEXTS)
    def draw(text):
        found.append(text)

    draw()
    return found


@pytest.mark.timeout(3600)
def test_texts_mean_what_they_mean_to_alertmanager(tmp_path):
    texts = drawn()
    with daemon(tmp_path, CONFIG) as address:
        judge(address, ALERTS)
        said = {text: theirs(address, text) for text in texts}
    wrong = {text: (found, ours(text)) for text, found in said.items() if found != ours(text)}
    assert wrong == {}
    refused = sum(found is None for found in said.values())
    assert 0.1 * len(said) < refused < 0.9 * len(said)
