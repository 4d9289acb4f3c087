"""The judges of metric anomalies, on as much of them as a test may take; the whole is a benchmark."""

import pytest

from benchmarks.metric_anomalies import F1_TARGET, NUMENTA_TARGET, RULE_TARGET
from benchmarks.metric_judges import CASES, Numenta, Operators, repeats
from detectors.metric import MetricAnomaly
from tests.conftest import SHARED, shared_data

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured

THRESHOLD = MetricAnomaly.threshold


@pytest.mark.data
def test_every_sixth_series_of_the_numenta_benchmark_reaches_seventy():
    archive = shared_data("nab.tar.gz")
    numenta = Numenta(archive, SHARED / "bench/score_nab.py", every=6)
    verdict = numenta.verdict(numenta.scores(MetricAnomaly), THRESHOLD)
    assert verdict["standard"]["score"] >= NUMENTA_TARGET


@pytest.mark.data
def test_the_operators_of_two_families_agree():
    families = ("application-crash-rate-1", "consumer-purchase-rate")
    operators = Operators(shared_data("cloud_monitoring.tar.gz"), families)
    assert operators.families == list(families)
    assert operators.verdict(operators.scores(MetricAnomaly), THRESHOLD).f1 >= F1_TARGET


@pytest.mark.parametrize("name", ["wave 3 sd", "wave 10 sd, down"])
def test_the_same_incident_is_found_on_three_days_in_nine_of_ten_series(name):
    found = repeats(MetricAnomaly, CASES[name], range(1000, 1020), THRESHOLD)
    assert found.found >= RULE_TARGET
    assert found.quiet >= RULE_TARGET
    assert found.false <= 1
