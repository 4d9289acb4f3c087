"""Real traffic through detect and route, every default on: quiet stays quiet, faults are found."""

from datetime import timedelta
from random import Random

import pytest

from benchmarks.judged import judged
from benchmarks.real_traffic import (
    INJECTED_FROM,
    INJECTIONS,
    WARM_UP,
    incidents,
    retail,
    rows,
    sessions,
    traffic,
)
from tests.conftest import shared_data

pytestmark = [
    pytest.mark.data,
    pytest.mark.no_cover,  # it judges the whole, and is several times as fast unmeasured
]

on_the_retail_agent = pytest.mark.xdist_group("retail agent")  # a replay takes long, and both look at one


@pytest.fixture(scope="module")
def requests():
    return list(rows(shared_data("azure_llm_2023_conv.csv.gz").parent))


def test_an_hour_of_two_production_services_pages_nobody(requests):
    found = judged(traffic(requests))
    assert found.pages == []
    assert found.after(requests[0].at + WARM_UP).opened == []


@pytest.mark.parametrize("what", INJECTIONS)
def test_what_is_injected_into_it_is_found_within_two_minutes(requests, what):
    inject, names = INJECTIONS[what]
    late = judged(traffic(requests, inject)).after(INJECTED_FROM)
    found = [each for each in late.opened if f"{each.detector}/{each.finding}" in names]
    assert min(each.time for each in found) <= INJECTED_FROM + timedelta(minutes=2)


@pytest.fixture(scope="module", name="real")
def _real():
    return sessions(shared_data("retail_agent_events.jsonl.gz").parent)


@pytest.fixture(scope="module", name="paged")
def _paged(real):
    return retail(real)


@on_the_retail_agent
def test_the_outages_of_the_retail_agent_are_all_that_pages(paged):
    delays, others = incidents(paged)
    assert all(delay is not None and delay <= timedelta(minutes=1) for delay in delays.values())
    assert others == 0


@on_the_retail_agent
def test_events_that_overtake_each_other_by_two_seconds_change_no_page(real, paged):
    draw = Random(4)
    late = sorted(real, key=lambda event: event.time.timestamp() + draw.uniform(0, 2))
    assert [told(each) for each in retail(late).pages] == [told(each) for each in paged.pages]


def told(page):
    """Whom a page tells what, but for its very second and figures."""
    return page.to, page.channel, page.reason, page.severity, page.content.labels
