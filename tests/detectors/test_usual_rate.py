"""What failure rate is normal: a high quantile of ten-minute rates, of days that are over."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.failures.usual_rate import CELLS_A_DAY, DAYS, HIGHEST, UsualRate

DAY_S = 86400.0
FIRST = 20_000


def cell(day, place):
    return (FIRST + day) * CELLS_A_DAY + place


def noon(day):
    return (FIRST + day + 0.5) * DAY_S


def test_today_is_not_yet_normal():
    usual = UsualRate()
    usual.learn(cell(0, 3), 100, 20)
    assert usual.rate(noon(0)) == 0
    assert usual.rate(noon(1)) == 0.2


def test_a_cell_with_few_failures_tells_nothing():
    usual = UsualRate()
    usual.learn(cell(0, 3), 9, 9)
    assert usual.rate(noon(1)) == 0


def test_what_turned_out_to_be_an_incident_is_taken_back():
    usual = UsualRate()
    usual.learn(cell(0, 3), 100, 20)
    usual.learn(cell(0, 4), 100, 90)
    usual.unlearn(cell(0, 4))
    assert usual.rate(noon(1)) == 0.2


def test_what_is_older_than_two_weeks_is_forgotten():
    usual = UsualRate()
    usual.learn(cell(0, 3), 100, 20)
    usual.learn(cell(DAYS, 3), 100, 15)
    assert usual.rate(noon(DAYS)) == 0.2
    assert usual.rate(noon(DAYS + 1)) == 0.15
    usual.learn(cell(3 * DAYS, 3), 100, 12)
    assert len(usual.days) == 1


def test_an_accepted_rate_holds_for_two_weeks():
    usual = UsualRate()
    usual.accept(0.3, noon(0))
    assert usual.rate(noon(0)) == 0.3
    assert usual.rate(noon(DAYS)) == 0.3
    assert usual.rate(noon(DAYS + 1)) == 0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=14 * CELLS_A_DAY))
def test_it_is_the_quantile_that_one_cell_in_a_thousand_exceeds(failures):
    usual = UsualRate()
    for place, bad in enumerate(failures):
        usual.learn(cell(0, place), 1000, bad)
    day = (len(failures) - 1) // CELLS_A_DAY + 1
    told = [bad if bad >= 10 else 0 for bad in failures]
    assert usual.rate(noon(day)) * 1000 == sorted(told, reverse=True)[len(failures) // 1000]
    assert all(len(each.highest) <= HIGHEST for each in usual.days)
