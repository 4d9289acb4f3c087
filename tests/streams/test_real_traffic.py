"""Real traffic through detect and route, every default on: quiet stays quiet, faults are found."""

from datetime import timedelta

import pytest

from benchmarks.judged import judged
from benchmarks.real_traffic import INJECTED_FROM, INJECTIONS, WARM_UP, incidents, retail, rows, traffic
from tests.conftest import shared_data

pytestmark = pytest.mark.data


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


def test_the_outages_of_the_retail_agent_are_all_that_pages():
    delays, others = incidents(retail(shared_data("retail_agent_events.jsonl.gz").parent))
    assert all(delay is not None and delay <= timedelta(minutes=1) for delay in delays.values())
    assert others == 0
