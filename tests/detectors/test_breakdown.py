"""Where the money goes: bounded, joined, against the days before."""

import random

from hypothesis import given
from hypothesis import strategies as st

from detectors.contrast import OTHER, Tally
from detectors.cost import Cost
from detectors.costs.breakdown import KEPT, MOST, Breakdown, Money
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

DAY = 86_400.0

amounts = st.lists(
    st.tuples(st.sampled_from([f"v{at}" for at in range(40)]), st.integers(1, 100)), max_size=200
)


def of(pairs):
    made = Breakdown()
    for value, usd in pairs:
        made.usd += usd
        made.add("model", value, usd)
    return made


@given(amounts, amounts)
def test_joined_it_holds_all_the_money_in_a_bounded_number_of_values(some, more):
    one, truth = of(some), {}
    one.join(of(more))
    for value, usd in some + more:
        truth[value] = truth.get(value, 0) + usd
    held = one.by.get("model", {})
    assert sum(held.values()) == sum(truth.values()) == one.usd
    assert len(held) <= MOST
    for value, usd in truth.items():
        assert usd - held.get(OTHER, 0) <= held.get(value, 0) <= usd


def test_the_heaviest_are_named_whenever_they_came():
    draw = random.Random(2)
    pairs = [(f"light{at}", 1.0) for at in range(300)] + [(f"heavy{at % 6}", 40.0) for at in range(60)]
    draw.shuffle(pairs)
    named = sorted(of(pairs).by["model"].items(), key=lambda each: -each[1])
    assert {value for value, _ in named if value != OTHER} >= {f"heavy{at}" for at in range(6)}
    assert len(named) <= MOST
    assert KEPT < MOST


def test_what_was_looked_at_stands_for_all_the_money():
    made = Breakdown()
    tally = Tally()
    tally.take(("1", "m", None, None, "acme", None), 3.0)
    tally.take(("2", "m", None, None, "globex", None), 1.0)
    made.spread(tally, 8.0)
    made.spread(Tally(), 2.0)
    assert made.usd == 10.0
    assert made.by == {
        "version": {"1": 6.0, "2": 2.0},
        "model": {"m": 8.0},
        "tenant": {"acme": 6.0, "globex": 2.0},
    }
    assert made.dearest("model") == ("m", 0.8)
    assert made.dearest("tool") is None
    assert Breakdown(0.0, {"model": {"m": 0.0}}).dearest("model") is None


def test_one_operation_counts_in_each_of_its_dimensions():
    made = Breakdown()
    made.take(("1", "m", None, "search", None, None), "tool", 2.0)
    assert made.by == {
        "version": {"1": 2.0},
        "model": {"m": 2.0},
        "tool": {"search": 2.0},
        "component": {"tool": 2.0},
    }


def test_todays_money_is_held_against_that_of_the_days_before():
    money = Money()
    money.turn(DAY)
    money.today = of([("old", 90.0), ("new", 10.0)])
    money.turn(DAY + 10)
    assert money.today.usd == 100.0
    assert money.today.against(money.before) == ()
    money.turn(2 * DAY)
    money.today = of([("old", 9.0), ("new", 81.0)])
    (found,) = money.today.against(money.before)
    assert (found.value, found.share, found.lift > 5) == ("new", 0.9, True)
    assert money.all().usd == 190.0
    money.turn(3 * DAY)
    assert money.before.usd == 170.0


def test_money_of_a_minute_that_is_joined_with_the_next_stays_with_its_day():
    detector = Cost(Watch(budget_usd=1.0, budget_period="day"), {})

    def calls(hour, count, tenant):
        for second in range(count):
            at_s = START_S + hour * 3600 + second
            usage = {"cost_amount": 1.0, "cost_currency": "USD"}
            detector.observe(event(at_s, usage=usage, tenant={"id": tenant}), at_s)

    calls(1, 3, "before")
    calls(25, 2, "before")
    calls(50, 1, "today")
    calls(50.1, 4, "today")
    [found] = [each.told() for each in detector.findings(START_S + 50.5 * 3600)]
    [tenant] = [each for each in found.contributors if each.dimension == "tenant"]
    assert (tenant.value, tenant.share) == ("today", 1.0)
    money = detector._state.money
    assert money.today.by["tenant"] == {"today": 5.0}
    assert money.before.by["tenant"] == {"before": 0.8 * 3.0 + 2.0}
