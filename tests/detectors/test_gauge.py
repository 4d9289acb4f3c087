"""What a gauge of failures remembers of quiet times, and the burn rate of what is little."""

import pytest

from detectors.failures.failure_finding import ENOUGH, _burn
from detectors.failures.gauge import REMEMBERED, Gauge, Terms

TERMS = Terms(budget=0.01, threshold_s=86_400.0)


def test_quiet_times_long_ago_count_for_less():
    gauge = Gauge(quiet_bad=30, quiet_total=REMEMBERED - 2)
    gauge.pass_by(2)
    assert (gauge.quiet_bad, gauge.quiet_total) == (30, REMEMBERED)
    gauge.pass_by(2)
    assert (gauge.quiet_bad, gauge.quiet_total) == (15, REMEMBERED / 2 + 1)


@pytest.mark.parametrize(
    ("hour", "six", "burns"),
    [((1, ENOUGH), (1, 100), 100 / ENOUGH), ((1, 5), (1, ENOUGH), 100 / ENOUGH), ((1, 5), (1, 8), 100 / 8)],
)
def test_where_so_little_may_be_chance_more_of_the_past_is_asked(hour, six, burns):
    counted = {60: hour, 360: six}
    assert _burn(1, 2, counted.__getitem__, TERMS) == pytest.approx(burns)


def test_what_is_no_chance_is_told_as_it_is():
    assert _burn(9, 10, {}.__getitem__, TERMS) == pytest.approx(90)
