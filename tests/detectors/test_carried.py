"""What every finding carries for routing and for the page; who cannot carry something says why, here."""

from pathlib import Path

import pytest

from detectors.course import trend
from detectors.detector import Finding
from tests.detectors.conformance import KINDS, every_detector, whole

PAGES = Path(__file__).resolve().parents[2] / "docs" / "detectors"

NEEDED = {
    "summary": lambda finding: finding.summary,
    "observed": lambda finding: finding.observed is not None,
    "unit": lambda finding: finding.unit,
    "baseline": lambda finding: finding.baseline is not None,
    "magnitude": lambda finding: (
        finding.magnitude is not None and bool(finding.magnitude_unit or finding.baseline == 0)
    ),
    "trend": lambda finding: finding.trend,
    "blast": lambda finding: _reach(finding.blast),
    "contributors": lambda finding: finding.contributors,
    "samples": lambda finding: finding.samples,
    "history": lambda finding: len(finding.history) > 1,
}
FIRST_DAY = "the money of today stands out against the days before, and there are none"
WITHOUT = {
    ("cost", "budget"): {"contributors": FIRST_DAY},
    ("cost", "over_budget"): {"contributors": FIRST_DAY},
    ("silence", "agent_down"): {
        "trend": "a silence only gets longer",
        "contributors": "there are no events to compare",
    },
}


def _reach(blast):
    return blast.sessions or blast.users or blast.tenants or blast.share


def last_of_each(name) -> dict[str, Finding]:
    """The last finding of each kind on a detector's positive stream."""
    return {finding.finding: finding for finding in whole(name).found}


@every_detector
def test_every_finding_carries_what_routing_and_the_page_need(name):
    for kind, finding in last_of_each(name).items():
        lacking = {each for each, carries in NEEDED.items() if not carries(finding)}
        assert lacking == set(WITHOUT.get((name, kind), {})), f"{name}/{kind}"


@every_detector
def test_what_it_carries_is_in_its_range(name):
    for finding in whole(name).found:
        assert 0 <= finding.confidence <= 1
        assert 0 <= finding.blast.share <= 1
        assert finding.magnitude_unit in {"ratio", "sigma", "burn_rate", ""}
        assert finding.trend in {"rising", "falling", "steady", ""}
        assert len(finding.history) <= 60
        assert len(finding.samples) <= 5
        assert all(each.lift >= 0 and 0 <= each.share <= 1 for each in finding.contributors)
        assert len(finding.summary) < 1000


@every_detector
def test_it_carries_few_and_short_labels(name):
    for finding in whole(name).found:
        assert len(finding.labels) <= 6
        assert all(len(value) <= 256 for value in finding.labels.values())


@every_detector
def test_its_page_says_how_its_confidence_is_calibrated(name):
    text = (PAGES / f"{name}.md").read_text()
    assert "\n## Confidence\n" in text


@pytest.mark.parametrize("name", sorted({name for name, _ in WITHOUT}))
def test_where_something_is_lacking_the_page_says_what_is_carried(name):
    assert "\n## What its signals carry\n" in (PAGES / f"{name}.md").read_text("utf-8")


def test_who_lacks_something_is_still_there():
    kinds = {(name, kind) for name in KINDS for kind in last_of_each(name)}
    assert set(WITHOUT) <= kinds


@pytest.mark.parametrize("history", [(0.0, 0.0, 4.0), ()])
def test_what_has_just_begun_has_no_trend_yet(history):
    assert trend(history) == "steady"
