"""A fleet to which nothing happens, every detector and every default on: nobody is paged."""

import os
from itertools import islice

import pytest

from benchmarks.judged import judged
from benchmarks.quiet_fleet import RATES_PER_H, quiet

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured

IS_NIGHT = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EVENTS = 1_000_000 if IS_NIGHT else 100_000
DAYS = 30 if IS_NIGHT else 3


def test_ordinary_days_page_nobody():
    found = judged(islice(quiet(RATES_PER_H["high"], DAYS, seed=11), EVENTS))
    assert found.events == EVENTS
    assert found.pages == []


def test_nor_do_they_where_an_agent_has_two_sessions_an_hour():
    found = judged(quiet(RATES_PER_H["low"], DAYS, seed=12))
    assert found.events > 1000
    assert found.pages == []
