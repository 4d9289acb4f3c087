"""Whatever a configuration holds: it is followed, or refused with the place and the reason of each fault."""

import os
import re

import pytest

from routing.configuration import ConfigFaults, load
from schemas.cause import ConfigFile
from tests.fuzz.mutating import mutants
from tests.routing.configs import example
from tests.routing.scenario import ESCALATED

COUNT = 1_000_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 10_000
SHARES = 8
"""Tests that they are divided among, for several processes."""
PLACED = re.compile(r"\S+:\d+:\d+: \S")
CORPUS = [
    ESCALATED.encode(),
    *(each.text.encode() for name in ("minimal.yml", "retail") for each in example(name)),
]
pytestmark = pytest.mark.no_cover


@pytest.mark.parametrize("share", range(SHARES))
def test_a_hurt_configuration_is_followed_or_each_fault_of_it_has_its_place(share):
    refused = 0
    for number, value in mutants(CORPUS, COUNT // SHARES, f"rules of share {share}:"):
        found = faults_of(number, value)
        refused += bool(found)
        lost = [each for each in found if not PLACED.match(each)]
        assert not lost, f"rules {number}: a fault without its place: {lost}"
    assert refused > COUNT / SHARES / 10


def faults_of(number: int, value: bytes) -> list[str]:
    try:
        load([ConfigFile("rules.yml", value.decode("utf-8", "replace"))])
    except ConfigFaults as found:
        return [str(each) for each in found.faults] or [""]
    except Exception as error:
        raise AssertionError(f"rules {number} break the loader: {value[:400]!r}") from error
    return []
